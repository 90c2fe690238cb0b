namespace Smelt.Targets.Components;

/// <summary>Builds the recipe project. The compiler is asked each time: it knows best what has changed.</summary>
public interface IBuildRecipes : IHasRecipes
{
    /// <summary>Builds the project and lists its recipes.</summary>
    Target Build => _ => _
        .Description("Builds the recipe project and lists its recipes.")
        .Executes(() => RunSmelt(capture: false, "list", PathOf(Project)));
}
