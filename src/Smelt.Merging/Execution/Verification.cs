using System.IO.Hashing;
using System.Text.Json;
using Smelt.Checkpoints;
using Smelt.Merging.Planning;
using Smelt.Recipes.Configuration;

namespace Smelt.Merging.Execution;

/// <summary>What a verification found.</summary>
/// <param name="Tensors">Tensors whose hashes were taken.</param>
/// <param name="Bytes">Bytes read.</param>
/// <param name="Problems">Every difference; empty where all is as the manifest says.</param>
public sealed record VerificationResult(int Tensors, long Bytes, IReadOnlyList<Problem> Problems);

/// <summary>
/// Compares an output, and if asked the models it was made of, with the hashes in its manifest. Every byte of every weight
/// file is covered: tensors by their own hashes, headers and the files beside the weights by theirs.
/// </summary>
public sealed class Verification
{
    private const string HeaderMark = ":header";
    private const string MergeAgain = "Merge it again with --force.";

    private readonly ProgressCounter _progress;
    private readonly WorkerPool _pool;
    private readonly List<Problem> _problems = [];
    private int _tensors;

    private Verification(ProgressCounter progress, WorkerPool pool) => (_progress, _pool) = (progress, pool);

    /// <summary>Verifies an output folder; one with an output for each sweep point in it is verified point by point.</summary>
    /// <param name="output">The folder.</param>
    /// <param name="inputs">Whether the inputs are verified too.</param>
    /// <param name="root">The folder that relative paths of inputs start from.</param>
    /// <param name="threads">Worker threads.</param>
    /// <param name="progress">Counts bytes read.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidInputException">There is no manifest to go by.</exception>
    public static VerificationResult Run(string output, bool inputs, string root, int threads, ProgressCounter progress, CancellationToken cancellation)
    {
        var folders = File.Exists(Path.Combine(output, Manifest.FileName)) || !Directory.Exists(output)
            ? [output]
            : Directory.GetDirectories(output).Where(d => File.Exists(Path.Combine(d, Manifest.FileName))).Order(StringComparer.Ordinal).ToArray();
        var points = folders is not [var single] || single != output;
        if (folders.Length == 0)
            folders = [output];
        using var pool = new WorkerPool(Math.Max(1, threads), cancellation);
        var verification = new Verification(progress, pool);
        var manifests = Array.ConvertAll(folders, verification.Read);
        progress.Start(folders.Sum(f => Directory.EnumerateFiles(f, "*.safetensors").Sum(file => new FileInfo(file).Length)));
        for (var i = 0; i < folders.Length; i++)
        {
            if (manifests[i] is { } manifest)
                verification.VerifyOutput(folders[i], manifest);
        }

        if (manifests.OfType<ManifestText>().FirstOrDefault() is { } first && verification.ReadRecipe(folders[0], first) is { } recipe)
        {
            if (points)
                verification.VerifyPoints(output, recipe);

            // The points of a sweep have the same inputs.
            if (inputs)
                verification.VerifyInputs(first.Sources, recipe, Path.GetFullPath(root));
        }

        return new VerificationResult(verification._tensors, progress.Moved, verification._problems);
    }

    /// <summary>Reads the manifest of an output.</summary>
    /// <exception cref="InvalidInputException">There is none, or it is damaged.</exception>
    internal static ManifestText ReadManifest(string folder) =>
        TryReadManifest(folder, out var problem) ?? throw new InvalidInputException([problem!]);

    /// <summary>The files of an output by its manifest, which is one of them, relative with '/'; null where that can't be read.</summary>
    internal static HashSet<string>? FilesOf(string folder)
    {
        const string header = HeaderMark;
        return TryReadManifest(folder, out _) is { } manifest
            ? [Manifest.FileName, .. manifest.Files.Keys.Select(f => f.EndsWith(header, StringComparison.Ordinal) ? f[..^header.Length] : f), .. manifest.Masks.Keys]
            : null;
    }

    private ManifestText? Read(string folder)
    {
        var manifest = TryReadManifest(folder, out var problem);
        if (problem is not null)
            _problems.Add(problem);
        return manifest;
    }

