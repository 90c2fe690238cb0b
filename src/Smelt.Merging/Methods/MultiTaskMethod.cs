using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// TALL masks and Consensus merging (Wang et al. 2024). The multi-task vector t is that of TIES with the recipe's switches, the
/// plain sum of d_i = x_i - b by default. Mask i is on where |b - x_i| &gt; lambda |b + t - x_i|. TALL masks: out = b + t, the
/// masks beside it. Consensus: out = b + t where at least k masks are on, else b. See <see cref="MultiTaskRecipe"/>.
/// </summary>
internal sealed unsafe class MultiTaskMethod(MergePlan plan) : TiesMethod(plan)
{
    /// <summary>How often the inputs are read, as a rule.</summary>
    public static int Passes(MultiTaskRecipe recipe) =>
        StatisticsPasses(recipe, recipe.Cut == Recipes.Cut.Deviation || recipe.Density != 1 || recipe.Experts.Any(e => e.Density is not null)) + 1;

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        base.Mix(worker, part, group);
        var recipe = (MultiTaskRecipe)group.Recipe;
        var rule = recipe.Compare == MaskComparison.BaseWeights ? MaskRule.BaseWeights : MaskRule.Models;
        for (var i = 0; i < Plan.Experts.Count; i++)
            TaskMasks.Compute(worker.Blocks[0], worker.Blocks[i + 1], worker.Mix, rule, (float)recipe.MaskLambda!.Value, part.Length, worker.Masks + (i * worker.MaskWords));
        if (recipe is not Consensus consensus)
            return;
        TaskMasks.AtLeast(worker.Masks, Plan.Experts.Count, worker.MaskWords, (int)Math.Min(consensus.AtLeast!.Value, int.MaxValue), part.Length, worker.Masks);
        TaskMasks.Apply(worker.Masks, worker.Mix, part.Length);
    }
}
