using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

public sealed unsafe class PhiloxTests
{
    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627E8D5u, 0xE169C58Du, 0xBC57AC4Cu, 0x9B00DBD8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408F276Du, 0x41C83B0Eu, 0xA20BC7C6u, 0x6D5451FDu)]
    [InlineData(0xA4093822u, 0x299F31D0u, 0x243F6A88u, 0x85A308D3u, 0x13198A2Eu, 0x03707344u, 0xD16CFE09u, 0x94FDCCEBu, 0x5001E420u, 0x24126EA1u)]
    public void The_published_vectors_are_met(uint k0, uint k1, uint c0, uint c1, uint c2, uint c3, uint w0, uint w1, uint w2, uint w3) =>
        Assert.Equal((w0, w1, w2, w3), Philox.Block(new PhiloxKey(k0, k1), c0, c1, c2, c3));

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Masks_hold_the_words_of_their_elements(int width)
    {
        var key = PhiloxKey.Of(42, NameHash.Of("expert"));
        var tensor = NameHash.Of("model.layers.0.mlp.up_proj.weight");
        foreach (var start in new[] { 0L, 64, 4096, (1L << 34) - 64, 3L << 34, 1L << 40 })
        {
            foreach (var n in Lengths.Where(n => n < 5000))
            {
                foreach (var density in new[] { 0, 1e-7, 0.1, 0.5, 0.9, 1 })
                {
                    using var bits = new Native<ulong>((n + 63) / 64);
                    var t = Philox.Threshold24(density);
                    At(width, () => Philox.Mask(key, tensor, start, n, t, bits.Pointer));
                    for (var e = 0; e < 64 * bits.Length; e++)
                    {
                        var counter = (ulong)(start + e) / 4;
                        var (w0, w1, w2, w3) = Philox.Block(key, (uint)counter, (uint)(counter >> 32), (uint)tensor, (uint)(tensor >> 32));
                        var word = (e % 4) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
                        var kept = e < n && (word >> 8) * Math.Pow(2, -24) < density;
                        Assert.Equal(kept, (bits.Span[e / 64] >> (e % 64) & 1) == 1);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Draws_are_the_numbers_that_masks_are_made_of(int width)
    {
        var key = PhiloxKey.Of(42, NameHash.Of("expert"));
        foreach (var start in new[] { 0L, 4, 68, 4096, (1L << 34) - 4, 3L << 34, 1L << 40 })
        {
            foreach (var n in Lengths.Where(n => n is > 0 and < 5000))
            {
                using var draws = new Native<uint>((n + 63) / 64 * 64);
                At(width, () => Philox.Draw(key, 5, start, n, draws.Pointer));
                for (var e = 0; e < n; e++)
                {
                    var counter = (ulong)(start + e) / 4;
                    var (w0, w1, w2, w3) = Philox.Block(key, (uint)counter, (uint)(counter >> 32), 5, 0);
                    Assert.Equal((e % 4) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 } >> 8, draws.Span[e]);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Masks_of_several_densities_are_nested(int width)
    {
        const int n = 4096 + 17;
        using var few = new Native<ulong>(65);
        using var many = new Native<ulong>(65);
        At(width, () => Philox.Mask(new PhiloxKey(7, 9), 5, 128, n, Philox.Threshold24(0.1), few.Pointer));
        At(width, () => Philox.Mask(new PhiloxKey(7, 9), 5, 128, n, Philox.Threshold24(0.5), many.Pointer));
        for (var i = 0; i < 65; i++)
            Assert.Equal(0ul, few.Span[i] & ~many.Span[i]);
    }

    [Fact]
    public void The_kept_share_is_the_density()
    {
        const int n = 1 << 20;
        using var bits = new Native<ulong>(n / 64);
        Philox.Mask(PhiloxKey.Of(1, 2), 3, 0, n, Philox.Threshold24(0.3), bits.Pointer);
        var kept = 0L;
        foreach (var word in bits.Span)
            kept += (long)ulong.PopCount(word);

        Assert.InRange(kept, (0.3 * n) - 2500, (0.3 * n) + 2500);
    }

    [Theory]
    [InlineData(0, 0u)]
    [InlineData(-1, 0u)]
    [InlineData(1, 1u << 24)]
    [InlineData(2, 1u << 24)]
    [InlineData(0.5, 1u << 23)]
    [InlineData(1e-9, 1u)]
    [InlineData(0.1, 1677722u)]
    public void The_threshold_counts_the_values_below_the_density(double density, uint threshold) =>
        Assert.Equal(threshold, Philox.Threshold24(density));

    [Fact]
    public void Name_hashes_never_change()
    {
        Assert.Equal(0x2D06800538D394C2ul, NameHash.Of(""));
        Assert.NotEqual(NameHash.Of("a"), NameHash.Of("b"));
    }
}
