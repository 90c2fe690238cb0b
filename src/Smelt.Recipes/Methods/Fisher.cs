namespace Smelt.Recipes;

/// <summary>
/// Fisher-weighted averaging (Matena and Raffel 2022, "Merging models with Fisher-weighted averaging"): in each element
/// out = Σ w_i (F_i + m) x_i / Σ w_i (F_i + m), F_i the diagonal of expert i's Fisher information and m
/// <see cref="MinimalWeight"/>. With <see cref="Normalize"/>, w_i is multiplied by (1 / (|F_i| + m)) / Σ_j (1 / (|F_j| + m)) first,
/// |F| over all merged tensors (MergeLM).
/// </summary>
/// <remarks>
/// Each expert's <see cref="Expert.Statistics"/> holds a tensor of Fisher weights, 0 and more, under the name and in the shape of
/// each merged tensor. Where all weights of an element are zero, the experts are averaged by w_i.
/// </remarks>
[Method("fisher", "the average of the experts, weighted by their Fisher information")]
public sealed record Fisher : Recipe
{
    /// <summary>Whether each expert's Fisher weights are divided by their norm over the model; true unless given.</summary>
    [Slot("whether each expert's Fisher weights are divided by their norm over the model")]
    public bool? Normalize { get; init; }

    /// <summary>What is added to each Fisher weight, and to their norm, 0 and more; 1e-6 unless given.</summary>
    [Slot("what is added to each Fisher weight, and to their norm", Min = 0)]
    public Scalar? MinimalWeight { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesStatistics => true;

    /// <inheritdoc/>
    public override bool DividesByWeights => true;

    /// <inheritdoc/>
    public override Recipe Resolve() => (Fisher)base.Resolve() with
    {
        Normalize = Normalize ?? true,
        MinimalWeight = MinimalWeight ?? 1e-6,
    };
}
