namespace Smelt.Recipes;

/// <summary>
/// DELLA without an election (Deep, Bhardwaj and Poria 2024): task vectors thinned and rescaled as by <see cref="Della"/>, then
/// added up. out = b + lambda * sum w_i d_i; with <see cref="WeightedTaskVectorRecipe.Normalize"/> the sum is divided by the sum of the weights.
/// Defaults: Density 0.5, Rescale Inverse (paper), or 1, L1 (mergekit); Normalize false.
/// </summary>
[Method("della_linear", "the sum of task vectors thinned at random by magnitude and rescaled")]
public sealed record DellaLinear : SparseRecipe, IGradedDrop
{
    /// <inheritdoc/>
    [Slot("how far the keep probability lies from the density at either end", Min = 0, Max = 0.5)]
    public Scalar? Epsilon { get; init; }

    /// <inheritdoc/>
    [Slot("along which dimension rows run in which magnitudes are ranked")]
    public RowAxis? Rows { get; init; }

    /// <inheritdoc/>
    [Slot("the seed of the random masks", Min = 0, Max = 9007199254740991, Integer = true)]
    public Scalar? Seed { get; init; }

    /// <inheritdoc/>
    [Slot("a safetensors file with masks to use instead of random ones: U8 tensors EXPERT/TENSOR, 1 = kept")]
    public string? MaskFile { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (DellaLinear)base.Resolve() with
    {
        Density = Density ?? (IsMergekit ? 1 : 0.5),
        Epsilon = Epsilon ?? 0.15,
        Rows = Rows ?? (IsMergekit ? RowAxis.Second : RowAxis.Last),
        Rescale = Rescale ?? (IsMergekit ? Recipes.Rescale.L1 : Recipes.Rescale.Inverse),
        Normalize = Normalize ?? false,
        Seed = Seed ?? 0,
    };
}
