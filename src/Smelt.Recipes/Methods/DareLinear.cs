namespace Smelt.Recipes;

/// <summary>
/// DARE: drop elements of each task vector at random, rescale the rest, add them up (Yu et al. 2024, "Language models are
/// super Mario"). out = b + lambda * sum w_i d_i over the thinned d_i; with <see cref="WeightedTaskVectorRecipe.Normalize"/> the sum
/// is divided by the sum of the weights. Masks are those of <see cref="DareTies"/>.
/// Defaults: Density 0.2, Rescale Inverse, divided by it (paper), or 1, L1, the norm kept (mergekit); Normalize false.
/// </summary>
[Method("dare_linear", "the sum of task vectors thinned at random and rescaled")]
public sealed record DareLinear : SparseRecipe, IDare
{
    /// <inheritdoc/>
    [Slot("the seed of the random masks", Min = 0, Max = 9007199254740991, Integer = true)]
    public Scalar? Seed { get; init; }

    /// <inheritdoc/>
    [Slot("whether each thinned expert is rewritten as base + delta before its delta is taken again")]
    public bool? WriteBack { get; init; }

    /// <inheritdoc/>
    [Slot("which elements are dropped")]
    public Drop? Drop { get; init; }

    /// <inheritdoc/>
    [Slot("whether elements of the experts' whole weights are dropped and rescaled, instead of those of their task vectors")]
    public bool? OnWeights { get; init; }

    /// <inheritdoc/>
    [Slot("a safetensors file with masks to use instead of random ones: U8 tensors EXPERT/TENSOR, 1 = kept")]
    public string? MaskFile { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (DareLinear)base.Resolve() with
    {
        Density = Density ?? (IsMergekit ? 1 : 0.2),
        Rescale = Rescale ?? (IsMergekit ? Recipes.Rescale.L1 : Recipes.Rescale.Inverse),
        Normalize = Normalize ?? false,
        Seed = Seed ?? 0,
        WriteBack = WriteBack ?? false,
        Drop = Drop ?? Recipes.Drop.Random,
        OnWeights = OnWeights ?? false,
    };
}
