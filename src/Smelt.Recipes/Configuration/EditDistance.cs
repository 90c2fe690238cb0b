namespace Smelt.Recipes.Configuration;

/// <summary>How far two words are apart, for suggestions.</summary>
public static class EditDistance
{
    /// <summary>The number of letters to insert, remove or replace that turns one word into the other (Levenshtein).</summary>
    public static int Of(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? diagonal : diagonal + 1;
                diagonal = row[j];
                row[j] = Math.Min(cost, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }

    /// <summary>The nearest of <paramref name="known"/>, upper and lower case being the same; null where none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        var limit = Math.Min(word.Length - 1, Math.Max(2, word.Length / 3));
        return known.Select(name => (Name: name, Distance: Of(word.ToLowerInvariant(), name.ToLowerInvariant())))
            .Where(n => n.Distance <= limit)
            .OrderBy(n => n.Distance)
            .Select(n => n.Name)
            .FirstOrDefault();
    }

    /// <summary>A question after the word that was probably meant.</summary>
    /// <param name="word">The word.</param>
    /// <param name="known">The words there are.</param>
    /// <param name="otherwise">What is said where none of them is near.</param>
    /// <param name="quote">What stands around the word that was meant.</param>
    public static string DidYouMean(string word, IEnumerable<string> known, string otherwise = "", string quote = "") =>
        Nearest(word, known) is { } near ? $"Did you mean {quote}{near}{quote}?" : otherwise;
}
