using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Exporting;

/// <summary>What exporting a recipe gave.</summary>
/// <param name="Documents">The documents: stages first, the recipe last; none where there are errors.</param>
/// <param name="Problems">What mergekit has no form for, and what means something else there.</param>
public sealed record Export(IReadOnlyList<MergekitDocument> Documents, IReadOnlyList<Problem> Problems)
{
    /// <summary>Whether the recipe has no form in mergekit.</summary>
    public bool HasErrors => Problems.Any(p => p.Severity == Severity.Error);
}

/// <summary>
/// Turns recipes into configurations of mergekit that do the same. Importing the result gives the recipe again; what has no
/// form in mergekit is an error, what means something else there a warning.
/// </summary>
public static class MergekitExporter
{
    /// <summary>Exports a recipe.</summary>
    /// <param name="name">Its name, for the places of problems.</param>
    /// <param name="recipe">The recipe, without sweeps: each point of a sweep is a configuration of its own.</param>
    /// <param name="pathOf">The path of a local model in the configuration.</param>
    public static Export Export(string name, Recipe recipe, Func<string, string> pathOf)
    {
        var problems = new ProblemList(name);
        var exporter = new DocumentExporter(problems, pathOf);
        exporter.Add(recipe, null, "");
        return new Export(problems.HasErrors ? [] : exporter.Documents, problems.All);
    }
}
