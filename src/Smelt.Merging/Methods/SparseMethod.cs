using System.Runtime.CompilerServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// What the methods share that make each expert's task vector sparse (drop, rescale, write-back, magnitude trim): signs are
/// elected, unless the method has no election, and what agrees is combined. out = b + lambda * mix.
/// </summary>
internal abstract unsafe class SparseMethod : MethodProgram, ITrimmed
{
    private readonly MagnitudeTrim _trim;
    private readonly L1Ratios _ratios;
    private readonly VectorStatistics _statistics;
    private readonly AgreeingSpan _span;
    private readonly Kernels.ZeroVote[] _assumed;

    /// <summary>Positive minus negative signs that a sample elected, for each group.</summary>
    private readonly long[] _sampled;
    private bool _guessed;
    private bool _known;

    protected SparseMethod(MergePlan plan)
        : base(plan)
    {
        _trim = new MagnitudeTrim(plan, this, Groups.Count);
        OnePass = OnePassTrim.Create(this);
        _ratios = new L1Ratios(plan, this);
        _statistics = new VectorStatistics(plan, this);
        _span = new AgreeingSpan(plan, Groups.Where(Spans), LoadAgreeing);
        _sampled = new long[Groups.Count];
        _assumed = [.. Groups.Select(g => (g.Recipe as ElectedRecipe)?.ZeroVote switch
        {
            Recipes.ZeroVote.Nothing => Kernels.ZeroVote.Nothing,
            Recipes.ZeroVote.Negative => Kernels.ZeroVote.Negative,
            _ => Kernels.ZeroVote.Positive,
        })];
    }

    /// <inheritdoc/>
    public override StatisticsScope Scope =>
        Groups.All(g => !LooksAtVectors(g) && Settings(g).Rescale != Rescale.L1 && !Spans(g)) ? StatisticsScope.None
        : Groups.Any(g => LooksAtVectors(g) && ScopeOf(g) == TrimScope.Model) ? StatisticsScope.Model
        : StatisticsScope.Tensor;

    /// <inheritdoc/>
    public override OnePassTrim? OnePass { get; }

    /// <inheritdoc/>
    public abstract bool SharesDeltas { get; }

    private bool LooksAtVectors(MixGroup group) => ExtentOf(group) is not null || VectorStatistics.HasBands(group) || VectorStatistics.HasNorms(group);

    private static bool Spans(MixGroup group) => AgreeingSpan.IsMedian(group.Recipe) || AgreeingSpan.IsStock(group.Recipe);

    /// <inheritdoc/>
    public abstract TrimScope? ExtentOf(MixGroup group);

    /// <inheritdoc/>
    public virtual double? ShareOf(MixGroup group, TensorPlan tensor, int expert) => null;

    /// <inheritdoc/>
    public abstract TrimBounds BoundsOf(MixGroup group, TensorPlan tensor, int expert, long elements);

    /// <inheritdoc/>
    public ExpertBlock Untrimmed(Worker worker, SubBlock part, MixGroup group, int expert) => Pipeline(worker, part, group, expert, complete: false);

    /// <summary>What is done to an expert's task vector before the trim: a drop and its rescale. Nothing unless overridden.</summary>
    protected virtual void Thin(Worker worker, SubBlock part, MixGroup group, int expert, ref ExpertBlock block)
    {
    }

    /// <summary>How often the inputs of a recipe are read before the merge, as a rule.</summary>
    protected static int StatisticsPasses(SparseRecipe recipe, bool trims) =>
        (trims ? recipe is TrimmedRecipe { Cut: Recipes.Cut.Share } ? 3 : 1 : 0)
        + (recipe.Rescale == Rescale.L1 ? 1 : 0)
        + (recipe is ElectedRecipe { Election: Recipes.Election.NormFraction or Recipes.Election.NormMass } ? 1 : 0)
        + (AgreeingSpan.IsMedian(recipe) || AgreeingSpan.IsStock(recipe) ? 1 : 0);

    /// <summary>The switches of a group.</summary>
    public static SparseRecipe Settings(MixGroup group) => (SparseRecipe)group.Recipe;

    /// <summary>Over what a group measures task vectors.</summary>
    public static TrimScope ScopeOf(MixGroup group) => group.Recipe switch
    {
        TrimmedRecipe trimmed => trimmed.Trim!.Value,
        IOutlierTrim outliers => outliers.Trim!.Value,
        _ => TrimScope.Tensor,
    };

