using System.Numerics;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Division of many numbers by one: bit for bit that of a division instruction, but for the sign of a quotient of zero. A processor divides once in
/// the time of 8 to 16 products.
/// </summary>
/// <remarks>
/// With the reciprocal in two parts, y = RN(1/b) and z = RN(1/b - y), the quotient q = RN(a y + RN(a z)) is correctly rounded for every a but a few, and
/// for most b for every a (N. Brisebarre, J.-M. Muller, S. K. Raina, Accelerating correctly rounded floating-point division when the divisor is known
/// in advance, 2004): those few are near a number halfway between two, can be listed, and are tried. Where one fails, q is off by less than an ulp, its
/// remainder r = a - q b is exact, and RN(q + r y) is the correctly rounded quotient (P. Markstein, Computation of elementary functions on the IBM RISC
/// System/6000 processor, 1990, theorem 8.1; Muller et al., Handbook of Floating-Point Arithmetic, 4.7). That holds where nothing under- or overflows:
/// numbers beyond 2^-90 and 2^90, and those that are not finite, are divided.
/// </remarks>
internal readonly struct ConstantDivision
{
    private const int SmallestBits = (127 - 90) << 23;
    private const int LargestBits = (127 + 90) << 23;

    /// <summary>The bits of 2^-66.</summary>
    private const int CoarseBits = (127 - 66) << 23;

    /// <summary>Significands are integers of so many bits.</summary>
    private const int Precision = 24;

    private readonly float _divisor;
    private readonly float _reciprocal;
    private readonly float _rest;
    private readonly bool _corrects;

    /// <param name="divisor">b.</param>
    public ConstantDivision(float divisor)
    {
        _divisor = divisor;
        _reciprocal = 1 / divisor;
        _rest = (float)((1 / (double)divisor) - (1 / divisor));
        _corrects = _rest != 0 && HasExceptions(divisor, _reciprocal, _rest);
    }

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
                Multiply(ref a, ref b, ref c, ref d);
                return;
            }
        }

        DivideEach(ref a, ref b, ref c, ref d);
    }

    /// <summary>
    /// Whether differences of any number from these are zero or at least 2^-90: numbers from 2^-66 on are, as a number that is near is a multiple of
    /// an ulp of theirs or of half of it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsCoarse<TSimd>(TSimd a, TSimd b, TSimd c, TSimd d)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var magnitude = TSimd.CreateBits(int.MaxValue);
        var smallest = TSimd.MinBits(TSimd.MinBits(a & magnitude, b & magnitude), TSimd.MinBits(c & magnitude, d & magnitude));
        return TSimd.PackGreaterBits(TSimd.CreateBits(CoarseBits), smallest) == 0;
    }

    /// <summary>As <see cref="Divide"/>, of zeros and of numbers from 2^-90 to 2^90.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Multiply<TSimd>(ref TSimd a, ref TSimd b, ref TSimd c, ref TSimd d)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var reciprocal = TSimd.Create(_reciprocal);
        var rest = TSimd.Create(_rest);
        var (p, q, r, s) = (a, b, c, d);
        a = TSimd.MultiplyAdd(p, reciprocal, p * rest);
        b = TSimd.MultiplyAdd(q, reciprocal, q * rest);
        c = TSimd.MultiplyAdd(r, reciprocal, r * rest);
        d = TSimd.MultiplyAdd(s, reciprocal, s * rest);
        if (!_corrects)
            return;
        var divisor = TSimd.Create(_divisor);
        a = TSimd.MultiplyAdd(TSimd.MultiplySubtract(a, divisor, p), reciprocal, a);
        b = TSimd.MultiplyAdd(TSimd.MultiplySubtract(b, divisor, q), reciprocal, b);
        c = TSimd.MultiplyAdd(TSimd.MultiplySubtract(c, divisor, r), reciprocal, c);
        d = TSimd.MultiplyAdd(TSimd.MultiplySubtract(d, divisor, s), reciprocal, d);
    }

    /// <summary>As <see cref="Divide"/>, by division instructions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void DivideEach<TSimd>(ref TSimd a, ref TSimd b, ref TSimd c, ref TSimd d)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var divisor = TSimd.Create(_divisor);
        a /= divisor;
        b /= divisor;
        c /= divisor;
        d /= divisor;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Lowered<TSimd>(TSimd value)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.SubtractBits(value & TSimd.CreateBits(int.MaxValue), TSimd.CreateBits(1));

    /// <summary>Whether a number has another quotient when it is made by products alone.</summary>
    /// <remarks>
    /// With significands X and Y, X / Y is halfway between two numbers but for R: X 2^s = Y T + R with an odd T of 25 bits, where s is 24, or 25 if X is
    /// less than Y. What precedes the last rounding is off by less than 2^-47 of numbers from 1 to 2, so that only |R| &lt; 2 can fail; 2 is tried as well.
    /// T is R / -Y modulo 2^s.
    /// </remarks>
    private static bool HasExceptions(float divisor, float reciprocal, float rest)
    {
        var y = (BitConverter.SingleToInt32Bits(divisor) & ((1 << (Precision - 1)) - 1)) | (1 << (Precision - 1));
        var zeros = BitOperations.TrailingZeroCount(y);
        var odd = (ulong)(y >> zeros);
        var inverse = odd;
        for (var bits = 3; bits < 64; bits *= 2)
            inverse *= 2 - (odd * inverse);
        for (var s = Precision; s <= Precision + 1; s++)
        {
            for (long r = -2; r <= 2; r++)
            {
                if (r == 0 || (r & ((1L << zeros) - 1)) != 0)
                    continue;
                var period = 1L << (s - zeros);
                for (var t = (long)((ulong)-(r >> zeros) * inverse) & (period - 1); t < 1L << (Precision + 1); t += period)
                {
                    var x = ((y * t) + r) >> s;
                    if (t < 1L << Precision || (t & 1) == 0 || x >> (Precision - 1) != 1)
                        continue;
                    var a = (float)x;
                    if (MathF.FusedMultiplyAdd(a, reciprocal, a * rest) != a / divisor)
                        return true;
                }
            }
        }

        return false;
    }
}
