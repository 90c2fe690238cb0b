using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// RegMean: W = (Σ W_i G_i) (Σ G_i)^-1 for linear layers (Jin et al. 2023, equation 2, transposed: Gram matrices are symmetric),
/// off-diagonal elements of G_i scaled first; the mean of all other tensors. Sums and the solution are fp64, the result is
/// rounded to fp32 once. See <see cref="RegMean"/>.
/// </summary>
internal sealed unsafe class RegMeanMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <summary>Rows of a Gram matrix that are multiplied at once.</summary>
    private const int PanelRows = 2 * MatrixTile.Size;

    /// <summary>Rows of W that a worker multiplies at once.</summary>
    private const int RowsAtOnce = 32;

    /// <summary>The relative size of a pivot below which it may be rounding of Gram matrices stored in fp32 or less, and in fp64.</summary>
    private const double SmallestPivot = 1.0 / (1 << 24);
    private const double SmallestPivotOfDoubles = 1e-13;

    /// <summary>How far two halves of a Gram matrix may differ, relative to the diagonal.</summary>
    private const double MostAsymmetry = 1e-3;

    private readonly Dictionary<(int Group, int Tensor), NativeBuffer<float>> _solutions = [];

    /// <inheritdoc/>
    public override StatisticsScope Scope => StatisticsScope.Tensor;

    /// <inheritdoc/>
    public override bool AddsBase => false;

    /// <summary>Bytes that solving takes beside the workers' buffers, and the tensor that takes the most of them; none without Gram matrices.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="threads">Worker threads, on which the number of tensors that are prepared together depends.</param>
    public static (long Bytes, TensorPlan? Largest) Memory(MergePlan plan, int threads)
    {
        if (!plan.Parts.Any(p => p.Points[0].Recipe is RegMean))
            return (0, null);
        TensorPlan? largest = null;
        var (most, all, mostElements) = (0L, 0L, 0L);
        foreach (var tensor in plan.Tensors.Where(t => t.Grams.Count > 0))
        {
            all += tensor.ElementCount;
            mostElements = Math.Max(mostElements, tensor.ElementCount);
            if (BytesOf(tensor) <= most)
                continue;
            most = BytesOf(tensor);
            largest = tensor;
        }

        var solved = Math.Min(all, mostElements + (MergeExecutor.BlocksOfWave(threads) * BlockMap.Elements));
        return (most + (solved * sizeof(float) * plan.Points.Count), largest);
    }

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        foreach (var solution in _solutions.Values)
            solution.Dispose();
        _solutions.Clear();
        foreach (var tensor in Plan.MergedIn(first, end).Where(t => t.Grams.Count > 0))
        {
            context.Progress.Phase = "solving " + tensor.Name;
            foreach (var group in Groups)
            {
                var solution = new NativeBuffer<float>(tensor.ElementCount);
                _solutions.Add((group.Index, tensor.Index), solution);
                Solve(context, tensor, ((RegMean)group.Recipe).NonDiagonalRatio!.Value, solution.Pointer);
            }
        }
    }

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        if (_solutions.TryGetValue((group.Index, part.Tensor.Index), out var solution))
        {
            new ReadOnlySpan<float>(solution.Pointer + part.Start, part.Length).CopyTo(new Span<float>(worker.Mix, part.Length));
            return;
        }

        var count = part.Tensor.Experts.Count;
        new Span<float>(worker.Weights, count).Fill(1);
        Kernels.Mix.Weighted(worker.Blocks, worker.Weights, count, count, part.Length, worker.Mix);
    }

    /// <summary>Bytes for one matrix: the sums of G_i and W_i G_i in fp64, one W_i in fp32, some rows of one G_i.</summary>
    private static long BytesOf(TensorPlan tensor)
    {
        var n = tensor.Shape[1];
        return (((n * n) + tensor.ElementCount + (PanelRows * n) + n) * sizeof(double)) + (tensor.ElementCount * sizeof(float));
    }

    private static void Solve(PassContext context, TensorPlan tensor, double ratio, float* solution)
    {
        var (rows, n) = (tensor.Shape[0], tensor.Shape[1]);
        using var gram = new NativeBuffer<double>(n * n);
        using var product = new NativeBuffer<double>(rows * n);
        using (var weights = new NativeBuffer<float>(rows * n))
        using (var panel = new NativeBuffer<double>(PanelRows * n))
        {
            for (var i = 0; i < tensor.Experts.Count; i++)
            {
                ReadWeights(context, tensor, i, weights.Pointer);
                for (var row = 0L; row < n; row += PanelRows)
                {
                    var end = Math.Min(row + PanelRows, n);
                    ReadPanel(context, tensor, i, ratio, row, end, panel.Pointer, gram.Pointer);
                    Multiply(context, weights.Pointer, rows, n, row, (int)(end - row), panel.Pointer, product.Pointer);
                }
            }
        }

        using var limits = new NativeBuffer<double>(n);
        FindLimits(context, tensor, gram.Pointer, limits.Pointer);
        var factor = new CholeskyFactor(gram.Pointer, n, context.Pool);
        if (factor.Factor(limits.Pointer) is >= 0 and var column)
            throw NotInvertible(tensor, column, limits.Pointer[column] == 0);
        factor.Solve(product.Pointer, rows);
        var solved = product.Pointer;
        Chunks(context, 0, tensor.ElementCount, (_, start, length) =>
        {
            for (var e = start; e < start + length; e++)
                solution[e] = (float)solved[e];
        });
    }

    private static void ReadWeights(PassContext context, TensorPlan tensor, int expert, float* weights) =>
        Chunks(context, 0, tensor.ElementCount, (worker, start, length) =>
        {
            context.Progress.Add(worker.Read(tensor.Experts[expert], 0, new SubBlock(tensor, start, length)).Length);
            Widen.ToSingle(worker.Blocks[0], length, weights + start);
        });

    /// <summary>Reads rows of an expert's Gram matrix, scales what is off the diagonal, and adds them to the sum.</summary>
    private static void ReadPanel(PassContext context, TensorPlan tensor, int expert, double ratio, long first, long end, double* panel, double* sum)
    {
        var (gram, n) = (tensor.Grams[expert], tensor.Shape[1]);
        Chunks(context, first * n, end * n, (worker, start, length) =>
        {
            context.Progress.Add(worker.Read(gram, 0, new SubBlock(tensor, start, length)).Length);
            var raw = worker.Blocks[0];
            if (Kernels.NonFinite.FirstIndex(raw, length) is >= 0 and var index)
                throw new InvalidInputException(PlanRules.NotFinite.Id, Place(gram), $"the statistics of expert {expert} hold a value that is not finite at flat index {start + index}.", "Take the statistics again.");
            var wide = raw.Format == FloatFormat.F64 ? (double*)raw.Data : null;
            if (wide is null)
                Widen.ToSingle(raw, length, worker.Mix);
            for (var e = 0; e < length; e++)
            {
                var flat = start + e;
                var value = wide is null ? worker.Mix[e] : wide[e];
                if (flat / n != flat % n)
                    value *= ratio;
                panel[flat - (first * n)] = value;
                sum[flat] += value;
            }
        });
    }

    /// <summary>product += (columns <paramref name="first"/> to first + <paramref name="inner"/> of W) times the panel.</summary>
    private static void Multiply(PassContext context, float* weights, long rows, long n, long first, int inner, double* panel, double* product) =>
        context.Pool.Run(0, (rows + RowsAtOnce - 1) / RowsAtOnce, (_, item) =>
        {
            var row = item * RowsAtOnce;
            var count = (int)Math.Min(RowsAtOnce, rows - row);
            var left = stackalloc double[RowsAtOnce * PanelRows];
            var right = stackalloc double[MatrixTile.Elements];
            for (var r = 0; r < count; r++)
            {
                for (var p = 0; p < inner; p++)
                    left[(r * PanelRows) + p] = weights[((row + r) * n) + first + p];
            }

            for (var column = 0L; column < n; column += MatrixTile.Size)
            {
                var width = (int)Math.Min(MatrixTile.Size, n - column);
                for (var p = 0; p < inner; p += MatrixTile.Size)
                {
                    var depth = Math.Min(MatrixTile.Size, inner - p);
                    MatrixTile.Pack(panel + (p * n) + column, (nint)n, depth, width, right);
                    MatrixTile.MultiplyAdd(left + p, PanelRows, right, product + (row * n) + column, (nint)n, count, depth, width, 1);
                }
            }
        });

    /// <summary>Makes the lower half of the sum the mean of both halves, and finds what pivots have to be above.</summary>
    private static void FindLimits(PassContext context, TensorPlan tensor, double* sum, double* limits)
    {
        var n = tensor.Shape[1];
        var smallest = tensor.Grams.All(g => g.Type == TensorType.F64) ? SmallestPivotOfDoubles : SmallestPivot;
        for (var j = 0L; j < n; j++)
            limits[j] = Math.Max(sum[(j * n) + j], 0) * smallest;
        context.Pool.Run(0, n, (_, i) =>
        {
            for (var j = 0L; j < i; j++)
            {
                var (lower, upper) = (sum[(i * n) + j], sum[(j * n) + i]);
                if (Math.Abs(lower - upper) > MostAsymmetry * Math.Sqrt(Math.Abs(sum[(i * n) + i] * sum[(j * n) + j])))
                    throw new InvalidInputException(PlanRules.BadStatistics.Id, Place(tensor.Grams[0]), $"the sum of the Gram matrices is not symmetric: it has {lower:R} at ({i}, {j}) and {upper:R} at ({j}, {i}).", "A Gram matrix is X^T X, [in, in].");
                sum[(i * n) + j] = (lower + upper) / 2;
            }
        });
    }

    private static InvalidInputException NotInvertible(TensorPlan tensor, long column, bool isZero) => new(
        PlanRules.NotInvertible.Id,
        $"tensor {tensor.Name}",
        isZero
            ? $"the sum of the Gram matrices is not invertible: input {column} of {tensor.Shape[1]} is zero in the data of every expert."
            : $"the sum of the Gram matrices is not invertible: input {column} of {tensor.Shape[1]} is a combination of those before it, as far as the statistics tell.",
        isZero ? "Take the statistics of other data, or leave out the layer's Gram matrices: it is averaged then." : "Take the statistics of more data, or lower NonDiagonalRatio.");

    private static string Place(CheckpointTensor tensor) => $"{tensor.File.FullPath}, tensor {tensor.Name}";

    /// <summary>Shares a run of elements out among the workers, as much at once as a worker's buffers hold.</summary>
    private static void Chunks(PassContext context, long first, long end, Action<Worker, long, int> visit)
    {
        var elements = context.Workers[0].Elements;
        context.Pool.Run(0, (end - first + elements - 1) / elements, (worker, item) =>
        {
            var start = first + (item * elements);
            visit(context.Workers[worker], start, (int)Math.Min(elements, end - start));
        });
    }
}