    private static ManifestText? TryReadManifest(string folder, out Problem? problem)
    {
        problem = null;
        var path = Path.Combine(folder, Manifest.FileName);
        if (!File.Exists(path))
            throw new InvalidInputException(PlanRules.NoManifest.Id, folder, $"there is no {Manifest.FileName} in it, so it was not made by Smelt or is not whole.", "Name the folder of an output.");
        try
        {
            return ManifestText.Parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or ArgumentException)
        {
            problem = PlanRules.NoManifest.At(path, $"the manifest is damaged: {e.Message}", "Restore it, or merge again.");
            return null;
        }
    }

    private void VerifyOutput(string folder, ManifestText manifest)
    {
        if (CanonicalJson.Sha256(manifest.Configuration) != manifest.ConfigurationHash)
            _problems.Add(PlanRules.OutputDiffers.At(Path.Combine(folder, Manifest.FileName), "the configuration in it does not have the hash beside it."));
        foreach (var (name, hash) in manifest.Files)
            VerifyFile(folder, name, hash);

        var damaged = false;
        var tensors = new List<CheckpointTensor>();
        foreach (var path in Directory.EnumerateFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(path);
            if (!manifest.Files.ContainsKey(name + HeaderMark))
                _problems.Add(PlanRules.OutputDiffers.At(path, "the manifest has no such file.", "Move it out of the output's folder."));
            else if (OpenFile(name, path) is { } opened)
                tensors.AddRange(opened);
            else
                damaged = true;
        }

        VerifyTensors(folder, tensors, manifest.Tensors, PlanRules.OutputDiffers, whole: !damaged);
        VerifyMasks(folder, manifest);
    }

