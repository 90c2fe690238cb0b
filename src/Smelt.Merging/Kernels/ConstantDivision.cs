using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Division of many numbers by one: bit for bit that of a division instruction, but for the sign of a quotient of zero. A processor divides once in
/// the time of 8 to 16 products.
/// </summary>
/// <remarks>
/// With the reciprocal in two parts, y = RN(1/b) and z = RN(1/b - y), the quotient q = RN(a y + RN(a z)) is off by less than an ulp. Its remainder
/// r = a - q b is then exact, and RN(q + r y) is the correctly rounded quotient (P. Markstein, Computation of elementary functions on the IBM RISC
/// System/6000 processor, 1990, theorem 8.1; Muller et al., Handbook of Floating-Point Arithmetic, 4.7). That holds where nothing under- or overflows:
/// numbers beyond 2^-90 and 2^90, and those that are not finite, are divided.
/// </remarks>
/// <param name="divisor">b.</param>
internal readonly struct ConstantDivision(float divisor)
{
    private const int SmallestBits = (127 - 90) << 23;
    private const int LargestBits = (127 + 90) << 23;

    private readonly float _divisor = divisor;
    private readonly float _reciprocal = 1 / divisor;
    private readonly float _rest = (float)((1 / (double)divisor) - (1 / divisor));

    /// <summary>Whether a divisor is one that this works for.</summary>
    internal static bool Suits(float divisor) => divisor is >= 1f / (1 << 20) and <= 1 << 20;

    /// <summary>Divides four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Divide<TSimd>(ref TSimd a, ref TSimd b, ref TSimd c, ref TSimd d)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        if (_rest == 0)
        {
            // A power of two: its reciprocal is exact, so the product is the quotient.
            var exact = TSimd.Create(_reciprocal);
            a *= exact;
            b *= exact;
            c *= exact;
            d *= exact;
            return;
        }

        var divisor = TSimd.Create(_divisor);
        if (TSimd.HasMultiplyAdd)
        {
            // Zeros become the largest of unsigned numbers and the smallest of signed ones, and so never stand out.
            TSimd a1 = Lowered(a), b1 = Lowered(b), c1 = Lowered(c), d1 = Lowered(d);
            var smallest = TSimd.MinUnsigned(TSimd.MinUnsigned(a1, b1), TSimd.MinUnsigned(c1, d1));
            var largest = TSimd.MaxBits(TSimd.MaxBits(a1, b1), TSimd.MaxBits(c1, d1));
            var low = TSimd.CreateBits(SmallestBits);
            if ((TSimd.PackEqualBits(TSimd.MinUnsigned(smallest, low), low) ^ TSimd.PackEqualBits(low, low)
                | TSimd.PackGreaterBits(largest, TSimd.CreateBits(LargestBits))) == 0)
            {
                var reciprocal = TSimd.Create(_reciprocal);
                var rest = TSimd.Create(_rest);
                a = Quotient(a, divisor, reciprocal, rest);
                b = Quotient(b, divisor, reciprocal, rest);
                c = Quotient(c, divisor, reciprocal, rest);
                d = Quotient(d, divisor, reciprocal, rest);
                return;
            }
        }

        a /= divisor;
        b /= divisor;
        c /= divisor;
        d /= divisor;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Lowered<TSimd>(TSimd value)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.SubtractBits(value & TSimd.CreateBits(int.MaxValue), TSimd.CreateBits(1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Quotient<TSimd>(TSimd a, TSimd divisor, TSimd reciprocal, TSimd rest)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var sign = TSimd.CreateBits(int.MinValue);
        var quotient = TSimd.MultiplyAdd(a, reciprocal, a * rest);
        var remainder = TSimd.MultiplyAdd(quotient ^ sign, divisor, a);

        return TSimd.MultiplyAdd(remainder, reciprocal, quotient);
    }
}
