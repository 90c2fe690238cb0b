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

    /// <summary>Divisors of which some have numbers whose quotient two products miss: every significand is tried.</summary>
    [Fact]
    public void Exceptions_of_a_divisor_are_found()
    {
        const int n = 1 << 18;
        var random = new Random(32);
        using var values = new Native<float>(n);
        using var quotients = new Native<float>(n);
        var exceptional = 0;
        for (var i = 0; i < 24; i++)
        {
            var divisor = i == 0 ? 0.2f : (float)random.NextDouble() + 1e-3f;
            var (reciprocal, rest) = (1 / divisor, (float)((1 / (double)divisor) - (1 / divisor)));
            for (var start = 1 << 23; start < 1 << 24; start += n)
            {
                for (var e = 0; e < n; e++)
                    values.Span[e] = start + e;
                var kernel = new Kernel { Values = values.Pointer, Quotients = quotients.Pointer, Elements = n, Division = new ConstantDivision(divisor) };
                Simd.Run(ref kernel);
                for (var e = 0; e < n; e++)
                {
                    var (value, expected) = (values.Span[e], values.Span[e] / divisor);
                    if (expected != quotients.Span[e])
                        Assert.Fail($"{value:R} / {divisor:R} is {quotients.Span[e]:R}, expected {expected:R}");
                    if (MathF.FusedMultiplyAdd(value, reciprocal, value * rest) != expected)
                        exceptional++;
                }
            }
        }

        Assert.True(exceptional > 0, "no divisor here has an exception: the test shows nothing");
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Differences_from_a_base_are_divided_as_by_a_division(int width)
    {
        const int n = 1 << 14;
        var random = new Random(33);
        using var values = new Native<float>(n);
        using var origins = new Native<float>(n);
        using var quotients = new Native<float>(n);
        foreach (var divisor in (float[])[0.2f, 0.1f, 0.5f, 0.3f, 1, (float)random.NextDouble()])
        {
            for (var e = 0; e < n; e++)
            {
                // Groups of 64 of weights, of numbers around the limit, of zeros, of large ones, and of some whose differences are near the smallest numbers.
                var exponent = ((e >> 6) % 5) switch { 0 => random.Next(-20, 0), 1 => random.Next(-149, -60), 2 => -200, 3 => random.Next(-70, 127), _ => random.Next(-118, -100) };
                origins.Span[e] = (float)((random.Next(2) - 0.5) * (1 + random.NextDouble()) * Math.Pow(2, exponent));
                values.Span[e] = random.Next(4) switch
                {
                    0 => origins.Span[e],
                    1 => origins.Span[e] * (1 + (random.Next(-2, 3) * 1.1920929e-7f)),
                    2 => (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-149, -20))),
                    _ => origins.Span[e] * (float)random.NextDouble(),
                };
            }

            At(width, () =>
            {
                var kernel = new Kernel { Values = values.Pointer, Origins = origins.Pointer, Quotients = quotients.Pointer, Elements = n, Division = new ConstantDivision(divisor) };
                Simd.Run(ref kernel);
            });
            for (var e = 0; e < n; e++)
            {
                var expected = (values.Span[e] - origins.Span[e]) / divisor;
                Assert.True(expected == quotients.Span[e], $"({values.Span[e]:R} - {origins.Span[e]:R}) / {divisor:R} is {quotients.Span[e]:R}, expected {expected:R}");
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
        internal float* Origins;
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
                if (Origins is null)
                {
                    Division.Divide(ref a, ref b, ref c, ref d);
                }
                else
                {
                    var (p, q) = (TSimd.Load(Origins + e), TSimd.Load(Origins + e + step));
                    var (r, s) = (TSimd.Load(Origins + e + (2 * step)), TSimd.Load(Origins + e + (3 * step)));
                    (a, b, c, d) = (a - p, b - q, c - r, d - s);
                    if (TSimd.HasMultiplyAdd && ConstantDivision.IsCoarse(p, q, r, s) && !TSimd.AnyCommonBits(a | b | (c | d), TSimd.CreateBits(1 << 30)))
                        Division.Multiply(ref a, ref b, ref c, ref d);
                    else
                        Division.DivideEach(ref a, ref b, ref c, ref d);
                }

                TSimd.Store(a, Quotients + e);
                TSimd.Store(b, Quotients + e + step);
                TSimd.Store(c, Quotients + e + (2 * step));
                TSimd.Store(d, Quotients + e + (3 * step));
            }
        }
    }
}
