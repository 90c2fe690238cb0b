using System.Globalization;
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

        // The points of a sweep have the same inputs.
        if (inputs && manifests.OfType<ManifestText>().FirstOrDefault() is { } first)
            verification.VerifyInputs(folders[0], first, root);
        return new VerificationResult(verification._tensors, progress.Moved, verification._problems);
    }

    private ManifestText? Read(string folder)
    {
        var path = Path.Combine(folder, Manifest.FileName);
        if (!File.Exists(path))
            throw new InvalidInputException(PlanRules.NoManifest.Id, folder, $"there is no {Manifest.FileName} in it, so it was not made by Smelt or is not whole.", "Name the folder of an output.");
        try
        {
            return ManifestText.Parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            _problems.Add(PlanRules.NoManifest.At(path, $"the manifest is damaged: {e.Message}", "Restore it, or merge again."));
            return null;
        }
    }

    private void VerifyOutput(string folder, ManifestText manifest)
    {
        if (CanonicalJson.Sha256(manifest.Configuration) != manifest.ConfigurationHash)
            _problems.Add(PlanRules.OutputDiffers.At(Path.Combine(folder, Manifest.FileName), "the configuration in it does not have the hash beside it."));
        foreach (var (name, hash) in manifest.Files)
            VerifyFile(folder, name, hash);
        if (Open(folder) is { } checkpoint)
            VerifyTensors(checkpoint, manifest.Tensors, PlanRules.OutputDiffers);
    }

    private void VerifyFile(string folder, string name, UInt128 expected)
    {
        const string headerMark = ":header";
        var isHeader = name.EndsWith(headerMark, StringComparison.Ordinal);
        var path = Path.Combine(folder, isHeader ? name[..^headerMark.Length] : name);
        if (!File.Exists(path))
        {
            _problems.Add(PlanRules.OutputDiffers.At(path, "the file is missing."));
            return;
        }

        var hash = isHeader ? HashOfHeader(path) : XxHash128.HashToUInt128(File.ReadAllBytes(path));
        if (hash != expected)
            _problems.Add(PlanRules.OutputDiffers.At(path, isHeader ? "the header is not the one that was written." : "the content is not what was written."));
    }

    private static UInt128 HashOfHeader(string path)
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

    private Checkpoint? Open(string folder)
    {
        try
        {
            return CheckpointFolder.Open(folder);
        }
        catch (InvalidInputException invalid)
        {
            _problems.AddRange(invalid.Problems);
            return null;
        }
    }

    private void VerifyInputs(string folder, ManifestText manifest, string root)
    {
        var read = ConfigurationReader.Read(manifest.Configuration, Path.Combine(folder, Manifest.FileName));
        _problems.AddRange(read.Problems.Where(p => p.Severity == Severity.Error));
        if (read.Recipe is null || read.HasErrors)
            return;
        IReadOnlyList<PlannedInput> inputs;
        try
        {
            inputs = [.. Planner.Plan(read.Name, read.Recipe, read.CanonicalJson, Path.GetFullPath(root)).Inputs];
        }
        catch (InvalidInputException invalid)
        {
            _problems.AddRange(invalid.Problems);
            return;
        }

        for (var i = 0; i < inputs.Count; i++)
            VerifyTensors(inputs[i].Checkpoint, i < manifest.Inputs.Count ? manifest.Inputs[i] : new Dictionary<string, UInt128>(), PlanRules.InputDiffers, allowOthers: true);
    }

    /// <summary>Compares tensors; in an output there are no others than those of the manifest.</summary>
    private void VerifyTensors(Checkpoint checkpoint, IReadOnlyDictionary<string, UInt128> expected, Recipes.Rules.Rule rule, bool allowOthers = false)
    {
        foreach (var missing in expected.Keys.Where(name => !checkpoint.TryGet(name, out _)))
            _problems.Add(rule.At($"{checkpoint.Path}, tensor {missing}", "the tensor is missing."));
        if (!allowOthers)
        {
            foreach (var extra in checkpoint.Tensors.Where(t => !expected.ContainsKey(t.Name)))
                _problems.Add(rule.At($"{checkpoint.Path}, tensor {extra.Name}", "the manifest has no such tensor."));
        }

        var tensors = checkpoint.Tensors.Where(t => expected.ContainsKey(t.Name)).ToArray();
        var blocks = tensors.Select(t => new UInt128[BlockMap.CountOf(t.ElementCount)]).ToArray();
        var items = tensors.SelectMany((t, i) => Enumerable.Range(0, blocks[i].Length).Select(b => (Tensor: i, Block: b))).ToArray();
        using var reader = new CheckpointReader();
        var buffers = Enumerable.Range(0, _pool.Count).Select(_ => new byte[BlockMap.Elements * sizeof(double) * 2]).ToArray();
        _progress.Phase = "hashing";
        _pool.Run(0, items.Length, (worker, i) =>
        {
            var (t, block) = items[i];
            var start = (long)block * BlockMap.Elements;
            var (first, end) = tensors[t].Type.ByteRange(start, (int)Math.Min(BlockMap.Elements, tensors[t].ElementCount - start));
            var bytes = buffers[worker].AsSpan(0, (int)(end - first));
            reader.Read(tensors[t], first, bytes);
            blocks[t][block] = XxHash128.HashToUInt128(bytes);
            _progress.Add(bytes.Length);
        });
        for (var t = 0; t < tensors.Length; t++)
        {
            if (TensorHashes.Combine(blocks[t]) != expected[tensors[t].Name])
                _problems.Add(rule.At($"{tensors[t].File.FullPath}, tensor {tensors[t].Name}", "the bytes are not those that the manifest was made of."));
        }

        _tensors += tensors.Length;
    }

    /// <summary>What a manifest says.</summary>
    private sealed record ManifestText(
        string Configuration,
        string ConfigurationHash,
        IReadOnlyDictionary<string, UInt128> Tensors,
        IReadOnlyDictionary<string, UInt128> Files,
        IReadOnlyList<IReadOnlyDictionary<string, UInt128>> Inputs)
    {
        public static ManifestText Parse(string text)
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            return new ManifestText(
                CanonicalJson.Write(Value(root.GetProperty("configuration"))),
                root.GetProperty("configurationSha256").GetString()!,
                Hashes(root.GetProperty("tensors")),
                Hashes(root.GetProperty("files")),
                [.. root.GetProperty("inputs").EnumerateArray().Select(i => Hashes(i.GetProperty("tensors")))]);
        }

        private static object Value(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().ToDictionary(p => p.Name, p => Value(p.Value)),
            JsonValueKind.Array => element.EnumerateArray().Select(Value).ToArray(),
            JsonValueKind.String => element.GetString()!,
            JsonValueKind.Number => element.TryGetInt64(out var integer) ? integer : element.GetDouble(),
            JsonValueKind.True or JsonValueKind.False => element.GetBoolean(),
            var kind => throw new FormatException($"a configuration has no {kind}."),
        };

        private static Dictionary<string, UInt128> Hashes(JsonElement element) =>
            element.EnumerateObject().ToDictionary(p => p.Name, p => UInt128.Parse(p.Value.GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture), StringComparer.Ordinal);
    }
}
