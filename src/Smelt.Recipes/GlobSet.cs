namespace Smelt.Recipes;

/// <summary>
/// Patterns in the order of their rules. Those without wildcards are looked up by name, so that thousands of rules for
/// single tensors cost no more than one.
/// </summary>
public sealed class GlobSet
{
    private readonly Dictionary<string, int[]> _literals;
    private readonly List<int> _wildcards = [];
    private readonly Glob?[] _globs;
    private readonly bool[] _used;

    /// <param name="globs">The patterns; null matches nothing.</param>
    public GlobSet(IEnumerable<Glob?> globs)
    {
        _globs = globs.ToArray();
        _used = new bool[_globs.Length];
        _literals = new Dictionary<string, int[]>(_globs.Length, StringComparer.Ordinal);
        for (var i = 0; i < _globs.Length; i++)
        {
            if (_globs[i] is not { } glob)
                continue;
            if (!glob.IsLiteral)
                _wildcards.Add(i);
            else if (_literals.TryGetValue(glob.Pattern, out var same))
                _literals[glob.Pattern] = [.. same, i];
            else
                _literals.Add(glob.Pattern, [i]);
        }
    }

    /// <summary>The positions of the patterns that cover a name, in rising order; not to be written to.</summary>
    public int[] Matching(string name)
    {
        var matching = _literals.TryGetValue(name, out var literals) ? literals : [];
        if (_wildcards.Count > 0)
            matching = WithWildcards(matching, name);
        foreach (var index in matching)
            _used[index] = true;
        return matching;
    }

    private int[] WithWildcards(int[] literals, string name)
    {
        var matching = new List<int>(literals);
        foreach (var index in _wildcards)
        {
            if (_globs[index]!.IsMatch(name))
                matching.Add(index);
        }

        if (matching.Count == literals.Length)
            return literals;
        matching.Sort();
        return matching.ToArray();
    }

    /// <summary>The patterns that covered none of the names asked for, with their positions.</summary>
    public IEnumerable<(int Index, string Pattern)> Unused()
    {
        for (var i = 0; i < _globs.Length; i++)
        {
            if (_globs[i] is { } glob && !_used[i])
                yield return (i, glob.Pattern);
        }
    }
}
