using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>out = x + alpha (x - b), x = Σ w_i x_i / Σ w_i (Zheng et al. 2024, equation 1). See <see cref="ExPO"/>.</summary>
internal sealed unsafe class ExPOMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var settings = part.Tensor.Settings[group.First];
        var sum = 0f;
        for (var i = 0; i < settings.Weights.Length; i++)
        {
            worker.Weights[i] = (float)settings.Weights[i];
            sum += worker.Weights[i];
        }

        Kernels.Mix.Weighted(worker.Blocks + 1, worker.Weights, settings.Weights.Length, sum, part.Length, worker.Mix);
        Extrapolation.Run(worker.Blocks[0], (float)((ExPO)settings.Recipe).Alpha!.Value, part.Length, worker.Mix);
    }
}