    /// <summary>The fraction of an expert's task vector that is kept in a tensor.</summary>
    protected static double DensityOf(MixGroup group, TensorPlan tensor, int expert) => tensor.Settings[group.First].Densities[expert];

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        _trim.Find(context, first, end, OnePass is null ? null : OnePass.Holds);
        _statistics.FindBands(context, first, end);
        _ratios.Measure(context, first, end);
        _statistics.FindNorms(context, first, end);
        if (Scope != StatisticsScope.Tensor && !_guessed && !Plan.Merged.Any(t => OnePass?.Holds(t) == true))
            GuessMajorities(context);
        _span.Measure(context, first, end);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var experts = Plan.Experts.Count;
        var votes = Begin(worker, part, group);
        var election = ElectionOf(group) with { ZeroVote = worker.Assumed[group.First] };
        var counts = default(ElectionCounts);
        var counted = CountsVotes(group) ? &counts : null;
        var contested = new ContestedList { Mixes = (float*)worker.Scratch, Indices = (ushort*)(worker.Scratch + (part.Length * sizeof(float))) };
        if (AgreeingSpan.IsMedian(group.Recipe))
            MixMedian(worker, part, group, election, counted, votes);
        else
            Sparse.Run(worker.Blocks[0], worker.Experts, experts, election, part.Start, part.Length, worker.Mix, counted, votes, worker.Contested is null ? null : &contested);
        worker.Contested?.Add(worker, part, contested);
        if (AgreeingSpan.IsStock(group.Recipe))
            _span.Scale(worker, part, group);
        worker.Balances[group.First] += counts.Balance;
        worker.ZeroVotes[group.First] += (int)counts.Contested;
    }

    /// <summary>
    /// Makes the pipelines of all experts for a sub-block of a tensor that is trimmed in one pass; returns how they elect. Where votes are counted
    /// a zero vote elects some sign, so that it shows which of them matter.
    /// </summary>
    public Kernels.Election BeginOpen(Worker worker, SubBlock part, MixGroup group)
    {
        Begin(worker, part, group);
        var election = ElectionOf(group);
        return CountsVotes(group) ? election with { ZeroVote = Kernels.ZeroVote.Positive } : election;
    }

    /// <inheritdoc/>
    public override Kernels.ZeroVote ZeroVote => _assumed[0];

    /// <remarks>
    /// A sample is a coin flip where signs are nearly balanced, but what most blocks elected so far is what most blocks elect more often than not. Blocks that
    /// can't be mended one by one assume the same, so that all are right at best.
    /// </remarks>
    /// <inheritdoc/>
    public override void Assume(Worker worker, VoteCounts votes)
    {
        for (var i = 0; i < Groups.Count; i++)
        {
            var group = Groups[i];
            worker.Assumed[group.First] = _known || worker.Contested is null || !CountsVotes(group) ? _assumed[group.Index]
                : _sampled[group.Index] + Volatile.Read(ref votes.Balances[group.First]) < 0 ? Kernels.ZeroVote.Negative
                : Kernels.ZeroVote.Positive;
        }
    }

    /// <inheritdoc/>
    public override bool ListsContested => Plan.Points.Count == 1 && Plan.MaskOutputs is null && CountsVotes(Groups[0])
        && Groups[0].Recipe is ElectedRecipe { Election: not Recipes.Election.SignFile } and not MultiTaskRecipe && !Spans(Groups[0]);

    /// <summary>Makes the pipelines of all experts for columns of a tensor that stand one after another in the worker's blocks; their cuts are given.</summary>
    public void BeginColumns(Worker worker, SubBlock columns, MixGroup group, Func<int, Kernels.Cut> cutOf)
    {
        for (var i = 0; i < Plan.Experts.Count; i++)
            worker.Experts[i] = Pipeline(worker, columns, group, i, complete: true) with { Keep = cutOf(i) };
    }

    /// <summary>As <see cref="Mix"/>, for columns that were begun.</summary>
    public void MixColumns(Worker worker, SubBlock columns, MixGroup group) =>
        Sparse.Run(worker.Blocks[0], worker.Experts, Plan.Experts.Count, ElectionOf(group), columns.Start, columns.Length, worker.Mix);

    /// <summary>Counts the votes of columns that were begun.</summary>
    public ElectionCounts CountColumns(Worker worker, SubBlock columns, MixGroup group) =>
        Sparse.CountVotes(worker.Blocks[0], worker.Experts, Plan.Experts.Count, ElectionOf(group), columns.Start, columns.Length);

    /// <summary>Takes what the majority of the whole model's signs is, of positive minus negative ones.</summary>
    public void TakeMajority(MixGroup group, long balance)
    {
        _assumed[group.Index] = Majority(group, balance);
        _guessed = true;
    }

    /// <summary>Puts the votes of a block that were counted before into what the journal keeps of it.</summary>
    public void PutVotes(Worker worker, MixGroup group, HeldBlock block)
    {
        worker.Balances[group.First] = block.Balance;
        worker.ZeroVotes[group.First] = block.ZeroVotes;
        worker.Assumed[group.First] = _assumed[group.Index];
    }

    /// <summary>The share of elements whose vote is zero although a delta is not, as a sample has it.</summary>
    public double ContestedShare(PassContext context, MixGroup group)
    {
        var (counts, elements) = SampleVotes(context, group);
        return (double)counts.Contested / Math.Max(1, elements);
    }

    /// <inheritdoc/>
    public override bool Recheck(VoteCounts votes)
    {
        var again = false;
        foreach (var group in Groups.Where(CountsVotes))
        {
            var right = Majority(group, votes.Balances[group.First]);
            again |= votes.AnyBut(right, group.First);
            _assumed[group.Index] = right;
        }

        _guessed = _known = true;
        return again;
    }

    /// <summary>
    /// One expert's pipeline for a sub-block that the worker has read; its mask is made here.
    /// </summary>
    /// <param name="worker">The worker that has read the sub-block.</param>
    /// <param name="part">The sub-block.</param>
    /// <param name="group">The group.</param>
    /// <param name="expert">The expert.</param>
    /// <param name="complete">Whether trim and L1 ratio are known and applied; without them it is what thresholds are taken of.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public ExpertBlock Pipeline(Worker worker, SubBlock part, MixGroup group, int expert, bool complete)
    {
        var block = new ExpertBlock(worker.Blocks[expert + 1])
        {
            Weight = (float)part.Tensor.Settings[group.First].Weights[expert],
        };
        Thin(worker, part, group, expert, ref block);
        if (complete)
        {
            (block.Keep, block.Drop) = OnePass is not null && OnePass.TryCut(part.Tensor, expert, out var cut) ? (cut, Kernels.Cut.None) : _trim.CutsOf(group, part.Tensor, expert);
            block.KeepFrom = _trim.KeepFrom(group, part.Tensor, expert);
            block.Ratio = _ratios.Of(group, part.Tensor, expert);
            _statistics.Complete(ref block, group, part.Tensor, expert);
        }

        return block;
    }

    /// <summary>
    /// Makes the pipelines of all experts for a sub-block that the worker has read; returns the votes that the recipe gives
    /// for it, or null where the experts elect.
    /// </summary>
    private float* Begin(Worker worker, SubBlock part, MixGroup group)
    {
        for (var i = 0; i < Plan.Experts.Count; i++)
            worker.Experts[i] = Pipeline(worker, part, group, i, complete: true);
        if (group.Recipe is not ElectedRecipe { Election: Recipes.Election.SignFile } || !Plan.Signs!.TryGet(part.Tensor.Name, out var signs))
            return null;
        var votes = worker.ReadFloats(signs, part);
        if (new ReadOnlySpan<float>(votes, part.Length).IndexOf(float.NaN) is >= 0 and var index)
            throw new InvalidInputException(PlanRules.BadMask.Id, $"{signs.File.FullPath}, tensor {signs.Name}", $"the value at flat index {part.Start + index} is NaN, which has no sign.", "Make the file again.");
        return votes;
    }

    /// <summary>Makes what agrees among the experts' deltas, weights included.</summary>
    private LoadVectors LoadAgreeing(MixGroup group) => (worker, part, from, length, rows) =>
    {
        // Sub-blocks are loaded from their first element on.
        if (from == 0)
            worker.Votes = Begin(worker, part, group);
        Agree(worker, part, ElectionOf(group), from, length, rows, null, worker.Votes);
    };

    private void Agree(Worker worker, SubBlock part, in Kernels.Election election, int from, int length, float* rows, ElectionCounts* counts, float* votes)
    {
        Sparse.Agreeing(worker.Blocks[0], worker.Experts, Plan.Experts.Count, election, part.Start, from, length, rows, counts, votes);
        for (var i = 0; i < Plan.Experts.Count && !election.Weighted; i++)
            Scaling.Run(rows + (i * Simd.Stride), worker.Experts[i].Weight, length);
    }

    /// <summary>The combination of what agrees with the coefficients of its geometric median.</summary>
    private void MixMedian(Worker worker, SubBlock part, MixGroup group, in Kernels.Election election, ElectionCounts* counts, float* votes)
    {
        var experts = Plan.Experts.Count;
        var rows = stackalloc float[(experts + 1) * Simd.Stride];
        var blocks = stackalloc RawBlock[experts];
        for (var i = 0; i < experts; i++)
            blocks[i] = new RawBlock(rows + (i * Simd.Stride), FloatFormat.F32);
        fixed (float* coefficients = _span.Of(group, part.Tensor))
        {
            for (var e = 0; e < part.Length; e += Simd.Chunk)
            {
                var length = Math.Min(part.Length - e, Simd.Chunk);
                Agree(worker, part, election, e, length, rows, counts, votes);
                Kernels.Mix.Weighted(blocks, coefficients, experts, 1, length, worker.Mix + e);
            }
        }
    }

    private Kernels.Election ElectionOf(MixGroup group)
    {
        if (group.Recipe is not ElectedRecipe settings)
            return new Kernels.Election { Vote = Vote.None, Weighted = true, Combine = Settings(group).Normalize == true ? Kernels.Combine.Mean : Kernels.Combine.Sum };
        return new Kernels.Election
        {
            Vote = settings.Election switch
            {
                Recipes.Election.None => Vote.None,
                Recipes.Election.Count => Vote.Count,
                Recipes.Election.NormFraction => Vote.NormFraction,
                Recipes.Election.NormMass => Vote.NormMass,
                Recipes.Election.SignFile => Vote.Given,
                _ => Vote.Sum,
            },
            Weighted = settings.Election is Recipes.Election.Sum or Recipes.Election.None,
            ZeroVote = _assumed[group.Index],
            Combine = settings.Combine == Recipes.Combine.Max ? Kernels.Combine.Max
                : settings.Combine == Recipes.Combine.Median ? Kernels.Combine.Median
                : settings.Normalize == true ? Kernels.Combine.Mean
                : Kernels.Combine.Sum,
            SignsAll = settings.Disjoint == false && settings.Election != Recipes.Election.None,
            SkipsZeros = settings.Disjoint == true && settings.Election == Recipes.Election.None,
        };
    }

    /// <summary>Whether the majority of signs of a group decides zero votes.</summary>
    public static bool CountsVotes(MixGroup group) =>
        group.Recipe is ElectedRecipe { Election: not Recipes.Election.None, ZeroVote: Recipes.ZeroVote.Majority or Recipes.ZeroVote.MajorityOrNothing };

    /// <summary>What a zero vote elects, given positive minus negative elections over the whole model.</summary>
    private static Kernels.ZeroVote Majority(MixGroup group, long balance) => balance switch
    {
        > 0 => Kernels.ZeroVote.Positive,
        < 0 => Kernels.ZeroVote.Negative,
        // The TIES repository then keeps negatives, but what it multiplies by the sign comes out as nothing.
        _ => group.Recipe is ElectedRecipe { ZeroVote: Recipes.ZeroVote.Majority, Combine: not Recipes.Combine.Max, Disjoint: true } ? Kernels.ZeroVote.Negative : Kernels.ZeroVote.Nothing,
    };

    /// <summary>
    /// Guesses the majority from a sample, since it is known only after all elections; <see cref="Recheck"/> repairs a
    /// wrong guess, so it shows in the time alone.
    /// </summary>
    private void GuessMajorities(PassContext context)
    {
        foreach (var group in Groups.Where(CountsVotes))
        {
            _sampled[group.Index] = SampleVotes(context, group).Counts.Balance;
            TakeMajority(group, _sampled[group.Index]);
        }

        _guessed = true;
    }

    /// <summary>Counts the votes of some pages of the model.</summary>
    private (ElectionCounts Counts, long Elements) SampleVotes(PassContext context, MixGroup group)
    {
        var worker = context.Workers[0];
        var counts = default(ElectionCounts);
        var elements = 0L;
        foreach (var part in SamplePages.Of(context.Plan, 0, context.Plan.Tensors.Count, SamplePages.ForMajority))
        {
            worker.ReadAll(part);
            var votes = Begin(worker, part, group);
            counts += Sparse.CountVotes(worker.Blocks[0], worker.Experts, Plan.Experts.Count, ElectionOf(group), part.Start, part.Length, votes);
            elements += part.Length;
        }

        return (counts, elements);
    }
}
