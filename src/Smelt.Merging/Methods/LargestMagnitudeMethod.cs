using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>out = the x_i of largest |x_i| in each element, the first of equals. See <see cref="LargestMagnitude"/>.</summary>
internal sealed unsafe class LargestMagnitudeMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group) =>
        Selection.Largest(worker.Blocks, part.Tensor.Experts.Count, part.Length, worker.Mix);
}
