namespace Smelt.Targets.Components;

/// <summary>Builds the recipe project. The compiler is asked each time: it knows best what has changed.</summary>
public interface IBuildRecipes : IHasRecipes
{
    /// <summary>Builds the project and lists its recipes.</summary>
    Target Build => _ => _
        .Description("Builds the recipe project and lists its recipes.")
        .Executes(() => RunSmelt(capture: false, "list", PathOf(Project)));
}

/// <summary>Checks recipes against every rule, and the headers of their models.</summary>
public interface ICheckRecipes : IBuildRecipes
{
    /// <summary>Checks the recipes and their models.</summary>
    Target Check => _ => _
        .Description("Checks the recipes and the headers of their models.")
        .DependsOn(Build)
        .Executes(() => RunSmelt(capture: false, ["check", PathOf(Project), .. Select(Recipe)]));
}

/// <summary>Plans merges from headers alone. The plan says what later targets read and write, and so when they are up to date.</summary>
public interface IPlanRecipes : ICheckRecipes
{
    /// <summary>Plans the merges.</summary>
    Target Plan => _ => _
        .Description("Plans the merges: what is read, what is written, whether it fits.")
        .DependsOn(Check)
        .Produces(RecipePlan.FileOf(this))
        .Executes(() => RecipePlan.Make(this));
}

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
