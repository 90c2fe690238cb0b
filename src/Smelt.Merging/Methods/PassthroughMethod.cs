using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>One expert, times a factor where there is one; tensors that need neither that nor another type are copied as bytes instead.</summary>
internal sealed unsafe class PassthroughMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        if (((Passthrough)part.Tensor.Settings[group.First].Recipe).Scale is not { } scale)
        {
            Widen.ToSingle(worker.Blocks[0], part.Length, worker.Mix);
            return;
        }

        worker.Weights[0] = (float)scale.Value;
        Kernels.Mix.Weighted(worker.Blocks, worker.Weights, 1, 1, part.Length, worker.Mix);
    }
}