    private void VerifyMasks(string folder, ManifestText manifest)
    {
        foreach (var (name, hashes) in manifest.Masks.Where(m => RelativePath.IsInside(m.Key)))
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path) && OpenFile(name, path) is { } masks)
                VerifyTensors(path, masks, hashes, PlanRules.OutputDiffers, whole: true, BlockMap.Elements / 8);
        }

        var masksFolder = Path.Combine(folder, MaskOutputs.Folder);
        if (!Directory.Exists(masksFolder))
            return;
        foreach (var path in Directory.EnumerateFiles(masksFolder).Order(StringComparer.Ordinal))
        {
            if (!manifest.Masks.ContainsKey($"{MaskOutputs.Folder}/{Path.GetFileName(path)}"))
                _problems.Add(PlanRules.OutputDiffers.At(path, "the manifest has no such file.", "Move it out of the output's folder."));
        }
    }

    private void VerifyFile(string folder, string name, UInt128 expected)
    {
        var isHeader = name.EndsWith(HeaderMark, StringComparison.Ordinal);
        var file = isHeader ? name[..^HeaderMark.Length] : name;
        var path = Path.Combine(folder, file);
        if (!RelativePath.IsInside(file))
            _problems.Add(PlanRules.NoManifest.At(Path.Combine(folder, Manifest.FileName), $"the manifest names the file '{file}', which is not a plain path inside the folder.", "Restore it, or merge again."));
        else if (!File.Exists(path))
            _problems.Add(PlanRules.OutputDiffers.At(path, "the file is missing.", MergeAgain));
        else
            CompareFile(path, isHeader, expected);
    }

    private void CompareFile(string path, bool isHeader, UInt128 expected)
    {
        try
        {
            if ((isHeader ? HashOfHeader(path) : XxHash128.HashToUInt128(File.ReadAllBytes(path))) != expected)
                _problems.Add(PlanRules.OutputDiffers.At(path, isHeader ? "the header is not the one that was written." : "the content is not what was written.", MergeAgain));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add(CheckpointRules.Unreadable.At(path, $"the file can't be read: {e.Message}"));
        }
    }

    /// <summary>The XxHash128 of a weight file's header; 0 where it has none.</summary>
    internal static UInt128 HashOfHeader(string path)
    {
        using var file = File.OpenHandle(path);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        if (RandomAccess.Read(file, length, 0) != length.Length)
            return 0;
        var bytes = BitConverter.ToUInt64(length);
        if (bytes > (ulong)Math.Min(RandomAccess.GetLength(file) - length.Length, SafetensorsHeader.MaxLength))
            return 0;
        var header = new byte[(int)bytes + length.Length];
        var read = RandomAccess.Read(file, header, 0);
        return XxHash128.HashToUInt128(header.AsSpan(0, read));
    }

    /// <summary>The tensors of a weight file by its own header; null where that is damaged, so that the other files are still verified.</summary>
    private CheckpointTensor[]? OpenFile(string name, string path)
    {
        try
        {
            var file = CheckpointFile.Of(name, path);
            return [.. SafetensorsHeader.Read(path).Tensors.Select(t => new CheckpointTensor(file, t))];
        }
        catch (InvalidInputException invalid)
        {
            _problems.AddRange(invalid.Problems);
            return null;
        }
    }

    private Recipes.Recipe? ReadRecipe(string folder, ManifestText manifest)
    {
        var read = ConfigurationReader.ReadAny(manifest.Configuration, Path.Combine(folder, Manifest.FileName));
        _problems.AddRange(read.Problems.Where(p => p.Severity == Severity.Error));
        return read.HasErrors ? null : read.Recipe;
    }

    /// <summary>Reports points of a sweep whose folder or manifest is gone.</summary>
    private void VerifyPoints(string output, Recipes.Recipe recipe)
    {
        foreach (var point in Recipes.SweepExpansion.Expand(recipe))
        {
            if (!File.Exists(Path.Combine(output, point.Label, Manifest.FileName)))
                _problems.Add(PlanRules.OutputDiffers.At(Path.Combine(output, point.Label), $"this point of the sweep is missing, or has no {Manifest.FileName}.", MergeAgain));
        }
    }

    /// <summary>Verifies what a recipe was merged of; of a stage, whose output was not kept, what that was merged of.</summary>
    private void VerifyInputs(ManifestSources sources, Recipes.Recipe recipe, string root)
    {
        var models = Planner.Models(recipe);
        for (var i = 0; i < models.Count; i++)
        {
            var input = sources.Inputs.ElementAtOrDefault(i);
            if (models[i] is Recipes.StageModel stage && input?.Sources is { } own)
                VerifyInputs(own, stage.Recipe, root);
            else if (models[i] is Recipes.StageModel || input is null)
                Unknown(models[i].ToString()!);
            else
                VerifyInput(() => Planner.Open(models[i], root).Checkpoint, input.Tensors);
        }

        foreach (var file in GivenFiles.Of(recipe))
        {
            if (sources.Given.TryGetValue(file, out var tensors))
                VerifyInput(() => CheckpointFolder.Open(Path.GetFullPath(file, root)), tensors);
            else
                Unknown(file);
        }
    }

    private void Unknown(string input) => _problems.Add(PlanRules.NoManifest.At(input, $"{Manifest.FileName} has no hashes of this input.", "Restore it, or merge again."));

    private void VerifyInput(Func<Checkpoint> open, IReadOnlyDictionary<string, UInt128> expected)
    {
        try
        {
            var checkpoint = open();
            if (expected.Keys.Any(ModelFamilies.IsFusedExperts))
                checkpoint = ExpertLayouts.Fused(checkpoint) ?? checkpoint;
            VerifyTensors(checkpoint.Path, [.. checkpoint.Tensors.Where(t => expected.ContainsKey(t.Name))], expected, PlanRules.InputDiffers, whole: true);
        }
        catch (InvalidInputException invalid)
        {
            _problems.AddRange(invalid.Problems);
        }
    }

    /// <summary>Compares tensors with the hashes expected, and their names where all of them could be read.</summary>
    private void VerifyTensors(
        string path, IReadOnlyList<CheckpointTensor> found, IReadOnlyDictionary<string, UInt128> expected, Recipes.Rules.Rule rule, bool whole, int blockElements = BlockMap.Elements)
    {
        var fix = rule == PlanRules.OutputDiffers ? MergeAgain : "Get the model as it was, or merge the present one.";
        var names = found.Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        var missing = expected.Keys.Where(name => !names.Contains(name)).ToArray();
        if (whole)
            _problems.AddRange(missing.Select(name => rule.At($"{path}, tensor {name}", "the tensor is missing.", fix)));
        else if (missing.Length > 0)
            _problems.Add(rule.At(path, $"{missing.Length} tensors are not verified, since the header of their file can't be read.", fix));
        _problems.AddRange(found.Where(t => !expected.ContainsKey(t.Name)).Select(t => rule.At($"{path}, tensor {t.Name}", "the manifest has no such tensor.", fix)));

        var tensors = found.Where(t => expected.ContainsKey(t.Name)).ToArray();
        var (hashes, failures) = Hash(tensors, _pool, _progress, blockElements);
        for (var t = 0; t < tensors.Length; t++)
        {
            var place = $"{tensors[t].File.FullPath}, tensor {tensors[t].Name}";
            if (failures[t] is { } failure)
                _problems.Add(CheckpointRules.Unreadable.At(place, failure.Message));
            else if (hashes[t] != expected[tensors[t].Name])
                _problems.Add(rule.At(place, "the bytes are not those that the manifest was made of.", fix));
        }

        _tensors += tensors.Length;
    }

    /// <summary>The hashes of tensors as manifests have them, and for each what kept it from being read.</summary>
    private static (UInt128[] Hashes, CheckpointReadException?[] Failures) Hash(
        CheckpointTensor[] tensors, WorkerPool pool, ProgressCounter progress, int blockElements = BlockMap.Elements)
    {
        var blocks = tensors.Select(t => new UInt128[(t.ElementCount + blockElements - 1) / blockElements]).ToArray();
        var items = tensors.SelectMany((t, i) => Enumerable.Range(0, blocks[i].Length).Select(b => (Tensor: i, Block: b))).ToArray();
        var failures = new CheckpointReadException?[tensors.Length];
        using var reader = new CheckpointReader();
        var cursors = Enumerable.Range(0, pool.Count).Select(_ => new CheckpointReader.Cursor(reader)).ToArray();
        var buffers = Enumerable.Range(0, pool.Count).Select(_ => new byte[BlockMap.Elements * sizeof(double) * 2]).ToArray();
        progress.Phase = "hashing";
        pool.Run(0, items.Length, (worker, i) =>
        {
            var (t, block) = items[i];
            var start = (long)block * blockElements;
            var (first, end) = tensors[t].Type.ByteRange(start, (int)Math.Min(blockElements, tensors[t].ElementCount - start));
            var bytes = buffers[worker].AsSpan(0, (int)(end - first));
            try
            {
                cursors[worker].Read(tensors[t], first, bytes);
            }
            catch (CheckpointReadException failure)
            {
                failures[t] = failure;
                return;
            }

            blocks[t][block] = XxHash128.HashToUInt128(bytes);
            progress.Add(bytes.Length);
        });
        return (Array.ConvertAll(blocks, TensorHashes.Combine), failures);
    }

    /// <summary>The hashes of tensors as manifests have them.</summary>
    /// <exception cref="CheckpointReadException">A tensor can't be read.</exception>
    internal static UInt128[] HashEach(CheckpointTensor[] tensors, WorkerPool pool, ProgressCounter progress)
    {
        var (hashes, failures) = Hash(tensors, pool, progress);
        return failures.FirstOrDefault(f => f is not null) is { } failure ? throw failure : hashes;
    }

    /// <summary>The hashes of all tensors of a model, read in full.</summary>
    /// <exception cref="InvalidInputException">A tensor can't be read.</exception>
    public static IReadOnlyList<(string Name, UInt128 Hash)> HashAll(Checkpoint checkpoint, int threads, ProgressCounter progress, CancellationToken cancellation)
    {
        using var pool = new WorkerPool(Math.Max(1, threads), cancellation);
        CheckpointTensor[] tensors = [.. checkpoint.Tensors];
        var (hashes, failures) = Hash(tensors, pool, progress);
        var problems = failures.Zip(tensors).Where(f => f.First is not null)
            .Select(f => CheckpointRules.Unreadable.At($"{f.Second.File.FullPath}, tensor {f.Second.Name}", f.First!.Message)).ToArray();
        return problems.Length > 0 ? throw new InvalidInputException(problems) : [.. tensors.Select((t, i) => (t.Name, hashes[i]))];
    }
}
