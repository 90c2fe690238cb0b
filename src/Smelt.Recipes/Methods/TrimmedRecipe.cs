namespace Smelt.Recipes;

/// <summary>What the methods that trim task vectors to their largest magnitudes have in common.</summary>
public abstract record TrimmedRecipe : ElectedRecipe
{
    /// <summary>Over what a magnitude threshold is taken. Paper: the whole <see cref="TrimScope.Model"/>; mergekit: each <see cref="TrimScope.Tensor"/>.</summary>
    [Slot("over what a magnitude threshold is taken")]
    public TrimScope? Trim { get; init; }

    /// <summary>Which magnitudes are kept exactly. Paper: <see cref="Recipes.Cut.AtThreshold"/>, all at the threshold; mergekit: <see cref="Recipes.Cut.Exact"/>, trunc(density * n).</summary>
    [Slot("which magnitudes are kept exactly")]
    public Cut? Cut { get; init; }

    /// <summary>How many standard deviations from its mean a delta must lie to be kept, 0 and more; for <see cref="Recipes.Cut.Deviation"/> alone, which needs it.</summary>
    [Slot("how many standard deviations from its mean a delta must lie to be kept, for the cut deviation", Min = 0)]
    public Scalar? Deviations { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (TrimmedRecipe)base.Resolve() with
    {
        Trim = Trim ?? (IsMergekit ? TrimScope.Tensor : TrimScope.Model),
        Cut = Cut ?? (IsMergekit ? Recipes.Cut.Exact : Recipes.Cut.AtThreshold),
    };
}
