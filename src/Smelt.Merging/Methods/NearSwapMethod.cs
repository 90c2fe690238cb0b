using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>out = w x + (1 - w) b with w = min(t / max(|b - x|, 1e-6), 1). See <see cref="NearSwap"/>.</summary>
internal sealed unsafe class NearSwapMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group) =>
        NearMix.Run(worker.Blocks[0], worker.Blocks[1], (float)((NearSwap)part.Tensor.Settings[group.First].Recipe).T!.Value, part.Length, worker.Mix);
}
