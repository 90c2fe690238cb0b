using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

public sealed unsafe class FormatTests
{
    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Every_16_bit_pattern_is_widened_exactly_and_comes_back(int width)
    {
        var patterns = new ushort[65536];
        for (var i = 0; i < patterns.Length; i++)
            patterns[i] = (ushort)i;

        using var raw = new Native<ushort>(patterns);
        using var wide = new Native<float>(patterns.Length);
        using var back = new Native<ushort>(patterns.Length);
        foreach (var format in new[] { FloatFormat.BF16, FloatFormat.F16 })
        {
            At(width, () =>
            {
                Widen.ToSingle(new RawBlock(raw.Pointer, format), raw.Length, wide.Pointer);
                Apply.Store(wide.Pointer, wide.Length, new RawBlock(back.Pointer, format));
            });
            for (var i = 0; i < patterns.Length; i++)
            {
                var value = format == FloatFormat.F16 ? (float)BitConverter.UInt16BitsToHalf((ushort)i) : FromBits(i << 16);
                var nan = float.IsNaN(value);
                Assert.Equal(nan ? 0x7FC00000 : Bits(value), Bits(wide.Span[i]));
                Assert.Equal(nan ? format == FloatFormat.F16 ? 0x7E00 : 0x7FC0 : i, back.Span[i]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Rounding_is_to_nearest_even_around_every_16_bit_value(int width)
    {
        // Every half and bfloat16, its neighbours and the middles between them, each one fp32 ulp around; and random patterns.
        var values = new List<float>();
        for (var i = 0; i < 65536; i += 3)
        {
            foreach (var bits in new[] { i << 16, Bits((float)BitConverter.UInt16BitsToHalf((ushort)i)) })
            {
                foreach (var offset in new[] { 0, 1, -1, 0x7FFF, 0x8000, 0x8001, 0xFFF, 0x1000, 0x1001, 0x3000, 0x1FFF })
                    values.Add(FromBits(bits + offset));
            }
        }

        // Middles between subnormal halves.
        for (var i = 0; i <= 2048; i++)
        {
            var middle = (float)((i + 0.5) * Math.Pow(2, -24));
            values.AddRange([middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle), -middle]);
        }

        var random = new Random(1);
        for (var i = 0; i < 100_000; i++)
            values.Add(FromBits((int)random.NextInt64(uint.MaxValue)));

        using var input = new Native<float>([.. values]);
        using var output = new Native<ushort>(values.Count);
        foreach (var format in new[] { FloatFormat.BF16, FloatFormat.F16 })
        {
            At(width, () => Apply.Store(input.Pointer, input.Length, new RawBlock(output.Pointer, format)));
            var expected = Rounded([.. values], format);
            for (var e = 0; e < values.Count; e++)
            {
                var wanted = BitConverter.ToUInt16(expected, 2 * e);
                if (wanted != output.Span[e])
                    Assert.Fail($"{format}: 0x{Bits(values[e]):X8} became 0x{output.Span[e]:X4}, expected 0x{wanted:X4}.");
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Affine_adds_the_scaled_mix_and_rounds_once_for_every_pair_of_formats(int width)
    {
        var random = new Random(2);
        foreach (var n in Lengths)
        {
            foreach (var from in Formats)
            {
                using var raw = new Native<byte>(Encode(Values(random, n, 8), from));
                var b = Decode(raw.Span, from);
                using var mix = new Native<float>(Values(random, n, 8));
                var sums = new float[n];
                for (var e = 0; e < n; e++)
                {
                    var product = 0.7f * mix.Span[e];
                    sums[e] = b[e] + product;
                }

                foreach (var to in Formats)
                {
                    using var output = new Native<byte>(n * to.Size());
                    At(width, () => Apply.Affine(new RawBlock(raw.Pointer, from), mix.Pointer, 0.7f, n, new RawBlock(output.Pointer, to)));
                    Assert.True(output.Span.SequenceEqual(Rounded(sums, to)), $"{from} to {to}, {n} elements");
                }
            }
        }
    }

    [Fact]
    public void Doubles_are_rounded_to_single_once_and_widened_exactly()
    {
        double[] doubles = [1 + Math.Pow(2, -24), 1 + (3 * Math.Pow(2, -24)), 1e300, -1e-320, double.NaN, 0.1];
        using var raw = new Native<double>(doubles);
        using var single = new Native<float>(doubles.Length);
        Widen.ToSingle(new RawBlock(raw.Pointer, FloatFormat.F64), doubles.Length, single.Pointer);
        AssertSame([1f, 1 + MathF.Pow(2, -22), float.PositiveInfinity, -0f, float.NaN, 0.1f], single.Span, "narrowed");

        Apply.Store(single.Pointer, doubles.Length, new RawBlock(raw.Pointer, FloatFormat.F64));
        Assert.Equal([1, 1 + Math.Pow(2, -22), double.PositiveInfinity, -0.0, double.NaN, 0.1f], raw.Span.ToArray());
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void The_first_infinity_or_NaN_is_found_wherever_it_is(int width)
    {
        var random = new Random(3);
        foreach (var format in Formats)
        {
            foreach (var n in Lengths.Where(n => n < 5000))
            {
                var values = Values(random, n, 0, 100);
                for (var e = 0; e < n; e += 1 + (n / 9))
                    values[e] = random.Next(2) == 0 ? 65504 : -0f;

                using var raw = new Native<byte>(Encode(values, format));
                At(width, () => Assert.Equal(-1, NonFinite.FirstIndex(new RawBlock(raw.Pointer, format), n)));
                foreach (var place in new[] { 0, 1, 14, 15, 16, 64, n / 2, n - 2, n - 1 }.Where(p => p >= 0 && p < n).Distinct())
                {
                    var broken = (float[])values.Clone();
                    broken[place] = random.Next(3) switch { 0 => float.NaN, 1 => float.NegativeInfinity, _ => float.PositiveInfinity };
                    broken[n - 1] = float.NaN;
                    using var bad = new Native<byte>(Encode(broken, format));
                    At(width, () => Assert.Equal(place, NonFinite.FirstIndex(new RawBlock(bad.Pointer, format), n)));
                }
            }
        }
    }
}
