namespace Smelt.Tool.Output;

/// <summary>
/// Names the folders of outputs: <c>--out</c> itself for a single recipe, one folder a recipe in it for several and for those
/// of an index, and <c>out/RECIPE</c> without it. The points of a sweep are folders inside.
/// </summary>
internal static class OutputFolders
{
    /// <summary>The folder of each recipe, absolute.</summary>
    /// <param name="recipes">The names of the recipes that run.</param>
    /// <param name="output">The value of <c>--out</c>; null where it is not given.</param>
    /// <param name="isIndex">Whether they are those of an index, where a recipe's folder does not depend on how many there are.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> recipes, string? output, bool isIndex = false) =>
        output is not null && recipes.Count == 1 && !isIndex
            ? [Path.GetFullPath(output)]
            : [.. recipes.Select(name => Path.GetFullPath(Path.Combine(output ?? "out", name)))];
}
