using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>
/// Where an output comes into being: <c>.NAME.smelt</c> beside its final place, with a lock and a journal beside that.
/// Nothing is visible under the final name before the commit, which is one rename.
/// </summary>
internal sealed class WorkFolder : IDisposable
{
    private readonly string _output;
    private readonly string _lockPath;
    private readonly bool _force;
    private readonly string _stages;
    private FileStream? _lock;

    private WorkFolder(string output, bool force)
    {
        _output = output;
        _force = force;
        Path = PathOf(output);
        JournalPath = Path + JournalSuffix;
        Replaced = Path + ".replaced";
        Garbage = Path + ".garbage";
        _stages = StagesOf(output);
        _lockPath = Path + ".lock";
    }

    /// <summary>What a journal's name has behind that of its folder.</summary>
    public const string JournalSuffix = ".journal";

    /// <summary>The folder to write into.</summary>
    public string Path { get; }

    /// <summary>The journal's file.</summary>
    public string JournalPath { get; }

    /// <summary>Where an output that is being replaced lies between the two renames of the commit.</summary>
    private string Replaced { get; }

    /// <summary>What is on its way out: a replaced output gets this name before it is taken apart, so that no part of one ever comes back.</summary>
    private string Garbage { get; }

    /// <summary>The folder in which <paramref name="output"/> comes into being.</summary>
    public static string PathOf(string output)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(output));
        return System.IO.Path.Combine(System.IO.Path.GetDirectoryName(full) ?? full, $".{System.IO.Path.GetFileName(full)}.smelt");
    }

    /// <summary>The folder in which the stages of <paramref name="output"/> are merged.</summary>
    public static string StagesOf(string output) => PathOf(output) + ".stages";

    /// <summary>
    /// Checks that <paramref name="output"/> may be written, takes the lock, and repairs what a killed commit left.
    /// </summary>
    /// <exception cref="InvalidInputException">The output exists or is being written by another run.</exception>
    /// <exception cref="IOException">The parent folder can't be written.</exception>
    public static WorkFolder Open(string output, bool force)
    {
        var folder = new WorkFolder(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(output)), force);
        Check(folder._output, force);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(folder._output)!);
        foreach (var path in new[] { folder.Path, folder.JournalPath, folder.Replaced, folder.Garbage, folder._stages, folder._lockPath })
        {
            if (new FileInfo(path).LinkTarget is { } target)
                throw new InvalidInputException(PlanRules.OutputExists.Id, path, $"the place that the merge works in is a link to {target}, and nothing is written through links.", "Remove the link, or name another folder with --out.");
        }

        folder.TakeLock();
        try
        {
            folder.RepairCommit();
            Check(folder._output, force);
        }
        catch
        {
            folder.Dispose();
            throw;
        }

        return folder;
    }

    /// <summary>Reports an output that stands in the way; nothing is created.</summary>
    /// <exception cref="InvalidInputException">The output exists, and may not be replaced.</exception>
    public static void Check(string output, bool force)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(output));
        if (System.IO.Path.GetDirectoryName(full) is null)
            throw new InvalidInputException(PlanRules.OutputExists.Id, full, "the root of a file system is no place for an output.");
        if (File.Exists(full))
            throw new InvalidInputException(PlanRules.OutputExists.Id, full, "the output's place is taken by a file.", "Name another folder with --out.");
        if (!Directory.Exists(full) || !Directory.EnumerateFileSystemEntries(full).Any())
            return;
        if (!force)
            throw new InvalidInputException(PlanRules.OutputExists.Id, full, "the output folder exists and is not empty.", "Name another folder with --out, or replace it with --force.");
        if (Stranger(full) is { } stranger)
            throw new InvalidInputException(PlanRules.OutputExists.Id, full, $"the folder holds {stranger}, so --force does not replace it.", "Move that away, or name another folder with --out.");
    }

    /// <summary>Refuses an output whose folder holds an input, which would go away with it.</summary>
    /// <exception cref="InvalidInputException">It does.</exception>
    public static void CheckInputs(MergePlan plan, string output)
    {
        if (!Directory.Exists(output))
            return;
        var folder = RealPath(output) + System.IO.Path.DirectorySeparatorChar;
        var inside = PlansOf(plan).SelectMany(p => p.GivenFiles).Select(f => f.FullPath).Where(f => RealPath(f).StartsWith(folder, StringComparison.Ordinal)).Distinct().ToArray();
        if (inside.Length > 0)
            throw new InvalidInputException(PlanRules.OutputExists.Id, System.IO.Path.GetFullPath(output), $"the folder holds inputs of this merge: {Planner.Some(inside)}.", "Name another folder with --out.");
    }

    private static IEnumerable<MergePlan> PlansOf(MergePlan plan) => plan.Stages.SelectMany(s => PlansOf(s.Plan)).Append(plan);

    /// <summary>A path without links in it.</summary>
    private static string RealPath(string path)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (System.IO.Path.GetDirectoryName(full) is not { } parent)
            return full;
        var own = System.IO.Path.Combine(RealPath(parent), System.IO.Path.GetFileName(full));
        return new FileInfo(own).ResolveLinkTarget(returnFinalTarget: true) is { } target ? RealPath(target.FullName) : own;
    }

    /// <summary>Starts with an empty folder.</summary>
    public void Clear()
    {
        Remove(Path);
        Directory.CreateDirectory(Path);
    }

    /// <summary>Removes everything that was written so far.</summary>
    public void Discard()
    {
        Remove(Path);
        File.Delete(JournalPath);
    }

    /// <summary>Gives the finished folder its final name; only now an existing output of that name goes away.</summary>
    public void Commit(bool durable)
    {
        if (durable)
            Durability.FlushTree(Path);
        Check(_output, _force);
        if (Directory.Exists(_output))
            Directory.Move(_output, Replaced);
        Directory.Move(Path, _output);
        if (durable)
            Durability.FlushFolder(System.IO.Path.GetDirectoryName(_output)!);
        DropReplaced();
        Remove(_stages);
        File.Delete(JournalPath);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_lock is null)
            return;

        // Deleted while still held, so that no other run can hold a lock on a file that is about to go.
        if (!OperatingSystem.IsWindows())
            File.Delete(_lockPath);
        _lock.Dispose();
        _lock = null;
        if (OperatingSystem.IsWindows())
            File.Delete(_lockPath);
    }

    /// <summary>What a folder holds that Smelt did not make; null for an output and for a folder of outputs, one for each sweep point.</summary>
    private static string? Stranger(string folder)
    {
        if (File.Exists(System.IO.Path.Combine(folder, Manifest.FileName)))
            return StrangerIn(folder);
        foreach (var inner in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            if (!File.Exists(System.IO.Path.Combine(inner, Manifest.FileName)))
                return $"{System.IO.Path.GetFileName(inner)}, which is no output of Smelt (no {Manifest.FileName} in it)";
            if (StrangerIn(inner) is { } stranger)
                return stranger;
        }

        return null;
    }

    private static string? StrangerIn(string output)
    {
        var own = Verification.FilesOf(output);
        if (own is null)
            return $"{Manifest.FileName}, which is no manifest of Smelt or damaged";
        var file = Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories)
            .Select(f => System.IO.Path.GetRelativePath(output, f).Replace(System.IO.Path.DirectorySeparatorChar, '/'))
            .Order(StringComparer.Ordinal).FirstOrDefault(f => !own.Contains(f));
        return file is null ? null : $"{file}, which Smelt did not write";
    }

    /// <summary>Removes a folder with all that is in it, if it is there.</summary>
    internal static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private void TakeLock()
    {
        try
        {
            do
            {
                _lock?.Dispose();
                _lock = new FileStream(_lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            while (!File.Exists(_lockPath));
        }
        catch (IOException) when (File.Exists(_lockPath))
        {
            throw new InvalidInputException(PlanRules.OutputExists.Id, _output, "another run is writing this output.", "Wait for it to end, or name another folder with --out.");
        }
    }

    private void RepairCommit()
    {
        Remove(Garbage);
        if (!Directory.Exists(Replaced))
            return;
        if (Directory.Exists(_output) && Directory.EnumerateFileSystemEntries(_output).Any())
        {
            DropReplaced();
            return;
        }

        if (Directory.Exists(_output))
            Directory.Delete(_output);
        Directory.Move(Replaced, _output);
    }

    private void DropReplaced()
    {
        if (Directory.Exists(Replaced))
            Directory.Move(Replaced, Garbage);
        Remove(Garbage);
    }
}
