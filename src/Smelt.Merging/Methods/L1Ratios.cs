using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// The L1 rescale: what is kept of a tensor's task vector is multiplied by sum|d| / sum|kept d|, both sums in fp64 in a
/// fixed shape; not at all where either is below 1e-7.
/// </summary>
internal sealed unsafe class L1Ratios(MergePlan plan, SparseMethod method)
{
    private const double Smallest = 1e-7;

    private readonly float[]?[][] _ratios = [.. method.Groups.Select(_ => new float[]?[plan.Tensors.Count])];

    /// <summary>The ratio of an expert in a tensor; 1 where nothing was measured.</summary>
    public float Of(MixGroup group, TensorPlan tensor, int expert) =>
        _ratios[group.Index][tensor.Index] is { } ratios ? ratios[expert] : 1;

    /// <summary>Measures the tensors from <paramref name="first"/> up to <paramref name="end"/>, once their trim is known.</summary>
    public void Measure(PassContext context, int first, int end)
    {
        var groups = method.Groups.Where(g => SparseMethod.Settings(g).Rescale == Rescale.L1).ToArray();
        if (groups.Length == 0)
            return;

        context.Progress.Phase = "measuring norms";
        var experts = plan.Experts.Count;
        var sums = BlockSums.Measure(context, first, end, experts * (groups.Length + 1), (worker, part, totals) => Add(worker, part, groups, totals));
        foreach (var tensor in context.Plan.MergedIn(first, end))
        {
            var totals = sums[tensor.Index]!;
            for (var g = 0; g < groups.Length; g++)
                _ratios[groups[g].Index][tensor.Index] = [.. plan.Experts.Select((_, e) => Ratio(totals[e], totals[((g + 1) * experts) + e]))];
        }
    }

    private static float Ratio(double all, double kept) => all < Smallest || kept < Smallest ? 1 : (float)(all / kept);

    private void Add(Worker worker, SubBlock part, MixGroup[] groups, BlockSum* sums)
    {
        for (var expert = 0; expert < plan.Experts.Count; expert++)
        {
            Deltas.Compute(worker.Blocks[0], new ExpertBlock(worker.Blocks[expert + 1]), part.Start, part.Length, worker.Mix);
            sums[expert].AddMagnitudes(worker.Mix, null, part.Length);
            for (var g = 0; g < groups.Length; g++)
            {
                Deltas.Compute(worker.Blocks[0], method.Pipeline(worker, part, groups[g], expert, complete: true), part.Start, part.Length, worker.Mix);
                sums[((g + 1) * plan.Experts.Count) + expert].AddMagnitudes(worker.Mix, null, part.Length);
            }
        }
    }
}
