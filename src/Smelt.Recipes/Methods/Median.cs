namespace Smelt.Recipes;

/// <summary>
/// The median of the experts, element by element: out = median(x_1, ..., x_N); of an even number the lower of the two middle values (the aggregation
/// <c>median</c> of the TIES repository, Yadav et al. 2023). An outlier among the experts has no effect on it.
/// </summary>
/// <remarks>The median of task vectors added to the base is the same up to rounding, so there is no form with a base.</remarks>
[Method("median", "the median of the experts, element by element")]
public sealed record Median : Recipe
{
    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesWeights => false;
}
