using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>One task vector behind a mask: out = b + lambda * mask * (x - b). See <see cref="Recipes.Masked"/>.</summary>
internal sealed unsafe class MaskedMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var expert = new ExpertBlock(worker.Blocks[1]);
        if (Plan.Masks!.TryGet(part.Tensor.Name, out var mask))
        {
            if (mask.ElementCount == part.Tensor.ElementCount)
                worker.ReadMask(mask, part, worker.Masks);
            else
                worker.ReadBits(mask, part, worker.Masks);
            expert.Mask = worker.Masks;
        }

        Sparse.Run(worker.Blocks[0], &expert, 1, default, part.Start, part.Length, worker.Mix);
    }
}
