using System.Text;
using System.Text.Json;
using Smelt.Recipes.Rules;

namespace Smelt.Recipes.Configuration;

/// <summary>A configuration that was read.</summary>
/// <param name="Name">The recipe's name.</param>
/// <param name="Recipe">The recipe; null where it could not be made.</param>
/// <param name="CanonicalJson">The canonical JSON of the recipe, every default written out; empty where there are errors.</param>
/// <param name="Sha256">The SHA-256 of <paramref name="CanonicalJson"/>; empty where there are errors.</param>
/// <param name="Problems">Everything that is wrong with it.</param>
public sealed record ReadConfiguration(string Name, Recipe? Recipe, string CanonicalJson, string Sha256, IReadOnlyList<Problem> Problems)
{
    /// <summary>Whether the configuration can't be used.</summary>
    public bool HasErrors => Problems.Any(p => p.Severity == Severity.Error);
}

/// <summary>
/// Reads configurations, written by hand or by the generator. It goes by the slots of the recipe types, so every slot has
/// one definition; unknown keys, wrong types and broken rules are all reported at once, with JSON pointer and line.
/// </summary>
public static class ConfigurationReader
{
    private const int MaxDepth = 64;

    /// <summary>Reads a configuration.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">The file's path, for problems of the text as a whole.</param>
    public static ReadConfiguration Read(string text, string source) => Read(Encoding.UTF8.GetBytes(text), source);

    /// <summary>Reads a configuration from UTF-8.</summary>
    /// <param name="utf8">The text; a byte order mark is skipped.</param>
    /// <param name="source">The file's path, for problems of the text as a whole.</param>
    public static ReadConfiguration Read(ReadOnlyMemory<byte> utf8, string source)
    {
        var problems = new List<Problem>();
        if (utf8.Span.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var lines = new JsonLines(utf8.Span);
            var converter = new ConfigurationConverter(problems);
            var (name, recipe) = converter.Convert(document.RootElement);
            if (recipe is not null)
                problems.AddRange(RecipeValidator.Validate(name, recipe));
            var located = problems.Select(p => p with { Where = $"{source}, {(p.Where.Length == 0 ? "/" : p.Where)} (line {lines.LineOf(p.Where)})" }).ToArray();
            if (recipe is null || located.Any(p => p.Severity == Severity.Error))
                return new ReadConfiguration(name, recipe, "", "", located);
            var canonical = ConfigurationWriter.Write(name, recipe);
            return new ReadConfiguration(name, recipe, canonical, Configuration.CanonicalJson.Sha256(canonical), located);
        }
        catch (InvalidOperationException)
        {
            // What System.Text.Json throws for a text with half a surrogate pair, or with bytes that are not UTF-8.
            return new ReadConfiguration("", null, "", "", [RuleTable.NotJson.At(source, "the configuration holds a text that is not valid Unicode.")]);
        }
        catch (JsonException e)
        {
            var place = e.LineNumber is { } line ? $"{source} (line {line + 1})" : source;
            return new ReadConfiguration("", null, "", "", [RuleTable.NotJson.At(place, $"the configuration is not JSON: {e.Message.Split(" LineNumber")[0].Split(" Path:")[0]}")]);
        }
    }
}
