using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// TIES (Yadav et al. 2023): d_i = x_i - b trimmed to its largest magnitudes; elected sign of the sum over experts; mix =
/// sum over agreeing of w_i d_i / sum over agreeing of w_i; out = b + lambda * mix. Thresholds are of each tensor or of the
/// whole model.
/// </summary>
internal class TiesMethod(MergePlan plan) : SparseMethod(plan)
{
    /// <inheritdoc/>
    public override bool SharesDeltas => true;

    /// <summary>How often the inputs are read, as a rule.</summary>
    public static int Passes(Ties ties) => StatisticsPasses(ties, trims: true) + 1;

    /// <inheritdoc/>
    public override TrimScope? ExtentOf(MixGroup group) => ((TrimmedRecipe)group.Recipe) is { Cut: not Cut.Deviation } ties ? ties.Trim : null;

    /// <inheritdoc/>
    public override double? ShareOf(MixGroup group, TensorPlan tensor, int expert) =>
        ((TrimmedRecipe)group.Recipe).Cut == Cut.Share && DensityOf(group, tensor, expert) is > 0 and < 1 and var density ? density : null;

    /// <inheritdoc/>
    public override TrimBounds BoundsOf(MixGroup group, TensorPlan tensor, int expert, long elements) =>
        TrimBounds.Of(((TrimmedRecipe)group.Recipe).Cut!.Value, DensityOf(group, tensor, expert), elements);
}
