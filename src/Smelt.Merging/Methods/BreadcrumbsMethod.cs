using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Model Breadcrumbs (Davari and Belilovsky 2023): of n elements of d_i = x_i - b the trunc(gamma n) largest are dropped, and
/// of the others the trunc(density n) largest are kept; n is of a tensor, of a row, or of the whole model.
/// <see cref="Breadcrumbs"/>: mix = sum w_i d_i. <see cref="BreadcrumbsTies"/>: elected and combined as in TIES.
/// </summary>
internal sealed unsafe class BreadcrumbsMethod : SparseMethod
{
    private readonly OutlierRows _rows;

    public BreadcrumbsMethod(MergePlan plan)
        : base(plan) => _rows = new OutlierRows(plan, this);

    /// <inheritdoc/>
    public override bool SharesDeltas => true;

    /// <summary>How often the inputs are read, as a rule.</summary>
    public static int Passes(SparseRecipe recipe) => StatisticsPasses(recipe, ((IOutlierTrim)recipe).Trim != TrimScope.Row) + 1;

    /// <inheritdoc/>
    public override TrimScope? ExtentOf(MixGroup group) => ((IOutlierTrim)group.Recipe).Trim is not TrimScope.Row and var trim ? trim : null;

    /// <inheritdoc/>
    public override TrimBounds BoundsOf(MixGroup group, TensorPlan tensor, int expert, long elements) =>
        TrimBounds.OfOutliers(DensityOf(group, tensor, expert), tensor.Settings[group.First].Gammas[expert], elements);

    /// <inheritdoc/>
    protected override void Thin(Worker worker, SubBlock part, MixGroup group, int expert, ref ExpertBlock block)
    {
        if (((IOutlierTrim)group.Recipe).Trim == TrimScope.Row && DensityOf(group, part.Tensor, expert) < 1)
            block.Mask = _rows.Make(worker, part, group, expert).Mask;
    }
}
