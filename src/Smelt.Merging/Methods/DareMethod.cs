using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// DARE (Yu et al. 2024): element e of d_i = x_i - b is kept iff u(seed, expert, tensor, e) &lt; density, and what is kept is
/// divided by the density (or rescaled to the L1 norm of d_i); MergeLM's variants drop by magnitude, or thin x_i itself. <see cref="DareLinear"/>: mix = sum w_i d_i.
/// <see cref="DareTies"/>: with a trim density below 1 trimmed by magnitude, then elected and combined as in TIES.
/// </summary>
internal sealed unsafe class DareMethod : SparseMethod
{
    private readonly RandomMasks _masks;
    private readonly SmallestDrop _smallest;

    public DareMethod(MergePlan plan)
        : base(plan)
    {
        _masks = new RandomMasks(plan, Groups);
        _smallest = new SmallestDrop(plan, Groups);
    }

    /// <inheritdoc/>
    public override StatisticsScope Scope => base.Scope == StatisticsScope.None && _smallest.Groups.Count > 0 ? StatisticsScope.Tensor : base.Scope;

    /// <inheritdoc/>
    public override bool SharesDeltas => false;

    /// <summary>How often the inputs are read, as a rule.</summary>
    public static int Passes(SparseRecipe dare) =>
        StatisticsPasses(dare, dare is DareTies ties && (ties.TrimDensity!.Value < 1 || ties.Cut == Recipes.Cut.Deviation)) + (((IDare)dare).Drop == Drop.Smallest ? 1 : 0) + 1;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        _smallest.Find(context, first, end);
        base.Prepare(context, first, end);
    }

    /// <inheritdoc/>
    public override TrimScope? ExtentOf(MixGroup group) =>
        group.Recipe is DareTies { Cut: not Recipes.Cut.Deviation, TrimDensity.Value: < 1 } dare ? dare.Trim : null;

    /// <inheritdoc/>
    public override double? ShareOf(MixGroup group, TensorPlan tensor, int expert) =>
        group.Recipe is DareTies { Cut: Recipes.Cut.Share, TrimDensity.Value: > 0 and < 1 and var density } ? density : null;

    /// <inheritdoc/>
    public override TrimBounds BoundsOf(MixGroup group, TensorPlan tensor, int expert, long elements)
    {
        var dare = (DareTies)group.Recipe;
        return TrimBounds.Of(dare.Cut!.Value, dare.TrimDensity!.Value, elements);
    }

    /// <inheritdoc/>
    protected override void Thin(Worker worker, SubBlock part, MixGroup group, int expert, ref ExpertBlock block)
    {
        var dare = (IDare)group.Recipe;
        block.WriteBack = dare.WriteBack == true;
        if (dare.OnWeights == true)
            block.Origin = Origin.Weights;
        var density = DensityOf(group, part.Tensor, expert);
        var bits = worker.Masks + (expert * worker.MaskWords);
        if (density >= 1)
            return;
        if (dare.Drop == Drop.Smallest)
        {
            block.Floor = _smallest.FloorOf(group, part.Tensor, expert);
        }
        else
        {
            if (!_masks.Has(part.Tensor, expert))
                return;
            _masks.Make(worker, part, group, expert, density, bits);
            block.Mask = bits;
        }

        if (Settings(group).Rescale == Rescale.Inverse && density > 0)
            block.Divisor = (float)density;
    }
}
