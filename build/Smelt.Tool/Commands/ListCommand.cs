using System.Globalization;
using Smelt.Recipes;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt list</c>: names the recipes of a path and their outputs; looks at no model.</summary>
internal static class ListCommand
{
    /// <summary>The outputs that are named in a table before it counts them.</summary>
    private const int NamedOutputs = 4;

    /// <summary>Lists the recipes of a path.</summary>
    public static ExitCode Execute(string path, bool json, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("list", terminal, json, session =>
        {
            var catalog = RecipeCatalog.Open(path, [], null, cancellation);
            session.ReportBuild(catalog.Warnings);
            foreach (var entry in catalog.Entries)
                session.Report(entry.Name, entry.Problems);
            var recipes = catalog.Entries.Select(Describe).ToArray();
            session.Document = session.Document with { Recipes = recipes };
            if (!json)
            {
                TextTable.Write(
                    terminal,
                    ["recipe ", "method ", "experts", "outputs ", "hash "],
                    recipes.Select(r => (IReadOnlyList<string>)[r.Name, r.Method ?? "(not valid)", r.Valid ? r.Experts.ToString(CultureInfo.InvariantCulture) : "", Outputs(r), r.Sha256?[..12] ?? ""]));
            }

            return recipes.All(r => r.Valid) ? ExitCode.Done : ExitCode.BadInput;
        });

    /// <summary>What is known of a recipe without its models.</summary>
    internal static RecipeDocument Describe(CatalogEntry entry) => entry.Recipe is { } recipe
        ? new RecipeDocument(entry.Name, true, PreparedMerge.MethodOf(recipe.Recipe), recipe.Recipe.Experts.Count, [.. SweepExpansion.Expand(recipe.Recipe).Select(p => p.Label)], recipe.Hash)
        : new RecipeDocument(entry.Name, false, null, 0, [], null);

    private static string Outputs(RecipeDocument recipe) => recipe.Outputs.Count switch
    {
        0 => "",
        1 when recipe.Outputs[0].Length == 0 => "1",
        <= NamedOutputs => $"{recipe.Outputs.Count}: {string.Join("  ", recipe.Outputs)}",
        _ => $"{recipe.Outputs.Count}: {string.Join("  ", recipe.Outputs.Take(NamedOutputs - 1))}  ...",
    };
}
