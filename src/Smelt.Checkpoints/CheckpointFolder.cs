namespace Smelt.Checkpoints;

/// <summary>Opens models: a Hugging Face folder, single or sharded, or one flat safetensors file. Only headers are read.</summary>
public static class CheckpointFolder
{
    /// <summary>The single weight file of a folder.</summary>
    public const string SingleName = "model.safetensors";

    private static readonly (string Pattern, string What)[] OtherFormats =
    [
        ("adapter_model.safetensors", "It holds an adapter (LoRA): merge the adapter into its base first."),
        ("pytorch_model*.bin*", "It holds PyTorch pickles: convert them to safetensors first."),
        ("*.gguf", "It holds GGUF weights: use the original safetensors."),
        ("*.pt", "It holds PyTorch pickles: convert them to safetensors first."),
    ];

    /// <summary>Opens a model.</summary>
    /// <exception cref="InvalidInputException">It is no model that can be read; all problems of all its files.</exception>
    public static Checkpoint Open(string path) => Open(path, new SharedHeaders());

    /// <summary>Opens a model that may be laid out as others are.</summary>
    /// <param name="path">Its folder or file.</param>
    /// <param name="headers">The headers of the models that are opened together.</param>
    /// <exception cref="InvalidInputException">It is no model that can be read; all problems of all its files.</exception>
    public static Checkpoint Open(string path, SharedHeaders headers)
    {
        if (File.Exists(path))
            return OpenFiles(path, null, [(System.IO.Path.GetFileName(path), path)], headers, null, []);
        if (!Directory.Exists(path))
            throw new InvalidInputException(CheckpointRules.NotFound.Id, path, "there is no such folder or file.", "Check the path; a relative one starts at the folder of the recipe's project.");

        var single = System.IO.Path.Combine(path, SingleName);
        var indexPath = System.IO.Path.Combine(path, ShardLayout.IndexName);
        if (Exists(single))
        {
            var warnings = File.Exists(indexPath)
                ? new[] { CheckpointRules.TwoForms.At(path, $"{SingleName} lies beside {ShardLayout.IndexName}; the single file is used.", "Remove the one that is not meant.") }
                : [];
            return OpenFiles(path, path, [(SingleName, single)], headers, null, warnings);
        }

        if (!Exists(indexPath))
            throw NoWeights(path);
        var index = ShardIndex.Read(indexPath);
        return OpenFiles(path, path, [.. index.Files.Select(f => (f, System.IO.Path.Combine(path, f)))], headers, index, []);
    }

    /// <summary>Whether a file is there, also one behind a broken link, which deserves an error of its own.</summary>
    private static bool Exists(string path) => File.Exists(path) || new FileInfo(path).LinkTarget is not null;

    private static Checkpoint OpenFiles(string path, string? folder, (string Name, string Path)[] files, SharedHeaders headers, ShardIndex? index, IReadOnlyList<Problem> warnings)
    {
        var opened = new OpenedFile[files.Length];
        var problems = new List<Problem>();
        Concurrently.For(files.Length, i =>
        {
            try
            {
                opened[i] = new OpenedFile(CheckpointFile.Of(files[i].Name, files[i].Path), SafetensorsHeader.Read(files[i].Path, headers));
            }
            catch (InvalidInputException invalid)
            {
                lock (problems)
                    problems.AddRange(invalid.Problems);
            }
        });

        if (problems.Count == 0 && index is not null)
            problems.AddRange(index.Check(path, opened));
        if (problems.Any(p => p.Severity == Severity.Error))
            throw new InvalidInputException([.. problems.OrderBy(p => p.Where, StringComparer.Ordinal)]);
        var count = 0;
        foreach (var (_, header) in opened)
            count += header.Tensors.Count;
        var tensors = new List<CheckpointTensor>(count);
        foreach (var (file, header) in opened)
        {
            foreach (var tensor in header.Tensors)
                tensors.Add(new CheckpointTensor(file, tensor));
        }

        return new Checkpoint(path, folder, [.. opened.Select(o => o.File)], tensors, [.. warnings, .. problems]);
    }

    private static InvalidInputException NoWeights(string path)
    {
        foreach (var (pattern, what) in OtherFormats)
        {
            if (Directory.EnumerateFiles(path, pattern).Any())
                return new InvalidInputException(CheckpointRules.NoWeights.Id, path, $"the folder has neither {SingleName} nor {ShardLayout.IndexName}.", what);
        }

        var shards = Directory.EnumerateFiles(path, "*.safetensors").Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal).ToArray();
        return new InvalidInputException(
            CheckpointRules.NoWeights.Id,
            path,
            $"the folder has neither {SingleName} nor {ShardLayout.IndexName}.",
            shards.Length > 0 ? $"It has {string.Join(", ", shards.Take(3))}: name that file itself, or download the index." : "Name the folder that holds the weights.");
    }
}
