namespace Smelt.Recipes;

/// <summary>
/// DARE with TIES: drop elements of each task vector at random, rescale the rest, then elect signs and combine as TIES
/// does (Yu et al. 2024, "Language models are super Mario"). With <see cref="TrimDensity"/> below 1 the thinned task
/// vectors are trimmed by magnitude before the election. Without an election it is <see cref="DareLinear"/>.
/// out = b + lambda * sum over agreeing of w_i d_i / sum over agreeing of w_i, over the thinned d_i.
/// Defaults: Density 0.2, Rescale Inverse, divided by it, Normalize true (paper), or 1, L1, false (mergekit).
/// </summary>
/// <remarks>
/// Element e of tensor t of expert i is kept iff u &lt; density, u being 24 bits of Philox 4x32-10 keyed by
/// <see cref="Seed"/> and the expert, counted by tensor name and e: the same on every machine, and nested over densities.
/// </remarks>
[Method("dare_ties", "task vectors thinned at random and rescaled, with elected signs")]
public sealed record DareTies : TrimmedRecipe, IDare
{
    /// <inheritdoc/>
    [Slot("the seed of the random masks", Min = 0, Max = 9007199254740991, Integer = true)]
    public Scalar? Seed { get; init; }

    /// <summary>
    /// The fraction that a magnitude trim keeps after the random drop, 0 to 1. Paper: 0.2, the trim of TIES; mergekit: 1, no trim.
    /// </summary>
    [Slot("the fraction that a magnitude trim keeps after the random drop", Min = 0, Max = 1)]
    public Scalar? TrimDensity { get; init; }

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
    public override Recipe Resolve() => (DareTies)base.Resolve() with
    {
        Density = Density ?? (IsMergekit ? 1 : 0.2),
        TrimDensity = TrimDensity ?? (IsMergekit ? 1 : 0.2),
        Rescale = Rescale ?? (IsMergekit ? Recipes.Rescale.L1 : Recipes.Rescale.Inverse),
        Normalize = Normalize ?? !IsMergekit,
        Seed = Seed ?? 0,
        WriteBack = WriteBack ?? false,
        Drop = Drop ?? Recipes.Drop.Random,
        OnWeights = OnWeights ?? false,
    };
}
