using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>The order of a row's magnitudes, and masks by it, against a stable sort.</summary>
public sealed unsafe class RowOrderTests
{
    private static readonly int[] RowLengths = [1, 2, 3, 15, 16, 17, 63, 64, 65, 130, 576, 1000, 4096, 40_000];

    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Every_order_statistic_and_every_rank_is_that_of_a_stable_sort(int width)
    {
        var random = new Random(31);
        var order = new RowOrder(RowLengths[^1]);
        foreach (var n in RowLengths)
        {
            foreach (var values in Rows(random, n))
            {
                using var deltas = new Native<float>(values);
                var falling = Enumerable.Range(0, n).OrderByDescending(e => Code(values[e])).ToArray();
                var rising = Enumerable.Range(0, n).OrderBy(e => Code(values[e])).ToArray();
                At(width, () =>
                {
                    order.Load(deltas.Pointer, n);
                    foreach (var k in new[] { 0, 1, n / 3, n / 2, n - 1, n, n + 1 })
                    {
                        var cut = order.Top(k);
                        for (var e = 0; e < n; e++)
                            Assert.Equal(falling.AsSpan(0, Math.Min(k, n)).Contains(e), Code(values[e]) > cut.Below(e));
                        if (n > 1000)
                            break;
                    }

                    var ranks = new int[n];
                    for (var r = 0; r < n; r++)
                        ranks[rising[r]] = r;
                    for (var e = random.Next(3); e < n; e += 1 + random.Next(Math.Max(1, n / 20)))
                    {
                        if (order.RankOf(e) is >= 0 and var rank)
                            Assert.Equal(ranks[e], rank);
                    }

                    using var wanted = new Native<ulong>((n + 63) / 64);
                    using var found = new Native<int>(n);
                    for (var word = 0; word < wanted.Length; word++)
                        wanted.Span[word] = (ulong)random.NextInt64() ^ ((ulong)random.NextInt64() << 1);
                    if ((n & 63) != 0)
                        wanted.Span[^1] &= (1UL << (n & 63)) - 1;
                    order.Ranks(wanted.Pointer, found.Pointer);
                    for (var e = 0; e < n; e++)
                    {
                        if ((wanted.Span[e / 64] >> (e % 64) & 1) != 0)
                            Assert.Equal(ranks[e], found.Span[e]);
                    }
                });
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void A_mask_has_the_bits_between_two_cuts(int width)
    {
        var random = new Random(32);
        var order = new RowOrder(1000);
        foreach (var n in RowLengths.Where(n => n <= 1000))
        {
            foreach (var values in Rows(random, n))
            {
                using var deltas = new Native<float>(values);
                using var mask = new Native<ulong>((n + 63) / 64);
                var falling = Enumerable.Range(0, n).OrderByDescending(e => Code(values[e])).ToArray();
                for (var i = 0; i < 6; i++)
                {
                    var (top, bottom) = (random.Next(n + 1), random.Next(n + 1));
                    var flat = 4096L * random.Next(3);
                    At(width, () =>
                    {
                        order.Load(deltas.Pointer, n);
                        CutMask.Write(deltas.Pointer, Moved(order.Top(bottom), flat), Moved(order.Top(top), flat), flat, n, mask.Pointer);
                    });
                    for (var e = 0; e < mask.Length * 64; e++)
                        Assert.Equal(e < n && falling.AsSpan(0, bottom).Contains(e) && !falling.AsSpan(0, top).Contains(e), (mask.Span[e / 64] >> (e % 64) & 1) != 0);
                }
            }
        }
    }

    /// <summary>Rows of noise, of few magnitudes, of one, of zeros, of special values, with outliers and of rising size.</summary>
    private static IEnumerable<float[]> Rows(Random random, int n)
    {
        float[] Make(Func<int, float> value) => [.. Enumerable.Range(0, n).Select(value)];
        yield return Make(_ => (float)(random.NextDouble() - 0.5));
        yield return Make(_ => random.Next(-3, 4) * 0.25f);
        yield return Make(_ => random.Next(2) == 0 ? 0.5f : -0.5f);
        yield return new float[n];
        yield return Values(random, n);
        yield return Make(e => e % 100 == 7 ? 1e30f : (float)random.NextDouble() * 1e-3f);
        yield return Make(e => e * -1e-42f);
        yield return Make(e => n - e);
    }

    private static int Code(float value) => float.IsNaN(value) ? 0x7FC00000 : Bits(Math.Abs(value));

    /// <summary>A cut of a row as one of a tensor in which the row begins at an index.</summary>
    private static Cut Moved(Cut cut, long flat) => cut == Cut.All || cut == Cut.None || cut.LastEqual == long.MaxValue ? cut : cut with { LastEqual = cut.LastEqual + flat };
}
