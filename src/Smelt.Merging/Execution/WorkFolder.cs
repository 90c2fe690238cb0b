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
        if (!IsOurs(full))
            throw new InvalidInputException(PlanRules.OutputExists.Id, full, $"the folder was not made by Smelt (no {Manifest.FileName} in it), so --force does not replace it.", "Move it away, or name another folder with --out.");
    }

    /// <summary>Starts with an empty folder.</summary>
    public void Clear()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
        Directory.CreateDirectory(Path);
    }

    /// <summary>Removes everything that was written so far.</summary>
    public void Discard()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
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
        if (Directory.Exists(Replaced))
            Directory.Delete(Replaced, recursive: true);
        if (Directory.Exists(_stages))
            Directory.Delete(_stages, recursive: true);
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

    /// <summary>A checkpoint of Smelt, or a folder that holds such checkpoints and nothing else.</summary>
    private static bool IsOurs(string folder) =>
        File.Exists(System.IO.Path.Combine(folder, Manifest.FileName))
        || Directory.EnumerateFileSystemEntries(folder).All(inner => File.Exists(System.IO.Path.Combine(inner, Manifest.FileName)));

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
        if (!Directory.Exists(Replaced))
            return;
        if (Directory.Exists(_output) && Directory.EnumerateFileSystemEntries(_output).Any())
        {
            Directory.Delete(Replaced, recursive: true);
            return;
        }

        if (Directory.Exists(_output))
            Directory.Delete(_output);
        Directory.Move(Replaced, _output);
    }
}
