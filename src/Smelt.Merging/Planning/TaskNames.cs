using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>The names under which an output with task masks knows its tasks.</summary>
public static class TaskNames
{
    private const int Longest = 60;

    /// <summary>
    /// A name for each expert: the last part of its folder or hub id, in letters, digits, <c>.</c>, <c>_</c> and <c>-</c>; with the
    /// expert's number behind it where two would be the same but for their case.
    /// </summary>
    public static IReadOnlyList<string> Of(Recipe recipe)
    {
        string[] names = [.. recipe.Experts.Select(e => Short(e.Model))];
        var twice = names.GroupBy(n => n, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1).Select(g => g.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        for (var numbers = twice; numbers.Count > 0;)
        {
            names = [.. names.Select((n, i) => numbers.Contains(n) ? $"{n}-{i}" : n)];
            numbers = names.GroupBy(n => n, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1).Select(g => g.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        }

        return names;
    }

    private static string Short(Model model)
    {
        var last = model switch
        {
            FolderModel folder => folder.Path.TrimEnd('/', '\\').Split('/', '\\')[^1],
            HubModel hub => hub.Id.Split('/')[^1],
            StageModel stage => stage.Name ?? "",
            _ => "",
        };
        if (last.EndsWith(".safetensors", StringComparison.Ordinal))
            last = last[..^".safetensors".Length];
        string name = new([.. last.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_').Take(Longest)]);
        return name.Trim('.') is { Length: > 0 } usable ? usable : "task";
    }
}
