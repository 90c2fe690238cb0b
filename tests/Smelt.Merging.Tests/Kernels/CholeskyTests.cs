using CsCheck;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Methods;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>The factorisation solves, finds what has no inverse, and gives the same bits for every number of workers and every width.</summary>
public sealed unsafe class CholeskyTests
{
    private static readonly Gen<int> Sizes = Gen.OneOf(Gen.Int[1, 8], Gen.Int[62, 66], Gen.Int[126, 140]);

    /// <summary>A^T A + 1 for a random A.</summary>
    private static double[] Positive(Random random, int n)
    {
        var a = new double[n * n];
        for (var i = 0; i < a.Length; i++)
            a[i] = random.NextDouble() - 0.5;
        var s = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                s[(i * n) + j] = i == j ? 1 : 0;
                for (var k = 0; k < n; k++)
                    s[(i * n) + j] += a[(k * n) + i] * a[(k * n) + j];
            }
        }

        return s;
    }

    private static (long Failed, double[] Solution) Run(double[] matrix, double[] right, int n, int threads, double limit = 0)
    {
        using var pool = new WorkerPool(threads, CancellationToken.None);
        using var s = new Native<double>(matrix);
        using var r = new Native<double>(right);
        using var limits = new Native<double>([.. Enumerable.Repeat(limit, n)]);
        var factor = new CholeskyFactor(s.Pointer, n, pool);
        var failed = factor.Factor(limits.Pointer);
        if (failed < 0)
            factor.Solve(r.Pointer, right.Length / n);
        return (failed, r.Span.ToArray());
    }

    [Fact]
    public void A_solution_times_the_matrix_is_the_right_side() => Gen.Select(Sizes, Gen.Int[1, 70], Gen.Int).Sample(
        (n, rows, seed) =>
        {
            var random = new Random(seed);
            var s = Positive(random, n);
            double[] right = [.. Enumerable.Range(0, rows * n).Select(_ => random.NextDouble() - 0.5)];
            var (failed, x) = Run(s, right, n, 2);
            Assert.Equal(-1, failed);
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < n; j++)
                    Assert.Equal(right[(i * n) + j], Enumerable.Range(0, n).Sum(k => x[(i * n) + k] * s[(k * n) + j]), 1e-10);
            }
        },
        iter: 30,
        threads: 1);

    [Fact]
    public void Workers_and_widths_never_show()
    {
        foreach (var n in new[] { 1, 7, 63, 64, 65, 131, 200 })
        {
            var random = new Random(n);
            var s = Positive(random, n);
            double[] right = [.. Enumerable.Range(0, 45 * n).Select(_ => random.NextDouble())];
            var expected = Array.Empty<double>();
            At(32, () => expected = Run(s, right, n, 1).Solution);
            foreach (var width in Widths)
            {
                foreach (var threads in new[] { 1, 2, 5 })
                    At(width, () => Assert.Equal(expected.Select(BitConverter.DoubleToInt64Bits), Run(s, right, n, threads).Solution.Select(BitConverter.DoubleToInt64Bits)));
            }
        }
    }

    [Theory]
    [InlineData(5, 3)]
    [InlineData(70, 0)]
    [InlineData(70, 66)]
    [InlineData(140, 139)]
    public void A_column_that_depends_on_earlier_ones_is_found(int n, int column)
    {
        // The column is the sum of those before it, or nothing where it is the first.
        var s = Positive(new Random(1), n);
        var from = Enumerable.Range(0, column).ToArray();
        double At(int i, int j) => i == column && j == column ? from.Sum(a => from.Sum(b => s[(a * n) + b])) : i == column ? from.Sum(a => s[(a * n) + j]) : j == column ? from.Sum(a => s[(i * n) + a]) : s[(i * n) + j];
        double[] singular = [.. from i in Enumerable.Range(0, n) from j in Enumerable.Range(0, n) select At(i, j)];
        Assert.Equal(column, Run(singular, new double[n], n, 2, 1e-9).Failed);
        Assert.Equal(-1, Run(s, new double[n], n, 2, 1e-9).Failed);
    }

    [Fact]
    public void A_product_of_tiles_is_added_at_every_width()
    {
        foreach (var width in Widths)
        {
            var random = new Random(5);
            foreach (var (rows, inner, columns) in new[] { (1, 1, 1), (4, 3, 16), (5, 64, 64), (33, 17, 63), (64, 64, 64), (3, 9, 31) })
            {
                using var a = new Native<double>([.. Enumerable.Range(0, rows * inner).Select(_ => random.NextDouble())]);
                using var b = new Native<double>([.. Enumerable.Range(0, inner * MatrixTile.Size).Select(_ => random.NextDouble())]);
                using var c = new Native<double>([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextDouble())]);
                double[] expected = [.. c.Span];
                for (var i = 0; i < rows; i++)
                {
                    for (var j = 0; j < columns; j++)
                    {
                        for (var p = 0; p < inner; p++)
                            expected[(i * columns) + j] += -a.Span[(i * inner) + p] * b.Span[(p * MatrixTile.Size) + j];
                    }
                }

                var (left, right, sum) = ((nint)a.Pointer, (nint)b.Pointer, (nint)c.Pointer);
                At(width, () => MatrixTile.MultiplyAdd((double*)left, inner, (double*)right, (double*)sum, columns, rows, inner, columns, -1));
                Assert.Equal(expected, c.Span.ToArray());
            }
        }
    }
}
