using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// DELLA (Deep, Bhardwaj and Poria 2024): the element of rank r by magnitude among the n of its row of d_i = x_i - b is kept
/// iff u(seed, expert, tensor, e) &lt; density - epsilon + 2 epsilon r / (n - 1), and what is kept is divided by that
/// probability (or rescaled to the L1 norm of d_i). <see cref="DellaLinear"/>: mix = sum w_i d_i. <see cref="Della"/>: elected
/// and combined as in TIES. See <see cref="KeepTable"/> for the arithmetic of probabilities.
/// </summary>
internal sealed unsafe class DellaMethod : SparseMethod
{
    private readonly RandomMasks _random;
    private readonly GradedRows _rows;
    private readonly AxisMasks _columns;
    private readonly MaskCache? _cache;

    public DellaMethod(MergePlan plan)
        : base(plan)
    {
        _random = new RandomMasks(plan, Groups);
        _rows = new GradedRows(plan, Groups, _random);
        _columns = new AxisMasks(plan, Groups, _random);
        if (Groups.Any(g => LooksTwice(g.Recipe)))
            _cache = new MaskCache();
    }

    /// <inheritdoc/>
    public override StatisticsScope Scope => base.Scope == StatisticsScope.None && _columns.Any ? StatisticsScope.Tensor : base.Scope;

    /// <inheritdoc/>
    public override bool SharesDeltas => false;

    /// <summary>How often the inputs are read, as a rule.</summary>
    public static int Passes(SparseRecipe recipe) => StatisticsPasses(recipe, trims: false) + 1;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        // No magnitude is searched for, so that the memory for histograms is free.
        _cache?.Clear(context.Searches * context.Pool.Count * MagnitudeBracket.MostBytes);
        _columns.Prepare(context, first, end);
        base.Prepare(context, first, end);
    }

    /// <inheritdoc/>
    public override TrimScope? ExtentOf(MixGroup group) => null;

    /// <inheritdoc/>
    public override TrimBounds BoundsOf(MixGroup group, TensorPlan tensor, int expert, long elements) => TrimBounds.All;

    /// <inheritdoc/>
    protected override void Thin(Worker worker, SubBlock part, MixGroup group, int expert, ref ExpertBlock block)
    {
        var density = DensityOf(group, part.Tensor, expert);
        if (density >= 1 || (density > 0 && !_random.Has(part.Tensor, expert)))
            return;
        var divides = Settings(group).Rescale == Rescale.Inverse;
        block.Mask = worker.Masks + (expert * worker.MaskWords);
        if (density <= 0)
        {
            new Span<ulong>(block.Mask, worker.MaskWords).Clear();
        }
        else if (_random.AreGiven && !divides)
        {
            _random.Make(worker, part, group, expert, density, block.Mask);
        }
        else if (_columns.Has(part.Tensor))
        {
            block.Mask = _columns.Of(part, group, expert);
        }
        else if (_cache is not null && _cache.Find(group, expert, part) is var known && known is not null)
        {
            block.Mask = known;
        }
        else
        {
            var rows = _rows.Make(worker, part, group, expert);
            block.Mask = rows.Mask;
            block.Divisors = rows.Divisors;
            if (!divides)
                _cache?.Add(group, expert, part, rows.Mask, worker.MaskWords);
        }
    }

    /// <summary>Whether the masks of a recipe are needed for a measurement before the merge.</summary>
    private static bool LooksTwice(Recipe recipe) => StatisticsPasses((SparseRecipe)recipe, trims: false) > 0;
}
