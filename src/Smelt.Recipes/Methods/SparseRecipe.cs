namespace Smelt.Recipes;

/// <summary>
/// What the methods that thin out task vectors have in common. The switches left open follow <see cref="Profile"/>, which
/// itself is <see cref="Recipes.Profile.Paper"/> unless given.
/// </summary>
public abstract record SparseRecipe : WeightedTaskVectorRecipe
{
    /// <summary>Sets all switches that are not given; <see cref="Recipes.Profile.Paper"/> unless given.</summary>
    [Slot("sets all switches that are not given")]
    public Profile? Profile { get; init; }

    /// <summary>The fraction of each task vector that is kept, 0 to 1; the method's own text has the default.</summary>
    [Slot("the fraction of each task vector that is kept", Min = 0, Max = 1)]
    public Scalar? Density { get; init; }

    /// <summary>How the kept part is rescaled; the method's own text has the default.</summary>
    [Slot("how the kept part is rescaled")]
    public Rescale? Rescale { get; init; }

    /// <summary>Whether switches left open are mergekit's.</summary>
    private protected bool IsMergekit => Profile == Recipes.Profile.Mergekit;

    /// <inheritdoc/>
    public override Recipe Resolve() => (SparseRecipe)base.Resolve() with { Profile = null };
}
