namespace Smelt.Recipes;

/// <summary>A recipe that drops the outliers of task vectors besides their smallest elements.</summary>
public interface IOutlierTrim
{
    /// <summary>
    /// The fraction of each task vector that counts as outliers, its largest magnitudes, which are dropped; 0 to 1, 0.01
    /// unless given. Where it and the density are more than 1 together, fewer outliers are dropped.
    /// </summary>
    Scalar? Gamma { get; }

    /// <summary>Over what magnitudes are compared. Paper: each <see cref="TrimScope.Row"/>, along the last dimension; mergekit: each <see cref="TrimScope.Tensor"/>.</summary>
    TrimScope? Trim { get; }
}

/// <summary>
/// Model Breadcrumbs: drop the largest elements of each task vector, outliers, and the smallest, add the others up (Davari
/// and Belilovsky 2023, "Model Breadcrumbs: Scaling Multi-Task Model Merging with Sparse Masks"). Of n elements the
/// trunc(gamma n) largest are dropped, and of the others the trunc(density n) largest are kept, of equal magnitudes the
/// lowest flat index first. out = b + lambda * sum w_i d_i over the trimmed d_i.
/// Defaults: Density 0.15 of each row (paper) or 1 of each tensor (mergekit), Gamma 0.01, Normalize false, Rescale None.
/// A density of 1 keeps everything.
/// </summary>
[Method("breadcrumbs", "the sum of task vectors without their outliers and smallest elements")]
public sealed record Breadcrumbs : SparseRecipe, IOutlierTrim
{
    /// <inheritdoc/>
    [Slot("the fraction of each task vector that is dropped as outliers", Min = 0, Max = 1)]
    public Scalar? Gamma { get; init; }

    /// <inheritdoc/>
    [Slot("over what magnitudes are compared")]
    public TrimScope? Trim { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (Breadcrumbs)base.Resolve() with
    {
        Density = Density ?? (IsMergekit ? 1 : 0.15),
        Gamma = Gamma ?? 0.01,
        Trim = Trim ?? (IsMergekit ? TrimScope.Tensor : TrimScope.Row),
        Rescale = Rescale ?? Recipes.Rescale.None,
        Normalize = Normalize ?? false,
    };
}
