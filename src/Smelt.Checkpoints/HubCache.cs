namespace Smelt.Checkpoints;

/// <summary>Models in the local cache of the Hugging Face hub.</summary>
public static class HubCache
{
    /// <summary>The folder of a model's snapshot and its commit.</summary>
    /// <param name="id"><c>organisation/name</c>.</param>
    /// <param name="revision">A branch, a tag or a full commit hash.</param>
    /// <exception cref="InvalidInputException">The snapshot is not in the cache.</exception>
    public static (string Folder, string Commit) Resolve(string id, string revision)
    {
        var root = Path.Combine(Root(), "models--" + id.Replace("/", "--", StringComparison.Ordinal));
        var reference = Path.Combine(root, "refs", revision);
        var commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : revision;
        var folder = Path.Combine(root, "snapshots", commit);
        if (IsName(commit) && Directory.Exists(folder))
            return (folder, commit);

        var fetch = $"Fetch it: hf download {id}{(revision == "main" ? "" : " --revision " + revision)}";
        if (!Directory.Exists(root))
            throw new InvalidInputException(CheckpointRules.NotCached.Id, $"{id}@{revision}", $"the model is not in the local cache {Root()}.", fetch);
        var refs = Path.Combine(root, "refs");
        var known = Directory.Exists(refs) ? Directory.EnumerateFiles(refs, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(refs, f).Replace('\\', '/')) : [];
        throw new InvalidInputException(CheckpointRules.NotCached.Id, $"{id}@{revision}", $"the cache {Root()} has no such revision; it has: {string.Join(", ", known.Order(StringComparer.Ordinal).DefaultIfEmpty("none"))}.", fetch);
    }

    /// <summary>The cache: HF_HUB_CACHE, HF_HOME/hub, or ~/.cache/huggingface/hub.</summary>
    private static string Root() =>
        Variable("HF_HUB_CACHE")
        ?? (Variable("HF_HOME") is { } home ? Path.Combine(home, "hub") : null)
        ?? Path.Combine(Variable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "huggingface", "hub");

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static bool IsName(string commit) => commit.Length > 0 && commit.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && commit is not ("." or "..");
}
