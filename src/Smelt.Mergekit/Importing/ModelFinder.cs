using System.Text.Json;
using System.Text.RegularExpressions;
using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>Finds models as mergekit does: a path that is there is a local one, anything else a model of the hub.</summary>
public sealed partial class ModelFinder
{
    private static readonly string[] ExpertCounts = ["num_local_experts", "num_experts", "n_routed_experts"];

    private readonly IReadOnlyList<string> _folders;

    /// <param name="folders">Where relative paths start, in the order in which they are tried; the current folder comes first in mergekit.</param>
    /// <param name="root">Where relative paths of the recipe start.</param>
    public ModelFinder(IEnumerable<string> folders, string root)
    {
        _folders = [.. folders.Select(Path.GetFullPath).Distinct()];
        Root = Path.GetFullPath(root);
    }

    /// <summary>Where relative paths of the recipe start.</summary>
    public string Root { get; }

    /// <summary>The full path of a local model; null where there is none.</summary>
    public string? Find(string path) => _folders.Select(f => Path.GetFullPath(path, f)).FirstOrDefault(Path.Exists);

    /// <summary>The model that a path names.</summary>
    public Model Model(ModelPath path)
    {
        if (Find(path.Path) is { } found)
            return Syntax.Folder(Path.IsPathRooted(path.Path) || Path.GetFullPath(path.Path, Root) == found ? path.Path : Relative(found));
        return LooksLikeHub(path.Path) ? Syntax.Hub(path.Path, path.Revision ?? "main") : Syntax.Folder(path.Path);
    }

    /// <summary>Whether a path is a single file of weights rather than a model's folder, as mergekit-pytorch reads.</summary>
    public bool IsFile(ModelPath path) => Find(path.Path) is { } found
        ? File.Exists(found)
        : Path.GetExtension(path.Path).ToLowerInvariant() is ".safetensors" or ".bin" or ".pt" or ".pth" or ".ckpt";

    /// <summary>
    /// Whether a local model is a mixture of experts, whose weights mergekit always writes fused: its config.json states a number
    /// of experts.
    /// </summary>
    public bool IsMixture(ModelPath path)
    {
        var config = Find(path.Path) is { } found ? Path.Combine(found, "config.json") : null;
        if (!File.Exists(config))
            return false;
        try
        {
            // Pipes and devices, of which a link may lead to one, have a length of 0; opening them would hang.
            if (new FileInfo(File.ResolveLinkTarget(config, returnFinalTarget: true)?.FullName ?? config).Length == 0)
                return false;
            using var json = JsonDocument.Parse(File.ReadAllBytes(config));
            return json.RootElement.ValueKind == JsonValueKind.Object && ExpertCounts.Any(key => json.RootElement.TryGetProperty(key, out _));
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            // What can't be read is reported where it is needed.
            return false;
        }
    }

    /// <summary>Where a model was looked for, for messages.</summary>
    public string Searched => string.Join(" and ", _folders);

    /// <summary>Whether a path may be a hub id: one or two parts, the first of them no folder here.</summary>
    private bool LooksLikeHub(string path) =>
        HubId().IsMatch(path) && (path.Split('/') is not [var first, _] || _folders.All(f => !Directory.Exists(Path.Combine(f, first))));

    /// <summary>A path as seen from the root; an absolute one where the two have nothing in common.</summary>
    private string Relative(string found)
    {
        var relative = Path.GetRelativePath(Root, found).Replace('\\', '/');
        var up = relative.Split('/').TakeWhile(p => p == "..").Count();
        return up > 0 && up == Root.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Length ? found : relative;
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$")]
    private static partial Regex HubId();
}
