using CsCheck;
using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>Order statistics of magnitudes against sorting.</summary>
public sealed unsafe class MagnitudeSearchTests
{
    private const int Block = BlockSum.Elements;

    private static readonly Gen<float[]> GenDeltas = Gen.Select(Gen.Int[0, 6], Gen.Int[1, 9000], Gen.Int[0, int.MaxValue], Make);

    [Fact]
    public void Any_data_any_ranks_any_sample_any_width_finds_what_sorting_finds() =>
        Gen.Select(GenDeltas, Gen.Long[1, 9500].Array[1, 4], Gen.Int[0, 3], Gen.Int[0, Widths.Length - 1], Gen.Bool)
            .Sample((deltas, ranks, sample, width, locate) => At(Widths[width], () => Check(deltas, ranks, sample, locate)), iter: 1600);

    [Fact]
    public void Several_blocks_and_threads_place_the_equals()
    {
        for (var kind = 0; kind <= 6; kind++)
            Check(Make(kind, (3 * Block) + 777, kind), [1, 5000, 70_000, 150_000, (3 * Block) + 777], 1, locate: true);
    }

    [Fact]
    public void A_good_sample_needs_one_pass()
    {
        var deltas = Make(0, 4 * Block, 5);
        Assert.Equal(1, Check(deltas, [deltas.Length / 5, deltas.Length / 2], 1, locate: false, page: 8192));
    }

    [Fact]
    public void A_sample_from_elsewhere_costs_passes_but_no_exactness()
    {
        // The sample holds only values of one sign of the truth: all above it, all below it.
        var deltas = Make(0, 2 * Block, 6);
        foreach (var factor in new[] { 100f, 0.001f, 0f })
        {
            var search = new MagnitudeSearch(deltas.Length, [deltas.Length / 2, 7], 2);
            using var page = new Native<float>([.. deltas.Take(2048).Select(d => (d + 0.01f) * factor)]);
            for (var p = 0; p < 8; p++)
                search.AddSample(page.Pointer, page.Length);

            Passes(search, deltas, 2);
            AssertResults(search, deltas, [deltas.Length / 2, 7], true);
            Assert.InRange(search.Passes, 2, 4);
        }
    }

