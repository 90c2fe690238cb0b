using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>
/// EMR-Merging (Huang et al. 2024): of every parameter the sign of Σ d_i, negative where that is 0, and the largest magnitude
/// among the d_i = x_i - b of that sign make the unified task vector u; out = b + u. Mask j is on where d_j u &gt; 0; rescaler j
/// is Σ over tensors of mean |d_j| / Σ over tensors of mean |mask_j u|, which takes a second pass. See <see cref="Recipes.Emr"/>.
/// </summary>
internal sealed unsafe class EmrMethod(MergePlan plan) : MethodProgram(plan)
{
    private const int SumsOfExpert = 2;

    private static readonly Election Unified = new() { Vote = Vote.Sum, ZeroVote = ZeroVote.Negative, Combine = Combine.Max };

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var count = Plan.Experts.Count;
        for (var i = 0; i < count; i++)
            worker.Experts[i] = new ExpertBlock(worker.Blocks[i + 1]);
        Sparse.Run(worker.Blocks[0], worker.Experts, count, Unified, part.Start, part.Length, worker.Mix);
        for (var i = 0; i < count; i++)
            TaskMasks.Compute(worker.Blocks[0], worker.Blocks[i + 1], worker.Mix, MaskRule.Agreement, 0, part.Length, worker.Masks + (i * worker.MaskWords));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<float> Rescalers(PassContext context, MixGroup group)
    {
        context.Progress.Phase = "measuring rescalers";
        var sums = BlockSums.Measure(context, 0, Plan.Tensors.Count, Plan.Experts.Count * SumsOfExpert, (worker, part, totals) => Measure(worker, part, group, totals));
        var totals = new double[Plan.Experts.Count * SumsOfExpert];
        foreach (var tensor in Plan.MergedIn(0, Plan.Tensors.Count).OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            var own = sums[tensor.Index]!;
            for (var i = 0; i < totals.Length; i++)
                totals[i] += own[i] / tensor.ElementCount;
        }

        var rescalers = new float[Plan.Experts.Count];
        for (var i = 0; i < rescalers.Length; i++)
        {
            // Where nothing of the unified vector is the expert's there is nothing to rescale.
            var rescaler = (float)(totals[i * SumsOfExpert] / totals[(i * SumsOfExpert) + 1]);
            rescalers[i] = float.IsFinite(rescaler) ? rescaler : 1;
        }

        return rescalers;
    }

    private void Measure(Worker worker, SubBlock part, MixGroup group, BlockSum* sums)
    {
        Mix(worker, part, group);
        for (var i = 0; i < Plan.Experts.Count; i++)
        {
            sums[(i * SumsOfExpert) + 1].AddMagnitudes(worker.Mix, worker.Masks + (i * worker.MaskWords), part.Length);
            Deltas.Compute(worker.Blocks[0], new ExpertBlock(worker.Blocks[i + 1]), part.Start, part.Length, (float*)worker.Scratch);
            sums[i * SumsOfExpert].AddMagnitudes((float*)worker.Scratch, null, part.Length);
        }
    }
}
