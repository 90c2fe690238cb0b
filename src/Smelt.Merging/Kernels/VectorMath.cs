using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Transcendental functions in fp32 whose bits are the same at every vector width and on every machine: additions,
/// multiplications and divisions alone. Errors are within two units in the last place.
/// </summary>
internal static class VectorMath
{
    private const float Log2E = 1.44269504f;

    /// <summary>ln 2 in two parts, the first with trailing zeros so that its multiples are exact.</summary>
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>Adding it leaves the rounded number in the lowest bits of the pattern.</summary>
    private const float Rounder = 12_582_912f;
    private const int RounderBits = 0x4B40_0000;

    private const float LargestExponent = 88;
    private const float SmallestExponent = -87;
    private const int ExponentBias = 127;
    private const int FractionBits = 23;

    /// <summary>Below it the hyperbolic tangent is a polynomial.</summary>
    private const float SmallTangent = 0.625f;

    /// <summary>Above it the hyperbolic tangent is 1.</summary>
    private const float LargeTangent = 10;

    /// <summary>e to the power of x, for x from -87 to 88; beyond that of the nearer end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TSimd Exp<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var largest = TSimd.Create(LargestExponent);
        var smallest = TSimd.Create(SmallestExponent);
        x = TSimd.SelectGreater(x, largest, largest, x);
        x = TSimd.SelectGreater(smallest, x, smallest, x);
        var rounded = (x * TSimd.Create(Log2E)) + TSimd.Create(Rounder);
        var k = rounded - TSimd.Create(Rounder);
        var r = (x - (k * TSimd.Create(Ln2High))) - (k * TSimd.Create(Ln2Low));

        // Minimax polynomial of (e^r - 1 - r) / r² for |r| up to ln 2 / 2 (Cephes).
        var p = TSimd.Create(1.9875691500e-4f);
        p = (p * r) + TSimd.Create(1.3981999507e-3f);
        p = (p * r) + TSimd.Create(8.3334519073e-3f);
        p = (p * r) + TSimd.Create(4.1665795894e-2f);
        p = (p * r) + TSimd.Create(1.6666665459e-1f);
        p = (p * r) + TSimd.Create(5.0000001201e-1f);
        var y = ((p * (r * r)) + r) + TSimd.Create(1);
        return y * TSimd.ShiftLeft(TSimd.AddBits(rounded, TSimd.CreateBits(ExponentBias - RounderBits)), FractionBits);
    }

    /// <summary>The hyperbolic tangent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TSimd Tanh<TSimd>(TSimd x)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var sign = x & TSimd.CreateBits(int.MinValue);
        var magnitude = x ^ sign;

        // Minimax polynomial of (tanh x - x) / x³ for |x| up to 0.625 (Cephes).
        var square = x * x;
        var p = TSimd.Create(-5.70498872745e-3f);
        p = (p * square) + TSimd.Create(2.06390887954e-2f);
        p = (p * square) + TSimd.Create(-5.37397155531e-2f);
        p = (p * square) + TSimd.Create(1.33314422036e-1f);
        p = (p * square) + TSimd.Create(-3.33332819422e-1f);
        var near = ((p * square) * x) + x;

        var large = TSimd.Create(LargeTangent);
        var capped = TSimd.SelectGreater(magnitude, large, large, magnitude);
        var far = TSimd.Create(1) - (TSimd.Create(2) / (Exp(capped + capped) + TSimd.Create(1)));
        return TSimd.SelectGreater(magnitude, TSimd.Create(SmallTangent), far | sign, near);
    }
}
