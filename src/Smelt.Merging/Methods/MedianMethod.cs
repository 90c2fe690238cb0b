using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>out = the ⌈N/2⌉-th smallest of x_1 ... x_N in each element. See <see cref="Median"/>.</summary>
internal sealed unsafe class MedianMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group) =>
        Selection.Median(worker.Blocks, part.Tensor.Experts.Count, part.Length, worker.Mix);
}
