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

/// <summary>The configuration of an experiment that was read.</summary>
/// <param name="Name">The experiment's name.</param>
/// <param name="Experiment">The experiment; null where it could not be made.</param>
/// <param name="CanonicalJson">Its canonical JSON; empty where there are errors.</param>
/// <param name="Problems">Everything that is wrong with it.</param>
public sealed record ReadExperiment(string Name, Experiment? Experiment, string CanonicalJson, IReadOnlyList<Problem> Problems)
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
    private const int LargeBytes = 1 << 16;

    /// <summary>Reads a configuration.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">The file's path, for problems of the text as a whole.</param>
    public static ReadConfiguration Read(string text, string source) => Read(Encoding.UTF8.GetBytes(text), source);

    /// <summary>
    /// Reads a configuration for what it says of models and sweeps: one of a method that is not known, whose assembly is not
    /// loaded, is read as well.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="source">The file's path, for problems of the text as a whole.</param>
    public static ReadConfiguration ReadAny(string text, string source) => Read(Encoding.UTF8.GetBytes(text), source, takesAnyMethod: true);

    /// <summary>Reads a configuration from UTF-8.</summary>
    /// <param name="utf8">The text; a byte order mark is skipped.</param>
    /// <param name="source">The file's path, for problems of the text as a whole.</param>
    public static ReadConfiguration Read(ReadOnlyMemory<byte> utf8, string source) => Read(utf8, source, takesAnyMethod: false);

    private static ReadConfiguration Read(ReadOnlyMemory<byte> utf8, string source, bool takesAnyMethod)
    {
        var (name, recipe, canonical, problems) = Read(utf8, source, (converter, root) => converter.Convert(root), (read, made) => RecipeValidator.Validate(read, made), ConfigurationWriter.Write, takesAnyMethod);
        return new ReadConfiguration(name, recipe, canonical, canonical.Length == 0 ? "" : Configuration.CanonicalJson.Sha256(canonical), problems);
    }

    /// <summary>Whether a configuration is one of an experiment: it has arms.</summary>
    public static bool IsExperiment(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(WithoutMark(utf8), new JsonDocumentOptions { MaxDepth = MaxDepth });
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("arms", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Reads the configuration of an experiment from UTF-8.</summary>
    /// <param name="utf8">The text; a byte order mark is skipped.</param>
    /// <param name="source">The file's path, for problems of the text as a whole.</param>
    public static ReadExperiment ReadExperiment(ReadOnlyMemory<byte> utf8, string source)
    {
        var (name, experiment, canonical, problems) = Read(utf8, source, (converter, root) => converter.ConvertExperiment(root), (read, made) => ExperimentValidator.Validate(read, made), ConfigurationWriter.Write);
        return new ReadExperiment(name, experiment, canonical, problems);
    }

    /// <summary>Problems with the file and the line of their places.</summary>
    private static IReadOnlyList<Problem> Located(List<Problem> problems, ReadOnlySpan<byte> utf8, string source)
    {
        var lines = new JsonLines(utf8);
        return [.. problems.Select(p => p with { Where = $"{source}, {(p.Where.Length == 0 ? "/" : p.Where)} (line {lines.LineOf(p.Where)})" })];
    }

    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> utf8) =>
        utf8.Span.StartsWith(Encoding.UTF8.Preamble) ? utf8[Encoding.UTF8.Preamble.Length..] : utf8;

    private static (string Name, T? Made, string Canonical, IReadOnlyList<Problem> Problems) Read<T>(
        ReadOnlyMemory<byte> utf8,
        string source,
        Func<ConfigurationConverter, JsonElement, (string Name, T? Made)> convert,
        Func<string, T, IReadOnlyList<Problem>> validate,
        Func<string, T, string> write,
        bool takesAnyMethod = false)
        where T : class
    {
        var problems = new List<Problem>();
        utf8 = WithoutMark(utf8);
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var (name, made) = convert(new ConfigurationConverter(problems, takesAnyMethod), document.RootElement);
            if (made is null)
                return (name, null, "", Located(problems, utf8.Span, source));

            // A large configuration is written on another core while it is checked; of a broken one nobody asks for the text.
            var writing = utf8.Length > LargeBytes ? Task.Run(() => write(name, made)) : null;
            problems.AddRange(validate(name, made));
            var hasErrors = problems.Any(p => p.Severity == Severity.Error);
            return (name, made, hasErrors ? "" : writing?.GetAwaiter().GetResult() ?? write(name, made), problems.Count == 0 ? [] : Located(problems, utf8.Span, source));
        }
        catch (InvalidOperationException)
        {
            // What System.Text.Json throws for a text with half a surrogate pair, or with bytes that are not UTF-8.
            return ("", null, "", [RuleTable.NotJson.At(source, "the configuration holds a text that is not valid Unicode.")]);
        }
        catch (JsonException e)
        {
            var place = e.LineNumber is { } line ? $"{source} (line {line + 1})" : source;
            return ("", null, "", [RuleTable.NotJson.At(place, $"the configuration is not JSON: {e.Message.Split(" LineNumber")[0].Split(" Path:")[0]}")]);
        }
    }
}
