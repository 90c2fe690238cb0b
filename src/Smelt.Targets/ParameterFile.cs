using System.Text.Json;
using Smelt.Recipes.Configuration;

namespace Smelt.Targets;

/// <summary>The values that <c>.smelt/parameters.json</c> gives: <c>{ "OutputFolder": "out", "Threads": 4 }</c>.</summary>
internal static class ParameterFile
{
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Reads the file below a root folder; nothing where there is none.</summary>
    public static Dictionary<BuildParameter, List<string>> Read(string root, IReadOnlyList<BuildParameter> parameters, ICollection<Problem> problems)
    {
        var path = Path.Combine(root, ".smelt", "parameters.json");
        var values = new Dictionary<BuildParameter, List<string>>();
        if (!File.Exists(path))
            return values;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), Lenient);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new JsonException("the file holds no object");
            foreach (var property in document.RootElement.EnumerateObject().Where(p => p.Name != "$schema"))
            {
                if (parameters.FirstOrDefault(p => string.Equals(p.Name, property.Name, StringComparison.OrdinalIgnoreCase)) is { } parameter)
                    values[parameter] = [.. Texts(property.Value)];
                else
                    problems.Add(TargetRules.UnknownParameter.At(path, $"the build has no parameter '{property.Name}'.", EditDistance.DidYouMean(property.Name, parameters.Select(p => p.Name), "--help lists all.")));
            }
        }
        catch (JsonException e)
        {
            problems.Add(TargetRules.BadFile.At(path, e.Message));
        }

        return values;
    }

    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
        JsonValueKind.String => [value.GetString()!],
        _ => [value.GetRawText()],
    };
}
