using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// SCE: elements of large variance over the experts are selected, experts are weighted by the mean square of their task
/// vector in the tensor, and signs are elected by the unweighted sum. See <see cref="Sce"/>.
/// </summary>
internal sealed unsafe class SceMethod(MergePlan plan) : MethodProgram(plan)
{
    private static readonly Kernels.Election Consensus = new() { Vote = Vote.Sum, Weighted = false, ZeroVote = Kernels.ZeroVote.Positive, Combine = Kernels.Combine.Mean };

    private readonly Dictionary<(int Group, int Tensor), Kernels.Cut> _cuts = [];
    private readonly Dictionary<(int Group, int Tensor), float[]> _weights = [];

    /// <inheritdoc/>
    public override StatisticsScope Scope => StatisticsScope.Tensor;

    /// <summary>How often the inputs of a recipe are read, as a rule.</summary>
    public static int Passes(Sce recipe) =>
        recipe.Tensors.OfType<TensorOverride>().Select(r => r.SelectTopK).Append(recipe.SelectTopK).OfType<Scalar>().Any(s => s.Values.Any(v => v < 1)) ? 4 : 2;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        _cuts.Clear();
        _weights.Clear();
        var tensors = Plan.MergedIn(first, end).ToArray();
        FindCuts(context, tensors);

        context.Progress.Phase = "measuring task vectors";
        var sums = BlockSums.Measure(context, first, end, Groups.Count * Plan.Experts.Count, AddSquares);
        foreach (var tensor in tensors)
        {
            foreach (var group in Groups)
                _weights.Add((group.Index, tensor.Index), Weights(tensor, group, sums[tensor.Index].AsSpan(group.Index * Plan.Experts.Count, Plan.Experts.Count)));
        }
    }

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var mask = Mask(worker, part, group);
        var weights = _weights[(group.Index, part.Tensor.Index)];
        for (var i = 0; i < weights.Length; i++)
            worker.Experts[i] = new ExpertBlock(worker.Blocks[i + 1]) { Weight = weights[i], Mask = mask };
        Sparse.Run(worker.Blocks[0], worker.Experts, weights.Length, Consensus, part.Start, part.Length, worker.Mix);
    }

    /// <summary>The weights of the experts from the sums of their squares.</summary>
    private static float[] Weights(TensorPlan tensor, MixGroup group, ReadOnlySpan<double> squares)
    {
        var total = 0.0;
        foreach (var square in squares)
            total += square / tensor.ElementCount;
        var alike = total <= 0 || total < ((Sce)tensor.Settings[group.First].Recipe).SmallestEnergy!.Value;
        var weights = new float[squares.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = (float)(alike ? 1.0 / weights.Length : squares[i] / tensor.ElementCount / total);
        return weights;
    }

    /// <summary>Finds which elements of tensors are selected, where not all are.</summary>
    private void FindCuts(PassContext context, TensorPlan[] tensors)
    {
        context.Progress.Phase = "finding thresholds";
        var selecting = tensors.Where(t => Groups.Any(g => Fraction(t, g) < 1)).ToArray();
        var searches = new List<(ScoreSearch Search, MixGroup[] Groups)>();
        foreach (var (tensor, varying) in selecting.Zip(CountVarying(context, selecting)))
        {
            var ranks = new List<(long Rank, MixGroup Group)>();
            foreach (var group in Groups.Where(g => Fraction(tensor, g) < 1))
            {
                // The product in fp32, as mergekit forms it.
                var rank = (long)((float)varying * (float)Fraction(tensor, group));
                _cuts.Add((group.Index, tensor.Index), Kernels.Cut.None);
                if (rank > 0)
                    ranks.Add((rank, group));
            }

            if (ranks.Count > 0)
                searches.Add((new ScoreSearch(tensor, [.. ranks.Select(r => r.Rank)], placesEquals: true, Variance), [.. ranks.Select(r => r.Group)]));
        }

        ScoreSearch.Run(context, [.. searches.Select(s => s.Search)]);
        foreach (var (search, groups) in searches)
        {
            for (var i = 0; i < groups.Length; i++)
                _cuts[(groups[i].Index, search.Tensor.Index)] = search.Cuts[i];
        }
    }

    private static double Fraction(TensorPlan tensor, MixGroup group) => ((Sce)tensor.Settings[group.First].Recipe).SelectTopK!.Value;

    /// <summary>The elements of each tensor whose variance is not zero.</summary>
    private long[] CountVarying(PassContext context, TensorPlan[] tensors)
    {
        var counts = new long[tensors.Length];
        var blocks = tensors.SelectMany((t, i) => Enumerable.Range(0, (int)BlockMap.CountOf(t.ElementCount)).Select(b => (Tensor: i, Block: context.Blocks[context.Blocks.FirstOf(t.Index) + b]))).ToArray();
        context.Pool.Run(0, blocks.Length, (worker, index) =>
        {
            var (tensor, block) = blocks[(int)index];
            Walk(context, context.Workers[worker], block, part =>
            {
                Variance(context.Workers[worker], part);
                Interlocked.Add(ref counts[tensor], part.Length - new ReadOnlySpan<float>(context.Workers[worker].Mix, part.Length).Count(0f));
            });
        });
        return counts;
    }

    private void AddSquares(Worker worker, SubBlock part, BlockSum* sums)
    {
        foreach (var group in Groups)
        {
            var mask = Mask(worker, part, group);
            for (var i = 0; i < Plan.Experts.Count; i++)
            {
                Deltas.Compute(worker.Blocks[0], new ExpertBlock(worker.Blocks[i + 1]) { Mask = mask }, part.Start, part.Length, worker.Mix);
                sums[(group.Index * Plan.Experts.Count) + i].AddProducts(worker.Mix, worker.Mix, part.Length);
            }
        }
    }

    private static void Walk(PassContext context, Worker worker, Block block, Action<SubBlock> visit)
    {
        for (var offset = 0; offset < block.Length; offset += worker.Elements)
        {
            var part = new SubBlock(block.Tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
            context.Progress.Add(worker.ReadAll(part));
            visit(part);
        }
    }

    /// <summary>The mask of the selected elements; null where all are.</summary>
    private ulong* Mask(Worker worker, SubBlock part, MixGroup group)
    {
        if (!_cuts.TryGetValue((group.Index, part.Tensor.Index), out var cut))
            return null;
        Variance(worker, part);
        CutMask.Write(worker.Mix, cut, Kernels.Cut.None, part.Start, part.Length, worker.Masks);
        return worker.Masks;
    }

    private void Variance(Worker worker, SubBlock part) =>
        Variances.Compute(worker.Blocks[0], worker.Blocks + 1, Plan.Experts.Count, part.Length, worker.Mix);
}
