using Smelt.Recipes;

namespace Smelt.Mergekit.CSharp;

/// <summary>Names of classes and namespaces that stand in no way of the recipe language's own.</summary>
internal static class CSharpNames
{
    /// <summary>The class that holds the stages.</summary>
    public const string StageClass = "Stages";

    private static readonly HashSet<string> Taken =
    [
        .. typeof(Recipe).Assembly.GetExportedTypes().Select(t => t.Name.Split('`')[0]),
        .. typeof(Syntax).GetMethods().Select(m => m.Name),
        "System", "Smelt", "Microsoft", StageClass,
    ];

    /// <summary>A class name for each recipe, in the order of the recipes.</summary>
    public static string[] Classes(IEnumerable<string> recipes)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        return [.. recipes.Select(r =>
        {
            var name = Pascal(r, "Merge");
            for (var i = 2; !used.Add(name); i++)
                name = Pascal(r, "Merge") + i;
            return name;
        })];
    }

    /// <summary>A namespace for a project.</summary>
    public static string Namespace(string project) => Pascal(project, "Recipes");

    /// <summary>The words of a name, each with a capital; with a suffix where that is taken, or no name.</summary>
    private static string Pascal(string name, string suffix)
    {
        var words = new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var pascal = string.Concat(words.Select(w => char.ToUpperInvariant(w[0]) + w[1..]));
        if (pascal.Length == 0)
            return suffix;
        return char.IsAsciiDigit(pascal[0]) ? suffix + pascal : Taken.Contains(pascal) ? pascal + suffix : pascal;
    }
}
