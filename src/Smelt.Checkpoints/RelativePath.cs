namespace Smelt.Checkpoints;

/// <summary>Paths that come out of files: a shard index, a manifest.</summary>
public static class RelativePath
{
    /// <summary>Whether a path stays in its folder on every system, whatever the folder is.</summary>
    public static bool IsInside(string path) =>
        path.Length > 0 && !path.Contains('\\') && !path.Contains('\0') && !path.Contains(':') && !path.StartsWith('/')
        && path.Split('/').All(part => part.Length > 0 && part is not ("." or ".."));
}