    [Fact]
    public void Too_few_magnitudes_are_an_error_not_an_endless_search()
    {
        var search = new MagnitudeSearch(10, [10]);
        var tally = search.CreateTally();
        Assert.Throws<InvalidOperationException>(() => search.Finish(tally));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 40)]
    [InlineData(3, 70)]
    public void The_nth_equal_is_located(long rank, int index)
    {
        var values = new float[71];
        values[3] = values[40] = -2;
        values[70] = 2;
        using var native = new Native<float>(values);
        foreach (var width in Widths)
        {
            At(width, () =>
            {
                var left = rank;
                Assert.Equal(index, MagnitudeBits.LocateEqual(native.Pointer, 71, (uint)Bits(2), ref left));
                left = rank + 5;
                Assert.Equal(-1, MagnitudeBits.LocateEqual(native.Pointer, 71, (uint)Bits(2), ref left));
                Assert.Equal(rank + 2, left);
            });
        }
    }

    [Fact]
    public void A_tally_makes_the_deltas_of_a_sub_block_itself()
    {
        var random = new Random(40);
        const int n = 5000;
        using var b = new Native<byte>(Encode(Values(random, n), FloatFormat.BF16));
        using var x = new Native<byte>(Encode(Near(random, Decode(b.Span, FloatFormat.BF16)), FloatFormat.F16));
        using var mask = new Native<ulong>([.. Enumerable.Range(0, 79).Select(_ => (ulong)random.NextInt64())]);
        using var deltas = new Native<float>(n);
        var @base = new RawBlock(b.Pointer, FloatFormat.BF16);
        var expert = new ExpertBlock(new RawBlock(x.Pointer, FloatFormat.F16)) { Mask = mask.Pointer, Divisor = 0.5f, WriteBack = true };
        Deltas.Compute(@base, expert, 0, n, deltas.Pointer);

        var search = new MagnitudeSearch(n, [1000]);
        while (!search.Done)
        {
            var tally = search.CreateTally();
            tally.Add(@base, expert, 0, n, 0);
            search.Finish(tally);
        }

        AssertResults(search, deltas.Span.ToArray(), [1000], false);
    }

    /// <summary>Deltas of a kind: continuous, bf16-quantised, mostly zero, all equal, all zero, rows of very different scale, with NaN and infinity.</summary>
    private static float[] Make(int kind, int n, int seed)
    {
        var random = new Random(seed);
        var values = Values(random, n, kind == 6 ? 40 : 0, 0.01f);
        for (var e = 0; e < n; e++)
        {
            values[e] = kind switch
            {
                1 => FromBits(ToBf16(values[e]) << 16),
                2 => random.Next(10) == 0 ? values[e] : 0,
                3 => e % 2 == 0 ? 0.5f : -0.5f,
                4 => e % 2 == 0 ? 0f : -0f,
                5 => values[e] * MathF.Pow(10, (e / 512 % 7) - 3),
                _ => values[e],
            };
        }

        return values;
    }

    private static int Check(float[] deltas, long[] ranks, int sample, bool locate, int page = 512)
    {
        var blocks = (deltas.Length + Block - 1) / Block;
        var search = new MagnitudeSearch(deltas.Length, ranks, locate ? blocks : 0);
        using var native = new Native<float>(deltas);

        // 0: none; 1: evenly spread pages; 2: the beginning only; 3: single elements.
        page = sample == 3 ? 1 : Math.Max(1, Math.Min(page, deltas.Length / 8));
        for (var p = 0; p < 16 && sample != 0; p++)
        {
            var start = sample == 2 ? 0 : (int)((long)(deltas.Length - page) * p / 15);
            search.AddSample(native.Pointer + start, page);
        }

        Passes(search, deltas, blocks);
        AssertResults(search, deltas, ranks, locate);
        Assert.InRange(search.Passes, 1, 4);
        return search.Passes;
    }

    private static void Passes(MagnitudeSearch search, float[] deltas, int blocks)
    {
        using var native = new Native<float>(deltas);
        while (!search.Done)
        {
            MagnitudeTally[] tallies = [search.CreateTally(), search.CreateTally()];

            // Backwards, in sub-blocks, by two workers.
            for (var block = blocks - 1; block >= 0; block--)
            {
                var end = Math.Min(deltas.Length, (block + 1) * Block);
                for (var start = block * Block; start < end; start += 4096)
                    tallies[start / 4096 % tallies.Length].Add(native.Pointer + start, Math.Min(4096, end - start), block);
            }

            search.Finish(tallies);
        }
    }

    private static void AssertResults(MagnitudeSearch search, float[] deltas, long[] ranks, bool locate)
    {
        var codes = Array.ConvertAll(deltas, d => float.IsNaN(d) ? 0x7FC00000u : (uint)Bits(Math.Abs(d)));
        var order = Enumerable.Range(0, codes.Length).OrderByDescending(e => codes[e]).ThenBy(e => e).ToArray();
        for (var i = 0; i < ranks.Length; i++)
        {
            var last = order[Math.Min(ranks[i], codes.Length) - 1];
            var result = search.Results[i];
            Assert.Equal(codes[last], result.Bits);
            Assert.Equal(codes.Count(c => c > codes[last]), result.Above);
            Assert.Equal(codes.Count(c => c == codes[last]), result.Equal);
            if (!locate || Math.Min(ranks[i], codes.Length) == result.Above + result.Equal)
            {
                Assert.Equal(-1, result.Block);
                continue;
            }

            using var block = new Native<float>(deltas.AsSpan((int)result.Block * Block, Math.Min(Block, deltas.Length - ((int)result.Block * Block))));
            var rank = result.RankInBlock;
            Assert.Equal(last, (result.Block * Block) + MagnitudeBits.LocateEqual(block.Pointer, block.Length, result.Bits, ref rank));
        }
    }
}
