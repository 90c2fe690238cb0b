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
        var experts = Plan.Experts.Count;
        var squares = new double[context.Blocks.Count * experts];
        context.Pool.Run(0, context.Blocks.Count, (worker, index) =>
        {
            var block = context.Blocks[index];
            if (block.Tensor.Action == TensorAction.Merge)
                Measure(context, context.Workers[worker], block, squares.AsSpan((int)index * experts, experts));
        });
        _norms = new double[experts];
        for (var i = 0; i < squares.Length; i++)
            _norms[i % experts] += squares[i];
        for (var i = 0; i < experts; i++)
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

    private static void Measure(PassContext context, Worker worker, Block block, Span<double> squares)
    {
        var sums = stackalloc BlockSum[squares.Length];
        for (var i = 0; i < squares.Length; i++)
            sums[i] = default;
        for (var offset = 0; offset < block.Length; offset += worker.Elements)
        {
            var part = new SubBlock(block.Tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
            for (var i = 0; i < squares.Length; i++)
            {
                context.Progress.Add(worker.Read(block.Tensor.Statistics[i], i, part).Length);
                Widen.ToSingle(worker.Blocks[i], part.Length, worker.Mix);
                sums[i].AddProducts(worker.Mix, worker.Mix, part.Length);
            }
        }

        for (var i = 0; i < squares.Length; i++)
            squares[i] = sums[i].Total();
    }
}
