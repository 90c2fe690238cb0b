using System.Runtime.CompilerServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// What TIES and DARE-TIES share: each expert's task vector is made sparse (random drop, rescale, write-back, magnitude
/// trim), signs are elected, and what agrees is combined. out = b + lambda * mix.
/// </summary>
internal abstract unsafe class SparseMethod : MethodProgram
{
    private readonly MagnitudeTrim _trim;
    private readonly L1Ratios _ratios;
    private readonly Kernels.ZeroVote[] _assumed;
    private readonly PhiloxKey[][] _keys;
    private bool _guessed;

    protected SparseMethod(MergePlan plan)
        : base(plan)
    {
        _trim = new MagnitudeTrim(plan, this);
        _ratios = new L1Ratios(plan, this);
        _assumed = [.. Groups.Select(g => Settings(g).ZeroVote switch
        {
            Recipes.ZeroVote.Nothing => Kernels.ZeroVote.Nothing,
            _ => Kernels.ZeroVote.Positive,
        })];
        _keys = [.. Groups.Select(g => plan.Experts.Select(e => PhiloxKey.Of(Seed(g), NameHash.Of(e.Identity))).ToArray())];
    }

    /// <inheritdoc/>
    public override StatisticsScope Scope =>
        Groups.All(g => !Trims(g.Recipe) && Settings(g).Rescale != Rescale.L1) ? StatisticsScope.None
        : Groups.Any(g => Trims(g.Recipe) && Settings(g).Trim == TrimScope.Model) ? StatisticsScope.Model
        : StatisticsScope.Tensor;

    /// <summary>The fraction that the random drop keeps; 1 where nothing is dropped at random.</summary>
    public abstract double DropDensity(MixGroup group, TensorPlan tensor, int expert);

    /// <summary>The fraction that the magnitude trim keeps; 1 where nothing is trimmed.</summary>
    public abstract double TrimDensity(MixGroup group, TensorPlan tensor, int expert);

    /// <summary>Whether groups with the same drop share thresholds: without a random drop all do.</summary>
    public abstract bool SharesThresholds { get; }

    /// <summary>Whether a recipe trims by magnitude at all.</summary>
    protected abstract bool Trims(Recipe recipe);

    /// <summary>The seed of the random masks.</summary>
    protected abstract ulong Seed(MixGroup group);

    /// <summary>Whether thinned experts are written back as base + delta.</summary>
    protected abstract bool WriteBack(MixGroup group);

    /// <summary>The switches of a group.</summary>
    public static TrimmedRecipe Settings(MixGroup group) => (TrimmedRecipe)group.Recipe;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        _trim.Find(context, first, end);
        _ratios.Measure(context, first, end);
        if (Scope == StatisticsScope.Model && !_guessed)
            GuessMajorities(context);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var experts = Plan.Experts.Count;
        for (var i = 0; i < experts; i++)
            worker.Experts[i] = Pipeline(worker, part, group, i, complete: true);
        var counts = default(ElectionCounts);
        Sparse.Run(worker.Blocks[0], worker.Experts, experts, ElectionOf(group), part.Start, part.Length, worker.Mix, CountsVotes(group) ? &counts : null);
        worker.Balances[group.First] += (int)(counts.Positive - counts.Negative);
        worker.ZeroVotes[group.First] += (int)counts.Contested;
    }

    /// <inheritdoc/>
    public override bool Recheck(VoteCounts votes)
    {
        var again = false;
        foreach (var group in Groups.Where(CountsVotes))
        {
            var right = Majority(group, votes.Balances[group.First]);
            again |= right != _assumed[group.Index] && votes.ZeroVotes[group.First] > 0;
            _assumed[group.Index] = right;
        }

        return again;
    }

    /// <summary>
    /// One expert's pipeline for a sub-block that the worker has read; its mask is drawn or read here.
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
            WriteBack = WriteBack(group),
        };
        var density = DropDensity(group, part.Tensor, expert);
        if (density < 1 && Mask(worker, part, group, expert, density))
        {
            block.Mask = worker.Masks + (expert * worker.MaskWords);
            if (Settings(group).Rescale == Rescale.Inverse && density > 0)
                block.Divisor = (float)density;
        }

        if (complete)
        {
            block.Keep = _trim.CutOf(group, part.Tensor, expert);
            block.Ratio = _ratios.Of(group, part.Tensor, expert);
        }

        return block;
    }

    /// <summary>Makes the mask of an expert; false where a mask file has none for it, so that all is kept.</summary>
    private bool Mask(Worker worker, SubBlock part, MixGroup group, int expert, double density)
    {
        var bits = worker.Masks + (expert * worker.MaskWords);
        if (Plan.Masks is null)
        {
            Philox.Mask(_keys[group.Index][expert], worker.TensorHash(part.Tensor), part.Start, part.Length, Philox.Threshold24(density), bits);
            return true;
        }

        if (!Plan.Masks.TryGet(MaskFiles.Name(expert, part.Tensor.Name), out var mask))
            return false;
        worker.ReadMask(mask, part, bits);
        return true;
    }

    private Kernels.Election ElectionOf(MixGroup group)
    {
        var settings = Settings(group);
        return new Kernels.Election
        {
            Vote = settings.Election switch
            {
                Recipes.Election.None => Vote.None,
                Recipes.Election.Count => Vote.Count,
                _ => Vote.Sum,
            },
            Weighted = settings.Election is Recipes.Election.Sum or Recipes.Election.None,
            ZeroVote = _assumed[group.Index],
            Combine = settings.Combine == Recipes.Combine.Max ? Kernels.Combine.Max
                : settings.Normalize == true ? Kernels.Combine.Mean
                : Kernels.Combine.Sum,
        };
    }

    private static bool CountsVotes(MixGroup group) =>
        Settings(group) is { Election: not Recipes.Election.None, ZeroVote: Recipes.ZeroVote.Majority or Recipes.ZeroVote.MajorityOrNothing };

    /// <summary>What a zero vote elects, given positive minus negative elections over the whole model.</summary>
    private static Kernels.ZeroVote Majority(MixGroup group, long balance) => balance switch
    {
        > 0 => Kernels.ZeroVote.Positive,
        < 0 => Kernels.ZeroVote.Negative,
        // The TIES repository then keeps negatives, but its maximum comes out as nothing.
        _ => Settings(group) is { ZeroVote: Recipes.ZeroVote.Majority, Combine: not Recipes.Combine.Max } ? Kernels.ZeroVote.Negative : Kernels.ZeroVote.Nothing,
    };

    /// <summary>
    /// Guesses the majority from a sample, since it is known only after all elections; <see cref="Recheck"/> repairs a
    /// wrong guess, so it shows in the time alone.
    /// </summary>
    private void GuessMajorities(PassContext context)
    {
        var worker = context.Workers[0];
        var pages = SamplePages.Of(context.Plan, 0, context.Plan.Tensors.Count, SamplePages.ForMajority);
        foreach (var group in Groups.Where(CountsVotes))
        {
            var counts = default(ElectionCounts);
            foreach (var part in pages)
            {
                worker.ReadAll(part);
                for (var i = 0; i < Plan.Experts.Count; i++)
                    worker.Experts[i] = Pipeline(worker, part, group, i, complete: true);
                counts += Sparse.CountVotes(worker.Blocks[0], worker.Experts, Plan.Experts.Count, ElectionOf(group), part.Start, part.Length);
            }

            _assumed[group.Index] = Majority(group, counts.Positive - counts.Negative);
        }

        _guessed = true;
    }
}
