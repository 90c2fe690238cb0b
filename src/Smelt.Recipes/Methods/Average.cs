namespace Smelt.Recipes;

/// <summary>
/// The weighted average of the experts: out = sum w_i x_i / sum w_i (Wortsman et al. 2022, "Model soups"). With
/// <see cref="Normalize"/> false the sum is not divided. The base is not part of it unless listed as an expert.
/// </summary>
[Method("average", "the weighted average of the experts")]
public sealed record Average : Recipe
{
    /// <summary>Whether the sum is divided by the sum of the weights; true unless given.</summary>
    [Slot("whether the sum is divided by the sum of the weights")]
    public bool? Normalize { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool DividesByWeights => Normalize != false;

    /// <inheritdoc/>
    public override Recipe Resolve() => (Average)base.Resolve() with { Normalize = Normalize ?? true };
}
