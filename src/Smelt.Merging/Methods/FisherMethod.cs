using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Fisher-weighted averaging: out = Σ c_i (F_i + m) x_i / Σ c_i (F_i + m) (Matena and Raffel 2022, equation 4), c_i the expert's
/// weight, divided by the norm of its Fisher weights where they are normalised. See <see cref="Fisher"/>.
/// </summary>
internal sealed unsafe class FisherMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <summary>|F_i| over all merged tensors, for each expert.</summary>
    private double[] _norms = [];

    /// <inheritdoc/>
    public override StatisticsScope Scope => ((Fisher)Plan.Points[0].Recipe).Normalize == true ? StatisticsScope.Model : StatisticsScope.None;

    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        if (Scope == StatisticsScope.None)
            return;

        context.Progress.Phase = "measuring Fisher weights";
        var sums = BlockSums.Measure(context, first, end, Plan.Experts.Count, Add, Read);
        _norms = new double[Plan.Experts.Count];

        // By name, so that a model's norm does not depend on how it is cut into files.
        foreach (var tensor in Plan.MergedIn(first, end).OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            for (var i = 0; i < _norms.Length; i++)
                _norms[i] += sums[tensor.Index]![i];
        }

        for (var i = 0; i < _norms.Length; i++)
            _norms[i] = Math.Sqrt(_norms[i]);
    }

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var settings = part.Tensor.Settings[group.First];
        var recipe = (Fisher)settings.Recipe;
        var minimal = recipe.MinimalWeight!.Value;
        var experts = settings.Weights.Length;
        var scale = 0.0;
        foreach (var norm in _norms)
            scale += 1 / Divisor(norm, minimal);
        for (var i = 0; i < experts; i++)
            worker.Weights[i] = (float)(recipe.Normalize == true ? settings.Weights[i] / Divisor(_norms[i], minimal) / scale : settings.Weights[i]);

        var negative = FisherMix.Run(worker.Blocks, worker.Blocks + experts, worker.Weights, experts, (float)minimal, part.Length, worker.Mix);
        if (negative is not ({ } expert, var index))
            return;
        var statistics = part.Tensor.Statistics[expert];
        throw new InvalidInputException(
            PlanRules.BadStatistics.Id,
            $"{statistics.File.FullPath}, tensor {statistics.Name}",
            $"the Fisher weight at flat index {part.Start + index} is below zero; a mean of squares can't be.",
            "Take the mean of squared gradients.");
    }

    /// <summary>What a norm divides by; an expert without any Fisher weight is as good as one of the smallest norm there is.</summary>
    private static double Divisor(double norm, double minimal) => Math.Max(norm + minimal, float.Epsilon);

    private static int Read(Worker worker, SubBlock part)
    {
        var bytes = 0;
        for (var i = 0; i < part.Tensor.Statistics.Count; i++)
            bytes += worker.Read(part.Tensor.Statistics[i], i, part).Length;
        return bytes;
    }

    private static void Add(Worker worker, SubBlock part, BlockSum* sums)
    {
        for (var i = 0; i < part.Tensor.Statistics.Count; i++)
        {
            Widen.ToSingle(worker.Blocks[i], part.Length, worker.Mix);
            sums[i].AddProducts(worker.Mix, worker.Mix, part.Length);
        }
    }
}
