using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

public sealed unsafe class MixTests
{
    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Weighted_sums_have_the_bits_of_the_plain_loop(int width)
    {
        var random = new Random(10);
        foreach (var n in Lengths)
        {
            foreach (var count in new[] { 1, 2, 3, 8 })
                Check(random, width, n, count, [Formats[random.Next(3)]], count == 3 ? 1f : 2.3f, random.Next(2) == 0);
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Inputs_of_different_formats_are_widened_first(int width)
    {
        var random = new Random(11);
        foreach (var n in new[] { 1, 511, 1500 })
        {
            Check(random, width, n, 5, Formats, 3f, true);
            Check(random, width, n, 64, Formats, 1f, false);
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Weights_of_one_and_any_divisor_have_the_bits_of_the_plain_loop(int width)
    {
        var random = new Random(12);
        foreach (var divisor in (float[])[1, 2, 8, 3, 7, 0.1f, -3, 0, 1e-30f, 1e30f, float.NaN, float.PositiveInfinity])
        {
            foreach (var format in Formats)
            {
                Check(random, width, 1500, 8, [format], divisor, false, weighted: false);
                Check(random, width, 333, 3, [format], divisor, true, weighted: false);
            }
        }
    }

    private static void Check(Random random, int width, int n, int count, FloatFormat[] formats, float divisor, bool withBase, bool weighted = true)
    {
        var b = Values(random, n, 20);
        var formatOfBase = formats[random.Next(formats.Length)];
        using var baseRaw = new Native<byte>(Encode(b, formatOfBase));
        b = Decode(baseRaw.Span, formatOfBase);

        var raws = new Native<byte>[count];
        var inputs = new RawBlock[count];
        var values = new float[count][];
        var weights = Values(random, count);
        if (!weighted)
            Array.Fill(weights, 1);
        for (var i = 0; i < count; i++)
        {
            var format = formats[random.Next(formats.Length)];
            raws[i] = new Native<byte>(Encode(Near(random, b, 30), format));
            inputs[i] = new RawBlock(raws[i].Pointer, format);
            values[i] = Decode(raws[i].Span, format);
        }

        var expected = new float[n];
        for (var e = 0; e < n; e++)
        {
            var sum = 0f;
            for (var i = 0; i < count; i++)
            {
                var term = withBase ? values[i][e] - b[e] : values[i][e];
                term *= weights[i];
                sum += term;
            }

            expected[e] = divisor == 1 ? sum : sum / divisor;
        }

        using var mix = new Native<float>(n);
        At(width, () =>
        {
            fixed (RawBlock* blocks = inputs)
            fixed (float* w = weights)
            {
                if (withBase)
                    Mix.TaskVectors(new RawBlock(baseRaw.Pointer, formatOfBase), blocks, w, count, divisor, n, mix.Pointer);
                else
                    Mix.Weighted(blocks, w, count, divisor, n, mix.Pointer);
            }
        });
        AssertSame(expected, mix.Span, $"width {width}, {n} elements, {count} inputs");
        foreach (var raw in raws)
            raw.Dispose();
    }
}
