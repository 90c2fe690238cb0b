namespace Smelt.Recipes;

/// <summary>
/// A pattern over tensor names, whose segments are separated by dots. <c>**</c> stands for any number of whole segments,
/// none included; <c>*</c> for any characters of one segment, <c>?</c> for one of them, <c>{a,b}</c> for either.
/// A pattern always covers the whole name: <c>**.mlp.**</c> matches <c>model.layers.3.mlp.up_proj.weight</c>.
/// </summary>
public sealed class Glob
{
    private static readonly Rules.Memo<(string Outer, string Inner), bool> Relations = new(10_000);

    private string[]?[]? _segments;

    /// <summary>What a name that matches begins and ends with.</summary>
    private readonly string _prefix;
    private readonly string _suffix;

    private static readonly char[] Wildcards = ['*', '?', '{', '}'];

    private Glob(string pattern)
    {
        Pattern = pattern;
        var first = pattern.IndexOfAny(Wildcards);
        IsLiteral = first < 0;
        // A ** that stands for nothing takes the dot beside it along.
        _prefix = IsLiteral ? pattern : pattern.Substring(0, first).TrimEnd('.');
        _suffix = IsLiteral ? "" : pattern.Substring(pattern.LastIndexOfAny(Wildcards) + 1).TrimStart('.');
    }

    /// <summary>For each segment the plain wildcard texts it stands for; null for <c>**</c>.</summary>
    internal IReadOnlyList<string[]?> Segments =>
        _segments ??= Pattern.Split('.').Select(s => s == "**" ? null : ExpandBraces(s)).ToArray();

    /// <summary>Whether the pattern is a name without wildcards.</summary>
    public bool IsLiteral { get; }

    /// <summary>The pattern as written.</summary>
    public string Pattern { get; }

    /// <summary>Reads a pattern; null where it is none, and then <paramref name="error"/> says why.</summary>
    public static Glob? TryParse(string pattern, out string error)
    {
        error = Check(pattern);
        return error.Length > 0 ? null : new Glob(pattern);
    }

    /// <summary>Whether the pattern covers <paramref name="name"/>.</summary>
    public bool IsMatch(string name)
    {
        if (IsLiteral)
            return name == Pattern;
        if (!name.StartsWith(_prefix, StringComparison.Ordinal) || !name.EndsWith(_suffix, StringComparison.Ordinal))
            return false;

        // reached[i]: the segments of the pattern so far cover the first i segments of the name.
        var parts = name.Split('.');
        var reached = new bool[parts.Length + 1];
        reached[0] = true;
        foreach (var alternatives in Segments)
        {
            var next = new bool[parts.Length + 1];
            for (var i = 0; i <= parts.Length; i++)
            {
                next[i] = alternatives is null
                    ? reached[i] || (i > 0 && next[i - 1])
                    : i > 0 && reached[i - 1] && alternatives.Any(a => MatchText(a, parts[i - 1]));
            }

            reached = next;
        }

        return reached[parts.Length];
    }

    /// <summary>Whether this pattern covers every name that <paramref name="other"/> does; false where that would take too long to tell.</summary>
    public bool Contains(Glob other) =>
        other.IsLiteral || IsLiteral ? GlobRelation.Contains(this, other) : Relations.Of((Pattern, other.Pattern), () => GlobRelation.Contains(this, other));

    /// <inheritdoc/>
    public override string ToString() => Pattern;

    /// <summary>Matches one segment: after a star only the latest star ever needs to take more, so time is at most quadratic.</summary>
    private static bool MatchText(string pattern, string text)
    {
        int p = 0, t = 0, star = -1, resume = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
                (star, resume, p) = (p, t, p + 1);
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == text[t]))
                (p, t) = (p + 1, t + 1);
            else if (star >= 0)
                (p, t) = (star + 1, ++resume);
            else
                return false;
        }

        while (p < pattern.Length && pattern[p] == '*')
            p++;
        return p == pattern.Length;
    }

    private static string[] ExpandBraces(string segment)
    {
        var open = segment.IndexOf('{');
        if (open < 0)
            return [segment];
        var close = segment.IndexOf('}', open);
        var tails = ExpandBraces(segment.Substring(close + 1));
        return segment.Substring(open + 1, close - open - 1).Split(',')
            .SelectMany(choice => tails.Select(tail => segment.Substring(0, open) + choice + tail))
            .ToArray();
    }

    private static string Check(string pattern)
    {
        if (string.IsNullOrEmpty(pattern))
            return "the pattern is empty";
        var depth = 0;
        foreach (var c in pattern)
        {
            if (c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_')
                continue;
            if (char.IsWhiteSpace(c) || char.IsControl(c))
                return "the pattern holds white space";
            if (c is '[' or ']' or '(' or ')' or '|' or '^' or '$' or '\\')
                return $"'{c}' has no meaning in a pattern (it is no regular expression; {{a,b}} stands for either of some texts, {{0,1}} for either of some layers)";
            if (c == '.' && depth > 0)
                return "a '{' group reaches over a dot";
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (depth is < 0 or > 1)
                return depth < 0 ? "a '}' has no '{'" : "'{' groups are nested";
        }

        if (depth != 0)
            return "a '{' has no '}'";
        if (pattern[0] == '.' || pattern[pattern.Length - 1] == '.' || pattern.IndexOf("..", StringComparison.Ordinal) >= 0)
            return "a segment is empty (two dots in a row, or a dot at an end)";
        if (pattern.IndexOf("**", StringComparison.Ordinal) < 0)
            return "";
        foreach (var segment in pattern.Split('.'))
        {
            if (segment != "**" && segment.IndexOf("**", StringComparison.Ordinal) >= 0)
                return $"'**' must be a whole segment, not part of '{segment}'";
        }

        return "";
    }
}
