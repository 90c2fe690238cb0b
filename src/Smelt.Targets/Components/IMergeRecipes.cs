namespace Smelt.Targets.Components;

/// <summary>Merges recipes; up to date while configurations, models and outputs are what they were.</summary>
public interface IMergeRecipes : IPlanRecipes
{
    /// <summary>Merges the recipes; <c>--partition</c> divides them.</summary>
    Target Merge => _ => _
        .Description("Merges the recipes into checkpoints.")
        .Partition()
        .Consumes(Plan)
        .Consumes(() => Partition.GetCurrent(RecipePlan.Read(this)).SelectMany(p => p.Reads))
        .Produces(() => Partition.GetCurrent(RecipePlan.Read(this)).SelectMany(p => p.Outputs))
        .Executes(() =>
        {
            // One recipe's --out is the folder of its output itself.
            var recipes = Partition.GetCurrent(RecipePlan.Read(this)).Select(p => p.Recipe).ToArray();
            var output = recipes.Length == 1 ? PathOf(Output, recipes[0]) : PathOf(Output);
            if (recipes.Length > 0)
                RunSmelt(capture: false, ["run", PathOf(Project), .. Select(recipes), "--out", output, "--force", .. MergeOptions]);
        });
}
