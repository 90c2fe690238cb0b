using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

public sealed unsafe class BlockSumTests
{
    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Sums_have_sixteen_lanes_added_in_order(int width)
    {
        var random = new Random(30);
        foreach (var n in Lengths)
        {
            using var a = new Native<float>(Values(random, n, 0, 1e20f));
            using var b = new Native<float>(Values(random, n, n > 4000 ? 0 : 1000));
            using var mask = new Native<ulong>((n + 63) / 64);
            for (var w = 0; w < mask.Length; w++)
                mask.Span[w] = (ulong)random.NextInt64();

            double[] all = new double[16], masked = new double[16], squares = new double[16], products = new double[16];
            for (var e = 0; e < n; e++)
            {
                all[e % 16] += Math.Abs(b.Span[e]);
                masked[e % 16] += (mask.Span[e / 64] >> (e % 64) & 1) == 1 ? Math.Abs(b.Span[e]) : 0;
                squares[e % 16] += (double)b.Span[e] * b.Span[e];
                products[e % 16] += (double)a.Span[e] * b.Span[e];
            }

            At(width, () =>
            {
                Check(all, n, (ref sum, e, m) => sum.AddMagnitudes(b.Pointer + e, null, m));
                Check(masked, n, (ref sum, e, m) => sum.AddMagnitudes(b.Pointer + e, mask.Pointer + (e / 64), m));
                Check(squares, n, (ref sum, e, m) => sum.AddProducts(b.Pointer + e, b.Pointer + e, m));
                Check(products, n, (ref sum, e, m) => sum.AddProducts(a.Pointer + e, b.Pointer + e, m));
            });
        }
    }

    private delegate void Add(ref BlockSum sum, int start, int n);

    /// <summary>At once, and in parts of 4096.</summary>
    private static void Check(double[] lanes, int n, Add add)
    {
        var expected = 0.0;
        foreach (var lane in lanes)
            expected += lane;

        var whole = default(BlockSum);
        add(ref whole, 0, n);
        var parts = default(BlockSum);
        for (var start = 0; start < n; start += 4096)
            add(ref parts, start, Math.Min(4096, n - start));

        var bits = double.IsNaN(expected) ? 0x7FF8000000000000 : BitConverter.DoubleToInt64Bits(expected);
        Assert.Equal(bits, BitConverter.DoubleToInt64Bits(whole.Total()));
        Assert.Equal(bits, BitConverter.DoubleToInt64Bits(parts.Total()));
    }
}
