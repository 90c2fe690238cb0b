using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>Task masks against loops that do one element at a time.</summary>
public sealed unsafe class TaskMaskTests
{
    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Every_rule_at_every_length(int width)
    {
        var random = new Random(31);
        foreach (var n in Lengths)
        {
            using var b = new Native<float>(Values(random, n, 40));
            using var x = new Native<float>([.. b.Span.ToArray().Select((v, i) => i % 7 == 0 ? v : v + ((float)random.NextDouble() * 0.1f) - 0.05f)]);
            using var t = new Native<float>([.. Enumerable.Range(0, n).Select(i => i % 11 == 0 ? 0 : i % 13 == 0 ? float.NaN : ((float)random.NextDouble() * 0.1f) - 0.05f)]);
            using var bits = new Native<ulong>([.. Enumerable.Repeat(ulong.MaxValue, ((n + 63) / 64) + 1)]);
            foreach (var rule in Enum.GetValues<MaskRule>())
            {
                At(width, () => TaskMasks.Compute(new RawBlock(b.Pointer, FloatFormat.F32), new RawBlock(x.Pointer, FloatFormat.F32), t.Pointer, rule, 0.4f, n, bits.Pointer));
                for (var e = 0; e < ((n + 63) / 64 * 64); e++)
                    Assert.Equal(e < n && On(rule, b.Span[e], x.Span[e], t.Span[e]), (bits.Span[e / 64] >> (e % 64) & 1) != 0);
                Assert.Equal(ulong.MaxValue, bits.Span[(n + 63) / 64]);
            }
        }
    }

    private static bool On(MaskRule rule, float b, float x, float t)
    {
        var d = x - b;
        return rule switch
        {
            MaskRule.Agreement => (d > 0 && t > 0) || (d < 0 && t < 0),
            MaskRule.Models => Math.Abs(b - x) > Math.Abs((b + t) - x) * 0.4f,
            _ => Math.Abs(b - d) > Math.Abs(t - d) * 0.4f,
        };
    }

    [Fact]
    public void At_least_counts_masks()
    {
        var random = new Random(32);
        foreach (var (count, n) in new[] { (1, 64), (2, 1), (3, 100), (8, 129), (63, 64), (64, 200) })
        {
            const int stride = 5;
            using var masks = new Native<ulong>([.. Enumerable.Range(0, count * stride).Select(_ => (ulong)random.NextInt64() | ((ulong)random.NextInt64() << 30))]);
            using var bits = new Native<ulong>(stride);
            foreach (var atLeast in new[] { 0, 1, 2, count / 2, count - 1, count, count + 1, 1000 })
            {
                TaskMasks.AtLeast(masks.Pointer, count, stride, atLeast, n, bits.Pointer);
                for (var e = 0; e < (n + 63) / 64 * 64; e++)
                {
                    var on = Enumerable.Range(0, count).Sum(i => (int)(masks.Span[(i * stride) + (e / 64)] >> (e % 64) & 1));
                    Assert.Equal(e < n && on >= atLeast, (bits.Span[e / 64] >> (e % 64) & 1) != 0);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Applying_a_mask_keeps_what_is_on(int width)
    {
        var random = new Random(33);
        foreach (var n in Lengths)
        {
            var values = Values(random, n, 10);
            using var mix = new Native<float>(values);
            using var bits = new Native<ulong>([.. Enumerable.Range(0, (n + 63) / 64).Select(_ => (ulong)random.NextInt64())]);
            At(width, () => TaskMasks.Apply(bits.Pointer, mix.Pointer, n));
            for (var e = 0; e < n; e++)
                Assert.Equal((bits.Span[e / 64] >> (e % 64) & 1) != 0 ? Bits(values[e]) : 0, Bits(mix.Span[e]));
        }
    }
}
