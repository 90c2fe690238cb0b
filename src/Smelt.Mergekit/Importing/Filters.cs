using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>mergekit's filters, which are parts of tensor names, as patterns over whole names, and back.</summary>
internal static class Filters
{
    /// <summary>The pattern that all names match.</summary>
    public const string AllTensors = "**";

    private const string Opening = "**.*";
    private const string Closing = "*.**";

    /// <summary>The pattern for the names that hold a text; null where the text has characters that patterns give a meaning.</summary>
    public static string? ToGlob(string filter) =>
        Glob.TryParse(Opening + filter + Closing, out _) is not null && filter.IndexOfAny(['*', '?', '{', '}']) < 0 ? Opening + filter + Closing : null;

    /// <summary>The filter of a pattern.</summary>
    /// <returns>The text, null for all tensors, and whether it holds for just the same names; no filter where there is none.</returns>
    public static (bool Found, string? Filter, bool Exact) FromGlob(string glob)
    {
        if (glob == AllTensors)
            return (true, null, true);
        var (core, exact) = glob.StartsWith(Opening, StringComparison.Ordinal) && glob.EndsWith(Closing, StringComparison.Ordinal) && glob.Length > Opening.Length + Closing.Length
            ? (glob[Opening.Length..^Closing.Length], true)
            : (Between(glob), false);
        return core.Length > 0 && core.IndexOfAny(['*', '?', '{', '}']) < 0 ? (true, core, exact) : (false, null, false);
    }

    /// <summary>The text between the wildcards at the ends; a ** stands for a dot and what lies beyond it.</summary>
    private static string Between(string glob)
    {
        var start = glob.StartsWith("**.", StringComparison.Ordinal) ? 2 : 0;
        var end = glob.EndsWith(".**", StringComparison.Ordinal) ? glob.Length - 2 : glob.Length;
        return end > start ? glob[start..end].Trim('*') : "";
    }
}
