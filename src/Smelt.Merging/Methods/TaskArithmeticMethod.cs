using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Task arithmetic: out = b + lambda * sum w_i (x_i - b) (Ilharco et al. 2023). With normalize the sum is divided by the
/// sum of the weights; weights that cancel (magnitude of their sum below 1e-8) divide nothing, as in mergekit.
/// </summary>
internal sealed unsafe class TaskArithmeticMethod(MergePlan plan) : MethodProgram(plan)
{
    private const float SmallestDivisor = 1e-8f;

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

        var divisor = ((TaskArithmetic)group.Recipe).Normalize == true && Math.Abs(sum) >= SmallestDivisor ? sum : 1;
        Kernels.Mix.TaskVectors(worker.Blocks[0], worker.Blocks + 1, worker.Weights, weights.Length, divisor, part.Length, worker.Mix);
    }
}
