namespace Smelt.Recipes;

/// <summary>
/// TIES: trim each task vector to its largest magnitudes, elect a sign per element, combine what agrees with it (Yadav et
/// al. 2023, "TIES-Merging"). out = b + lambda * sum over agreeing of w_i d_i / sum over agreeing of w_i.
/// Defaults: Density 0.2 (paper) or 1 (mergekit), Normalize true, Rescale None.
/// </summary>
[Method("ties", "task vectors trimmed by magnitude, with elected signs")]
public sealed record Ties : TrimmedRecipe
{
    /// <summary>
    /// Whether what agrees is scaled, each row on its own, by the ratio t = N c / (1 + (N - 1) c) of Model Stock, c being the
    /// mean cosine between the agreeing deltas of neighbouring experts (sd-mecha); false unless given.
    /// </summary>
    [Slot("whether each row is scaled by the ratio of Model Stock between the agreeing deltas")]
    public bool? Stock { get; init; }

    /// <inheritdoc/>
    public override int FewestExperts => Stock == true ? 2 : 1;

    /// <inheritdoc/>
    public override Recipe Resolve() => (Ties)base.Resolve() with
    {
        Density = Density ?? (IsMergekit ? 1 : 0.2),
        Rescale = Rescale ?? Recipes.Rescale.None,
        Normalize = Normalize ?? true,
        Stock = Stock ?? false,
    };
}
