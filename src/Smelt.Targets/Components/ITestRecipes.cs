namespace Smelt.Targets.Components;

/// <summary>Compares what recipes make with their verified snapshots; up to date while configurations, models and snapshots are what they were.</summary>
public interface ITestRecipes : IPlanRecipes
{
    /// <summary>Tests the recipes; <c>--partition</c> divides them.</summary>
    Target Test => _ => _
        .Description("Compares what the recipes make with the verified snapshots.")
        .Partition()
        .Consumes(Plan)
        .Consumes(() => Partition.GetCurrent(RecipePlan.Read(this)).SelectMany(p => p.Reads))
        .Consumes(() => [Path.Combine(Directory.Exists(PathOf(Project)) ? PathOf(Project) : Path.GetDirectoryName(PathOf(Project))!, "snapshots", "*.verified.txt")])
        .Executes(() =>
        {
            var recipes = Partition.GetCurrent(RecipePlan.Read(this)).Select(p => p.Recipe).ToArray();
            if (recipes.Length > 0)
                RunSmelt(capture: false, ["test", PathOf(Project), .. Partition.Total == 1 ? Select(Recipe) : Select(recipes), .. MergeOptions]);
        });
}
