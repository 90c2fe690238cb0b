namespace Smelt.Recipes;

/// <summary>
/// Model Breadcrumbs with TIES: task vectors trimmed as by <see cref="Breadcrumbs"/>, then signs are elected and what agrees
/// is combined as <see cref="Ties"/> does (mergekit). out = b + lambda * sum over agreeing of w_i d_i / sum over agreeing of
/// w_i, over the trimmed d_i. Defaults: Density 0.15 of each row, the election of TIES, Normalize true (paper), or 1 of each
/// tensor, mergekit's election, false (mergekit); Gamma 0.01, Rescale None.
/// </summary>
[Method("breadcrumbs_ties", "task vectors without their outliers and smallest elements, with elected signs")]
public sealed record BreadcrumbsTies : ElectedRecipe, IOutlierTrim
{
    /// <inheritdoc/>
    [Slot("the fraction of each task vector that is dropped as outliers", Min = 0, Max = 1)]
    public Scalar? Gamma { get; init; }

    /// <inheritdoc/>
    [Slot("over what magnitudes are compared")]
    public TrimScope? Trim { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (BreadcrumbsTies)base.Resolve() with
    {
        Density = Density ?? (IsMergekit ? 1 : 0.15),
        Gamma = Gamma ?? 0.01,
        Trim = Trim ?? (IsMergekit ? TrimScope.Tensor : TrimScope.Row),
        Rescale = Rescale ?? Recipes.Rescale.None,
        Normalize = Normalize ?? !IsMergekit,
    };
}
