using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// The weighted average: out = (sum w_i x_i) / (sum w_i), both sums in fp32 in the order of the experts (Wortsman et al.
/// 2022, "Model soups"). Without normalize the sum is not divided.
/// </summary>
internal sealed unsafe class AverageMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var weights = part.Tensor.Settings[group.First].Weights;
        var sum = 0f;
        for (var i = 0; i < weights.Length; i++)
        {
            worker.Weights[i] = (float)weights[i];
            sum += worker.Weights[i];
        }

        var divisor = ((Average)group.Recipe).Normalize == true ? sum : 1;
        Kernels.Mix.Weighted(worker.Blocks, worker.Weights, weights.Length, divisor, part.Length, worker.Mix);
    }
}
