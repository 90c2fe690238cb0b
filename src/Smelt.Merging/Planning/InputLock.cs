using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Smelt.Merging.Execution;
using Smelt.Recipes;
using Smelt.Recipes.Inventories;

namespace Smelt.Merging.Planning;

/// <summary>Holds inputs to what a lock file says of them.</summary>
public sealed class InputLock
{
    private readonly Dictionary<string, ModelInventory> _models;

    private InputLock(IEnumerable<ModelInventory> models) => _models = models.ToDictionary(m => m.Model, StringComparer.Ordinal);

    /// <summary>Reads the lock file of a folder; null where it has none.</summary>
    /// <exception cref="InvalidInputException">The file is no lock file.</exception>
    public static InputLock? Find(string folder)
    {
        var path = Path.Combine(folder, LockFile.FileName);
        if (!File.Exists(path))
            return null;
        return LockFile.Read(File.ReadAllText(path), out var models) is { } wrong
            ? throw new InvalidInputException(Recipes.Rules.RuleTable.BadLock.Id, path, $"{wrong}.", "Write it anew with smelt lock.")
            : new InputLock(models);
    }

    /// <summary>Takes the inventories of models.</summary>
    /// <param name="inputs">The models.</param>
    /// <param name="content">Whether their weights are read and hashed.</param>
    /// <param name="threads">Worker threads.</param>
    /// <param name="progress">Counts bytes read.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidInputException">A tensor can't be read.</exception>
    public static IReadOnlyList<ModelInventory> Take(IReadOnlyList<PlannedInput> inputs, bool content, int threads, ProgressCounter progress, CancellationToken cancellation)
    {
        progress.Start(content ? inputs.Sum(i => i.Checkpoint.TotalBytes) : 0);
        return [.. inputs.Select(input => new ModelInventory(
            ModelInventory.KeyOf(input.Reference)!,
            input.Commit ?? "",
            content ? ContentHash(Verification.HashAll(input.Checkpoint, threads, progress, cancellation)) : "",
            Sequence.From(input.Checkpoint.Files.Select(f => new InventoryFile(f.Name, f.Length, HeaderHash(f.FullPath)))),
            Sequence.From(input.Checkpoint.Tensors.Select(t => new InventoryTensor(t.Name, t.Type.Name, Sequence.From(t.Shape))))))];
    }

    /// <summary>One hash over the hashes of all tensors of a model, whatever their order: XxHash128 over the sorted lines "name hash".</summary>
    internal static string ContentHash(IEnumerable<(string Name, UInt128 Hash)> tensors) => Text(XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(
        string.Concat(tensors.OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => $"{t.Name} {Text(t.Hash)}\n")))));

    /// <summary>What is wrong with the inputs of a plan: their headers and sizes against the lock file.</summary>
    public IReadOnlyList<Problem> Check(MergePlan plan)
    {
        var problems = new List<Problem>();
        foreach (var input in plan.Inputs)
        {
            if (ModelInventory.KeyOf(input.Reference) is not { } key)
                continue;
            if (!_models.TryGetValue(key, out var locked))
                problems.Add(PlanRules.NotLocked.At(input.Checkpoint.Path, $"{input.Reference} is not in {LockFile.FileName}.", "Run smelt lock again."));
            else if (Difference(input, locked) is { } difference)
                problems.Add(PlanRules.InputChanged.At(input.Checkpoint.Path, difference, "Get the model as it was, or accept the present one with smelt lock."));
        }

        return problems;
    }

    /// <summary>A problem if the content of an input is not what was locked; null where it is, or was not locked.</summary>
    /// <param name="input">The input.</param>
    /// <param name="tensors">The hashes of the tensors that were read of it.</param>
    internal Problem? CheckContent(PlannedInput input, IReadOnlyCollection<(string Name, UInt128 Hash)> tensors)
    {
        if (ModelInventory.KeyOf(input.Reference) is not { } key || !_models.TryGetValue(key, out var locked)
            || locked.ContentHash.Length == 0 || tensors.Count != locked.Tensors.Count || ContentHash(tensors) == locked.ContentHash)
            return null;
        return PlanRules.InputChanged.At(input.Checkpoint.Path, $"the weights of {input.Reference} are not those that were locked.", "Get the model as it was, or accept the present one with smelt lock.");
    }

    private static string? Difference(PlannedInput input, ModelInventory locked)
    {
        if ((input.Commit ?? "") != locked.Commit)
            return $"the commit is {input.Commit}, and {locked.Commit} was locked.";
        var files = input.Checkpoint.Files;
        if (files.Count != locked.Files.Count)
            return $"there are {files.Count} weight files, and {locked.Files.Count} were locked.";
        foreach (var (file, was) in files.Zip(locked.Files))
        {
            if (file.Name != was.Name)
                return $"there is a file {file.Name}, and {was.Name} was locked.";
            if (file.Length != was.Bytes)
                return $"{file.Name} has {file.Length} bytes, and {was.Bytes} were locked.";
            if (HeaderHash(file.FullPath) != was.HeaderHash)
                return $"the header of {file.Name} (its tensors, types and shapes) is not the one that was locked.";
        }

        return null;
    }

    private static string HeaderHash(string path) => Text(Verification.HashOfHeader(path));

    private static string Text(UInt128 hash) => hash.ToString("x32", CultureInfo.InvariantCulture);
}
