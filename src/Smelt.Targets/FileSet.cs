using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Smelt.Targets;

/// <summary>Finds files by names and patterns, and hashes them.</summary>
/// <param name="root">The folder that relative names start from.</param>
/// <param name="known">Hashes of earlier runs; those of this run are added.</param>
/// <param name="trusting">Whether a file whose length and time are known is taken for the same.</param>
internal sealed class FileSet(string root, Dictionary<string, FileRecord> known, bool trusting)
{
    /// <summary>Younger files are hashed again next time: a file system's clock may not tell two changes apart.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private static readonly EnumerationOptions AllFiles = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };

    /// <summary>The names that stand for one file or folder, and are not there.</summary>
    public IEnumerable<string> Missing(IEnumerable<string> names) => names.Where(n => !HasWildcard(n) && !Path.Exists(Path.Combine(root, n)));

    /// <summary>The files of some names, with their hashes, in ordinal order of their paths (relative to the root, with slashes).</summary>
    public SortedDictionary<string, string> Hash(IEnumerable<string> names)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in names.SelectMany(Expand))
            files.TryAdd(Relative(file), "");
        foreach (var name in files.Keys.ToArray())
            files[name] = HashOf(name);
        return files;
    }

    /// <summary>The hash of a file, hexadecimal; empty where there is none.</summary>
    public string HashOf(string name)
    {
        var info = new FileInfo(Path.Combine(root, name));
        if (info.Exists && info.ResolveLinkTarget(returnFinalTarget: true) is FileInfo linked)
            info = linked;
        if (!info.Exists)
            return "";
        var (length, ticks) = (info.Length, info.LastWriteTimeUtc.Ticks);
        if (trusting && known.TryGetValue(name, out var record) && record.Length == length && record.Ticks == ticks)
            return record.Hash;
        using var stream = info.OpenRead();
        var hash = Convert.ToHexStringLower(SHA256.HashData(stream));
        known.Remove(name);
        if (DateTime.UtcNow - info.LastWriteTimeUtc > Settled)
            known[name] = new FileRecord(length, ticks, hash);
        return hash;
    }

    /// <summary>The hash of a text, hexadecimal.</summary>
    public static string HashOfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static bool HasWildcard(string name) => name.AsSpan().IndexOfAny('*', '?') >= 0;

    private IEnumerable<string> Expand(string name)
    {
        var path = Path.GetFullPath(Path.Combine(root, name)).Replace('\\', '/');
        if (!HasWildcard(path))
            return Directory.Exists(path) ? FilesIn(path) : [path];
        var folder = path[..path.LastIndexOf('/', path.AsSpan().IndexOfAny('*', '?'))];
        if (!Directory.Exists(folder.Length == 0 ? "/" : folder))
            return [];
        var pattern = Regex.Escape(path).Replace(@"\*\*/", "(?:.*/)?", StringComparison.Ordinal).Replace(@"\*\*", ".*", StringComparison.Ordinal)
            .Replace(@"\*", "[^/]*", StringComparison.Ordinal).Replace(@"\?", "[^/]", StringComparison.Ordinal);
        var matcher = new Regex($"^{pattern}$", RegexOptions.CultureInvariant);
        return FilesIn(folder.Length == 0 ? "/" : folder).Where(f => matcher.IsMatch(f.Replace('\\', '/')));
    }

    /// <summary>All files below a folder but those that change with every run: the state and version control.</summary>
    private IEnumerable<string> FilesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*", AllFiles).Where(f => Relative(f) is var name && !name.StartsWith(".smelt/state/", StringComparison.Ordinal) && !name.StartsWith(".git/", StringComparison.Ordinal));

    private string Relative(string file) => Path.GetRelativePath(root, file).Replace('\\', '/');
}
