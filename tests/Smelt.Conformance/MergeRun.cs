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
    /// <param name="seeded">Whether random masks are drawn from mergekit's seed, where there is one, instead of read from a file.</param>
    public static Comparison Check(GoldenCase golden, string scratch, bool seeded = false)
    {
        var output = Path.Combine(scratch, "output");
        var (recipe, root, seed) = golden.Kind == GoldenCase.Originals ? (OriginalsRecipe.Of(golden, scratch), scratch, null) : MergekitCase.Import(golden, seeded);
        Merge(recipe, root, seed, output);
        return golden.Kind == GoldenCase.Originals
            ? OriginalsComparer.Compare(golden, OriginalsResult.Read(golden, output, scratch))
            : MergekitComparer.Compare(golden, output);
    }

    private static void Merge(Recipe recipe, string root, MergekitSeed? seed, string output)
    {
        var name = seed is null ? RecipeName : seed.Arithmetic.Keys.Last();
        var read = ConfigurationReader.Read(ConfigurationWriter.Write(name, recipe), "conformance.json");
        if (read.HasErrors)
            throw new InvalidInputException(read.Problems);
        var plan = Planner.Plan(read.Name, read.Recipe!, read.CanonicalJson, root);
        plan = seed is null ? plan : plan.WithMergekitSeed(seed);
        MergeExecutor.Run(plan, new MergeOptions { Output = output, Durable = false, Threads = 2 }, new ProgressCounter(), CancellationToken.None);
    }
}
