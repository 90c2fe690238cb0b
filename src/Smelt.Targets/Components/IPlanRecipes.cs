namespace Smelt.Targets.Components;

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
