using System.Buffers;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// The expert's elements whose importance, |x - b| times the divergence of their row, is at least median + 1.5 (q3 - q1) of
/// their tensor; the base's elsewhere. See <see cref="ArceeFusion"/>.
/// </summary>
internal sealed unsafe class ArceeFusionMethod(MergePlan plan) : MethodProgram(plan)
{
    private const float Fence = 1.5f;

    private readonly Dictionary<int, float[]> _divergences = [];
    private readonly Dictionary<int, float> _thresholds = [];

    /// <inheritdoc/>
    public override StatisticsScope Scope => StatisticsScope.Tensor;

    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        _divergences.Clear();
        _thresholds.Clear();
        var tensors = Plan.MergedIn(first, end).ToArray();
        MeasureRows(context, tensors);
        context.Progress.Phase = "finding thresholds";
        var searches = Array.ConvertAll(tensors, t => new ScoreSearch(t, [Rank(t, 1), Rank(t, 2), Rank(t, 3)], placesEquals: false, (worker, part) => Compute(worker, part, null)));
        ScoreSearch.Run(context, searches);
        foreach (var search in searches)
        {
            var quartiles = search.Cuts.Select(c => BitConverter.UInt32BitsToSingle(c.Bits)).ToArray();
            _thresholds.Add(search.Tensor.Index, quartiles[1] + (Fence * (quartiles[2] - quartiles[0])));
        }
    }

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group) => Compute(worker, part, _thresholds[part.Tensor.Index]);

    /// <summary>The rank, from the largest, of a quartile: the element at sorted position trunc(q (n - 1)).</summary>
    private static long Rank(TensorPlan tensor, int quartile) => tensor.ElementCount - (long)(quartile / 4.0 * (tensor.ElementCount - 1));

    private static VectorLayout Rows(TensorPlan tensor) => VectorLayout.Of(tensor, VectorExtent.Row);

    /// <summary>Scores of a sub-block, or its merge where there is a threshold; row by row, as each has its divergence.</summary>
    private void Compute(Worker worker, SubBlock part, float? threshold)
    {
        var divergences = _divergences[part.Tensor.Index];
        var width = Rows(part.Tensor).Width;
        for (var done = 0; done < part.Length;)
        {
            var row = (part.Start + done) / width;
            var length = (int)Math.Min(part.Length - done, ((row + 1) * width) - part.Start - done);
            var (b, x) = (worker.Blocks[0].From(done), worker.Blocks[1].From(done));
            if (threshold is { } least)
                Importance.Choose(b, x, divergences[row], least, length, worker.Mix + done);
            else
                Importance.Scores(b, x, divergences[row], length, worker.Mix + done);
            done += length;
        }
    }

    private void MeasureRows(PassContext context, TensorPlan[] tensors)
    {
        context.Progress.Phase = "measuring rows";
        var pieces = new List<(TensorPlan Tensor, long Row, long End)>();
        foreach (var tensor in tensors)
        {
            var layout = Rows(tensor);
            _divergences.Add(tensor.Index, new float[layout.Vectors]);
            var step = Math.Max(1, BlockMap.Elements / layout.Width);
            for (var row = 0L; row < layout.Vectors; row += step)
                pieces.Add((tensor, row, Math.Min(row + step, layout.Vectors)));
        }

        context.Pool.Run(0, pieces.Count, (worker, i) =>
        {
            var (tensor, row, end) = pieces[(int)i];
            for (; row < end; row++)
                _divergences[tensor.Index][row] = Divergence(context, context.Workers[worker], tensor, row);
        });
    }

    private static float Divergence(PassContext context, Worker worker, TensorPlan tensor, long row)
    {
        var width = checked((int)Rows(tensor).Width);
        var values = ArrayPool<double>.Shared.Rent(2 * width);
        for (var done = 0; done < width; done += worker.Elements)
        {
            var part = new SubBlock(tensor, (row * width) + done, Math.Min(worker.Elements, width - done));
            context.Progress.Add(worker.ReadAll(part));
            for (var source = 0; source < 2; source++)
            {
                Widen.ToSingle(worker.Blocks[source], part.Length, worker.Mix);
                for (var i = 0; i < part.Length; i++)
                    values[(source * width) + done + i] = worker.Mix[i];
            }
        }

        var divergence = (float)Importance.Divergence(values.AsSpan(0, width), values.AsSpan(width, width));
        ArrayPool<double>.Shared.Return(values);
        return divergence;
    }
}
