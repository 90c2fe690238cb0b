using Smelt.Conformance.Mergekit;
using Smelt.Conformance.Originals;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Conformance;

/// <summary>Runs the recipe of a case through the product, from configuration text to checkpoint folder.</summary>
internal static class MergeRun
{
    private const string RecipeName = "conformance";

    /// <summary>Merges what a case describes, and compares.</summary>
    /// <param name="golden">The case.</param>
    /// <param name="scratch">An empty folder.</param>
    public static Comparison Check(GoldenCase golden, string scratch)
    {
        var output = Path.Combine(scratch, "output");
        var (recipe, root) = golden.Kind == GoldenCase.Originals ? (OriginalsRecipe.Of(golden, scratch), scratch) : MergekitCase.Import(golden);
        Merge(recipe, root, output);
        return golden.Kind == GoldenCase.Originals
            ? OriginalsComparer.Compare(golden, OriginalsResult.Read(golden, output, scratch))
            : MergekitComparer.Compare(golden, output);
    }

    private static void Merge(Recipe recipe, string root, string output)
    {
        var read = ConfigurationReader.Read(ConfigurationWriter.Write(RecipeName, recipe), "conformance.json");
        if (read.HasErrors)
            throw new InvalidInputException(read.Problems);
        var plan = Planner.Plan(read.Name, read.Recipe!, read.CanonicalJson, root);
        MergeExecutor.Run(plan, new MergeOptions { Output = output, Durable = false, Threads = 2 }, new ProgressCounter(), CancellationToken.None);
    }
}
