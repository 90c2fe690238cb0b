using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// DARE with TIES (Yu et al. 2024): element e of d_i = x_i - b is kept iff u(seed, expert, tensor, e) &lt; density, and what
/// is kept is divided by the density (or rescaled to the L1 norm of d_i); then, with a trim density below 1, trimmed by
/// magnitude; then elected and combined as in TIES.
/// </summary>
internal sealed class DareTiesMethod(MergePlan plan) : SparseMethod(plan)
{
    /// <inheritdoc/>
    public override bool SharesThresholds => false;

    /// <summary>How often the inputs are read, as a rule.</summary>
    public static int Passes(DareTies dare) => StatisticsPasses(dare, ThinsByMagnitude(dare)) + 1;

    /// <inheritdoc/>
    public override double DropDensity(MixGroup group, TensorPlan tensor, int expert) => tensor.Settings[group.First].Densities[expert];

    /// <inheritdoc/>
    public override double TrimDensity(MixGroup group, TensorPlan tensor, int expert) => ((DareTies)group.Recipe).TrimDensity!.Value;

    /// <inheritdoc/>
    protected override bool Trims(Recipe recipe) => ThinsByMagnitude((DareTies)recipe);

    /// <inheritdoc/>
    protected override ulong Seed(MixGroup group) => (ulong)((DareTies)group.Recipe).Seed!.Value;

    /// <inheritdoc/>
    protected override bool WriteBack(MixGroup group) => ((DareTies)group.Recipe).WriteBack == true;

    private static bool ThinsByMagnitude(DareTies recipe) => recipe.TrimDensity!.Value < 1 || recipe.Cut == Cut.Deviation;
}
