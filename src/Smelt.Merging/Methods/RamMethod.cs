using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// RAM: out = b + Σ over changed of d_i / c, c the number of experts that changed an element by more than epsilon. RAM+
/// scales what only one changed, by counts of a first pass. See <see cref="Ram"/> and <see cref="RamPlus"/>.
/// </summary>
internal sealed unsafe class RamMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <summary>By group and tensor, for each expert the elements that it changed alone and with others; filled by RAM+ alone.</summary>
    private readonly Dictionary<(int Group, int Tensor), long[]> _counts = [];

    /// <inheritdoc/>
    public override StatisticsScope Scope => Plan.Points[0].Recipe is RamPlus ? StatisticsScope.Tensor : StatisticsScope.None;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        if (Scope == StatisticsScope.None)
            return;

        context.Progress.Phase = "counting changes";
        _counts.Clear();
        for (var i = first; i < end; i++)
        {
            foreach (var group in Groups)
                _counts.Add((group.Index, i), new long[2 * Plan.Experts.Count]);
        }

        context.Pool.Run(context.Blocks.FirstOf(first), context.Blocks.FirstOf(end), (worker, index) =>
        {
            var block = context.Blocks[index];
            if (block.Tensor.Action == TensorAction.Merge)
                Count(context, context.Workers[worker], block);
        });
    }

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var recipe = (RamRecipe)part.Tensor.Settings[group.First].Recipe;
        var experts = Plan.Experts.Count;
        for (var i = 0; i < experts; i++)
            worker.Weights[i] = recipe is RamPlus plus ? Factor(plus, _counts[(group.Index, part.Tensor.Index)], i) : 1;
        Changes.Mix(worker.Blocks[0], worker.Blocks + 1, experts, (float)recipe.Epsilon!.Value, worker.Weights, part.Length, worker.Mix);
    }

    private static float Factor(RamPlus recipe, long[] counts, int expert)
    {
        var (own, shared) = (counts[2 * expert], counts[(2 * expert) + 1]);
        // Without own changes the factor applies to nothing; the divisor only has to be above zero.
        var ratio = shared / Math.Max(own, Math.Max(recipe.Epsilon!.Value, double.Epsilon));
        return (float)(1 + (recipe.R!.Value * Math.Min(ratio, recipe.Alpha!.Value)));
    }

    private void Count(PassContext context, Worker worker, Block block)
    {
        var experts = Plan.Experts.Count;
        var counts = new long[2 * experts * Groups.Count];
        for (var offset = 0; offset < block.Length; offset += worker.Elements)
        {
            var part = new SubBlock(block.Tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
            context.Progress.Add(worker.ReadAll(part));
            foreach (var group in Groups)
            {
                var recipe = (RamRecipe)block.Tensor.Settings[group.First].Recipe;
                fixed (long* own = &counts[2 * experts * group.Index])
                    Changes.Count(worker.Blocks[0], worker.Blocks + 1, experts, (float)recipe.Epsilon!.Value, part.Length, own);
            }
        }

        foreach (var group in Groups)
        {
            var totals = _counts[(group.Index, block.Tensor.Index)];
            for (var i = 0; i < totals.Length; i++)
                Interlocked.Add(ref totals[i], counts[(2 * experts * group.Index) + i]);
        }
    }
}
