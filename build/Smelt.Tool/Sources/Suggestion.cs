namespace Smelt.Tool.Sources;

/// <summary>Finds the name that was probably meant.</summary>
internal static class Suggestion
{
    /// <summary>The nearest of <paramref name="names"/>; null where none is near.</summary>
    public static string? Nearest(string text, IEnumerable<string> names)
    {
        var limit = Math.Max(1, text.Length / 3);
        return names.Select(name => (name, Distance: Distance(text.ToLowerInvariant(), name.ToLowerInvariant())))
            .Where(n => n.Distance <= limit)
            .OrderBy(n => n.Distance)
            .Select(n => n.name)
            .FirstOrDefault();
    }

    /// <summary>The fewest insertions, deletions and replacements of characters that lead from one text to the other.</summary>
    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
