using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// TIES (Yadav et al. 2023): d_i = x_i - b trimmed to its largest magnitudes; elected sign of the sum over experts; mix =
/// sum over agreeing of w_i d_i / sum over agreeing of w_i; out = b + lambda * mix. Thresholds are of each tensor or of the
/// whole model.
/// </summary>
internal sealed class TiesMethod(MergePlan plan) : SparseMethod(plan)
{
    /// <inheritdoc/>
    public override bool SharesThresholds => true;

    /// <summary>How often the inputs are read, as a rule.</summary>
    public static int Passes(Ties ties) => StatisticsPasses(ties, trims: true) + 1;

    /// <inheritdoc/>
    public override double TrimDensity(MixGroup group, TensorPlan tensor, int expert) => tensor.Settings[group.First].Densities[expert];

    /// <inheritdoc/>
    protected override bool Trims(Recipe recipe) => true;
}
