using Smelt.Recipes.Configuration;

namespace Smelt.Tool.Sources;

/// <summary>Finds the name that was probably meant.</summary>
internal static class Suggestion
{
    /// <summary>The nearest of <paramref name="names"/>, upper and lower case being the same; null where none is near.</summary>
    public static string? Nearest(string text, IEnumerable<string> names)
    {
        var limit = Math.Max(2, text.Length / 3);
        return names.Select(name => (Name: name, Distance: EditDistance.Of(text.ToLowerInvariant(), name.ToLowerInvariant())))
            .Where(n => n.Distance <= limit)
            .OrderBy(n => n.Distance)
            .Select(n => n.Name)
            .FirstOrDefault();
    }
}
