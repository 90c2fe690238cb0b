namespace Smelt.Recipes;

/// <summary>
/// Of each element the expert's value with the largest magnitude, out = x_k with k = argmax |x_i|; of equal magnitudes the first expert's (the aggregation
/// <c>magnitude</c> of the TIES repository, Yadav et al. 2023). It compares whole weights, not task vectors.
/// </summary>
[Method("largest_magnitude", "of each element the value with the largest magnitude")]
public sealed record LargestMagnitude : Recipe
{
    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesWeights => false;
}
