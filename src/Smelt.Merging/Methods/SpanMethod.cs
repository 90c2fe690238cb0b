using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Methods whose result is a linear combination of their inputs, with coefficients that only depend on inner products: a
/// first pass takes the inner products of each tensor (or of each of its rows or columns) in fp64, the small problem is
/// solved on them, and the second pass combines in fp32. However long a solver iterates, the weights are read twice.
/// </summary>
internal abstract unsafe class SpanMethod(MergePlan plan) : MethodProgram(plan)
{
    private readonly GramPass _pass = new(plan);
    private readonly Dictionary<(int Group, int Tensor), float[]> _coefficients = [];

    /// <inheritdoc/>
    public override StatisticsScope Scope => StatisticsScope.Tensor;

    /// <inheritdoc/>
    public override bool AddsBase => OfTaskVectors;

    /// <summary>Whether the vectors are the experts' differences to the base; else they are the sources as they are, a base first.</summary>
    protected abstract bool OfTaskVectors { get; }

    /// <summary>What counts as one vector.</summary>
    protected virtual VectorExtent Extent => VectorExtent.Tensor;

    /// <summary>The coefficient of each vector.</summary>
    protected abstract void Solve(GramMatrix gram, TensorSettings settings, Span<double> coefficients);

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        context.Progress.Phase = "measuring angles";
        _coefficients.Clear();
        var tensors = Plan.MergedIn(first, end).ToArray();
        foreach (var tensor in tensors)
        {
            var layout = VectorLayout.Of(tensor, Extent);
            foreach (var group in Groups)
                _coefficients.Add((group.Index, tensor.Index), new float[layout.Vectors * _pass.Count(tensor, OfTaskVectors)]);
        }

        _pass.Run(context, tensors, Extent, OfTaskVectors, SolveAll);
    }

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var coefficients = _coefficients[(group.Index, part.Tensor.Index)];
        var count = _pass.Count(part.Tensor, OfTaskVectors);
        var layout = VectorLayout.Of(part.Tensor, Extent);
        for (var done = 0; done < part.Length;)
        {
            var start = part.Start + done;
            switch (layout.Extent)
            {
                case VectorExtent.Row:
                    var row = start / layout.Width;
                    var length = (int)Math.Min(part.Length - done, ((row + 1) * layout.Width) - start);
                    Combine(worker, done, length, coefficients.AsSpan((int)row * count, count));
                    done += length;
                    break;
                case VectorExtent.Column:
                    var column = start % layout.Width;
                    length = (int)Math.Min(part.Length - done, layout.Width - column);
                    CombineColumns(worker, done, length, coefficients, (int)column, (int)layout.Width);
                    done += length;
                    break;
                default:
                    Combine(worker, 0, part.Length, coefficients);
                    done = part.Length;
                    break;
            }
        }
    }

    /// <summary>Solves for the vectors of a tensor from <paramref name="vector"/> on.</summary>
    private void SolveAll(TensorPlan tensor, VectorLayout layout, long vector, ReadOnlySpan<double> products, int count)
    {
        var pairs = InnerProducts.Pairs(count);
        Span<double> solution = stackalloc double[count];
        for (var v = 0; v < products.Length / pairs; v++)
        {
            var gram = new GramMatrix(products.Slice(v * pairs, pairs), count);
            foreach (var group in Groups)
            {
                Solve(gram, tensor.Settings[group.First], solution);
                var target = _coefficients[(group.Index, tensor.Index)];
                for (var i = 0; i < count; i++)
                {
                    // Kernels want the coefficients of a row side by side, those of columns one vector apart.
                    var place = layout.Extent == VectorExtent.Column ? (i * layout.Vectors) + vector + v : ((vector + v) * count) + i;
                    // Where a vector is next to nothing beside the others its coefficient may be beyond fp32; its share stays finite.
                    target[place] = (float)Math.Clamp(solution[i], -float.MaxValue, float.MaxValue);
                }
            }
        }
    }

    private void Combine(Worker worker, int from, int length, ReadOnlySpan<float> coefficients)
    {
        var blocks = stackalloc RawBlock[coefficients.Length];
        var first = OfTaskVectors ? 1 : 0;
        var only = -1;
        for (var i = 0; i < coefficients.Length; i++)
        {
            worker.Weights[i] = coefficients[i];
            blocks[i] = worker.Blocks[first + i].From(from);
            only = coefficients[i] == 0 ? only : only == -1 ? i : -2;
        }

        // At an end of an interpolation the result is an input, down to the sign of its zeros.
        if (!OfTaskVectors && only >= 0 && coefficients[only] == 1)
            Widen.ToSingle(blocks[only], length, worker.Mix + from);
        else if (OfTaskVectors)
            Kernels.Mix.TaskVectors(worker.Blocks[0].From(from), blocks, worker.Weights, coefficients.Length, 1, length, worker.Mix + from);
        else
            Kernels.Mix.Weighted(blocks, worker.Weights, coefficients.Length, 1, length, worker.Mix + from);
    }

    private void CombineColumns(Worker worker, int from, int length, float[] coefficients, int column, int width)
    {
        var @base = worker.Blocks[0].From(from);
        var blocks = worker.Blocks + (OfTaskVectors ? 1 : 0);
        fixed (float* weights = coefficients)
            PairMix.Run(OfTaskVectors ? &@base : null, blocks[0].From(from), blocks[1].From(from), weights + column, weights + width + column, length, worker.Mix + from);
    }
}
