namespace Smelt.Targets.Components;

/// <summary>Checks recipes against every rule, and the headers of their models.</summary>
public interface ICheckRecipes : IBuildRecipes
{
    /// <summary>Checks the recipes and their models.</summary>
    Target Check => _ => _
        .Description("Checks the recipes and the headers of their models.")
        .DependsOn(Build)
        .Executes(() => RunSmelt(capture: false, ["check", PathOf(Project), .. Select(Recipe)]));
}
