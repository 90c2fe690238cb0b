using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>
/// MagMax (Marczak et al. 2024): mix = the d_i = x_i - b of the largest magnitude, the later expert's of equal ones; out = b +
/// lambda * mix. See <see cref="Recipes.MagMax"/>.
/// </summary>
internal sealed unsafe class MagMaxMethod(MergePlan plan) : MethodProgram(plan)
{
    private static readonly Election Largest = new() { Vote = Vote.None, Combine = Combine.Max };

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        // The kernel takes the first of equal magnitudes.
        var count = Plan.Experts.Count;
        for (var i = 0; i < count; i++)
            worker.Experts[i] = new ExpertBlock(worker.Blocks[count - i]);
        Sparse.Run(worker.Blocks[0], worker.Experts, count, Largest, part.Start, part.Length, worker.Mix);
    }
}
