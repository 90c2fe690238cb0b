using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>Quotients by products are those of the division; of a zero the sign does not count.</summary>
public sealed unsafe class ConstantDivisionTests
{
    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Every_quotient_has_the_bits_of_a_division(int width)
    {
        const int n = 1 << 16;
        var random = new Random(31);
        using var values = new Native<float>(n);
        using var quotients = new Native<float>(n);
        foreach (var divisor in (float[])[0.2f, 0.1f, 0.7f, 0.5f, 1, 1f / (1 << 20), 1 << 20, 0.99999994f, .. Enumerable.Range(0, 40).Select(_ => (float)random.NextDouble() + 1e-3f)])
        {
            Assert.True(ConstantDivision.Suits(divisor));
            for (var e = 0; e < n; e++)
                values.Span[e] = Dividend(random, e, divisor);
            At(width, () =>
            {
                var kernel = new Kernel { Values = values.Pointer, Quotients = quotients.Pointer, Elements = n, Division = new ConstantDivision(divisor) };
                Simd.Run(ref kernel);
            });
            for (var e = 0; e < n; e++)
            {
                var expected = values.Span[e] / divisor;
                Assert.True(
                    Bits(expected) == Bits(quotients.Span[e]) || (values.Span[e] == 0 && quotients.Span[e] == 0) || (float.IsNaN(expected) && float.IsNaN(quotients.Span[e])),
                    $"{values.Span[e]:R} / {divisor:R} is {quotients.Span[e]:R}, expected {expected:R}");
            }
        }
    }

    [Fact]
    public void Divisors_that_do_not_suit_are_known()
    {
        foreach (var divisor in (float[])[0, -0.5f, float.NaN, float.PositiveInfinity, 1e-7f, 2e6f])
            Assert.False(ConstantDivision.Suits(divisor), $"{divisor}");
    }

    /// <summary>Common magnitudes in the first half, any pattern in the third quarter, then products near which a quotient is nearly halfway between two numbers.</summary>
    private static float Dividend(Random random, int e, float divisor) => (e >> 14) switch
    {
        0 or 1 => (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-30, 10))) * (random.Next(16) == 0 ? 0 : 1),
        2 => FromBits(random.Next(int.MinValue, int.MaxValue)),
        _ => MathF.BitIncrement((float)((random.Next(1 << 23, 1 << 24) + 0.5) * divisor)),
    };

    private struct Kernel : IKernel
    {
        internal float* Values;
        internal float* Quotients;
        internal nint Elements;
        internal ConstantDivision Division;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            nint step = TSimd.Count;
            for (nint e = 0; e < Elements; e += 4 * step)
            {
                var a = TSimd.Load(Values + e);
                var b = TSimd.Load(Values + e + step);
                var c = TSimd.Load(Values + e + (2 * step));
                var d = TSimd.Load(Values + e + (3 * step));
                Division.Divide(ref a, ref b, ref c, ref d);
                TSimd.Store(a, Quotients + e);
                TSimd.Store(b, Quotients + e + step);
                TSimd.Store(c, Quotients + e + (2 * step));
                TSimd.Store(d, Quotients + e + (3 * step));
            }
        }
    }
}
