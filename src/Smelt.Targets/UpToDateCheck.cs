using System.Text;

namespace Smelt.Targets;

/// <summary>Tells whether what a target would do was done: by the content of what it consumes and produces.</summary>
/// <param name="build">The build.</param>
/// <param name="state">What is known of earlier runs.</param>
/// <param name="parameters">The values that matter, as texts.</param>
/// <param name="force">Whether every target runs.</param>
internal sealed class UpToDateCheck(SmeltBuild build, BuildState state, IReadOnlyList<string> parameters, bool force)
{
    private readonly FileSet _files = new(build.RootDirectory, state.Files, trusting: !force);

    /// <summary>Whether a target says what it consumes, without which nothing can be known.</summary>
    public static bool Knows(TargetNode target) => target.Definition.Inputs.Count > 0 || target.Sources.Count > 0;

    /// <summary>Whether there is a record that the target once succeeded.</summary>
    public bool HasRecord(TargetNode target) => !force && state.Targets.ContainsKey(target.Name);

    /// <summary>Whether the target did its work on the same content, and what it made is still there.</summary>
    /// <param name="target">The target.</param>
    /// <param name="key">The hash of all that its work depends on; null where that is not known.</param>
    public bool IsUpToDate(TargetNode target, out string? key)
    {
        key = Knows(target) ? KeyOf(target) : null;
        return key is not null && !force
            && state.Targets.TryGetValue(target.Name, out var record) && record.Key == key
            && record.Products.All(p => _files.HashOf(p.Key) == p.Value);
    }

    /// <summary>Writes down that a target succeeded.</summary>
    /// <exception cref="FileNotFoundException">What it says to produce is not there.</exception>
    public void Keep(TargetNode target, string? key)
    {
        var products = Names(target.Definition.Products);
        if (_files.Missing(products).FirstOrDefault() is { } missing)
            throw new FileNotFoundException($"it says that it produces {missing}, and has not.");
        if (key is not null)
            state.Targets[target.Name] = new TargetRecord(key, _files.Hash(products));
    }

    private string KeyOf(TargetNode target)
    {
        var text = new StringBuilder();
        foreach (var line in (string[])[target.Name, build.Partition.ToString(), .. parameters, .. Names(target.Definition.Products)])
            text.Append(line).Append('\n');
        foreach (var (file, hash) in _files.Hash([.. Names(target.Definition.Inputs), .. target.Sources.SelectMany(s => Names(s.Definition.Products))]))
            text.Append(hash).Append(' ').Append(file).Append('\n');
        return FileSet.HashOfText(text.ToString());
    }

    private static string[] Names(IEnumerable<Func<IEnumerable<string>>> files) => [.. files.SelectMany(f => f())];
}
