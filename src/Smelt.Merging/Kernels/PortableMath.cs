using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Transcendental functions in fp64 whose bits are the same on every machine: only additions, multiplications, divisions
/// and square roots, which IEEE 754 fixes, where a C library's own functions differ between processors and versions.
/// Errors are within a few units in the last place.
/// </summary>
internal static class PortableMath
{
    private const double Log2E = 1.4426950408889634;

    /// <summary>ln 2 in two parts, the first with trailing zeros so that its multiples are exact.</summary>
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;

    /// <summary>π / 2 in two parts, the first with trailing zeros so that its multiples are exact.</summary>
    private const double HalfPiHigh = 1.57079632673412561417e+00;
    private const double HalfPiLow = 6.07710050650619224932e-11;

    private const double SmallestExponent = -745;
    private const double LargestExponent = 709.7;
    private const double HalfRoot = 0.70710678118654752;

    /// <summary>e to the power of x; 0 below -745, infinity above 709.7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Exp(double x)
    {
        if (x < SmallestExponent)
            return 0;
        if (x > LargestExponent)
            return double.PositiveInfinity;

        var k = Math.Round(x * Log2E);
        var r = (x - (k * Ln2High)) - (k * Ln2Low);
        var sum = 1.0;
        for (var i = 14; i > 0; i--)
            sum = 1 + (r / i * sum);
        return Math.ScaleB(sum, (int)k);
    }

    /// <summary>The natural logarithm of a positive, finite number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Log(double x)
    {
        var k = Math.ILogB(x) + 1;
        var m = Math.ScaleB(x, -k);
        if (m < HalfRoot)
        {
            m *= 2;
            k--;
        }

        // ln m = 2 artanh s, whose series converges fast for |s| up to 0.172.
        var s = (m - 1) / (m + 1);
        var square = s * s;
        var sum = 0.0;
        for (var i = 23; i > 0; i -= 2)
            sum = (sum * square) + (2.0 / i);
        return (k * Ln2High) + ((s * sum) + (k * Ln2Low));
    }

    /// <summary>The sine; exact bits everywhere, accurate for magnitudes up to 1e5.</summary>
    public static double Sin(double x) => Wave(x, 0);

    /// <summary>The cosine; exact bits everywhere, accurate for magnitudes up to 1e5.</summary>
    public static double Cos(double x) => Wave(x, 1);

    /// <summary>The angle from 0 to π whose cosine is x, for x from -1 to 1.</summary>
    public static double Acos(double x)
    {
        // The half angle's tangent is √((1 - x) / (1 + x)); near x = 1 this loses nothing.
        var (y, over) = (Math.Sqrt(1 - x), Math.Sqrt(1 + x));
        return y <= over ? 2 * Atan(y / over) : (2 * HalfPiHigh) + ((2 * HalfPiLow) - (2 * Atan(over / y)));
    }

    /// <summary>The arc tangent of a number from 0 to 1.</summary>
    private static double Atan(double y)
    {
        // Halving the angle twice leaves at most π / 16.
        y /= 1 + Math.Sqrt(1 + (y * y));
        y /= 1 + Math.Sqrt(1 + (y * y));
        var square = -(y * y);
        var sum = 0.0;
        for (var i = 25; i > 0; i -= 2)
            sum = (sum * square) + (1.0 / i);
        return 4 * y * sum;
    }

    /// <summary>sin(x + quarters π / 2).</summary>
    private static double Wave(double x, int quarters)
    {
        var k = Math.Round(x / (HalfPiHigh + HalfPiLow));
        var r = (x - (k * HalfPiHigh)) - (k * HalfPiLow);
        var turn = (int)(((k % 4) + 4 + quarters) % 4);
        var square = r * r;
        var sum = 1.0;
        var first = (turn & 1) == 0 ? 1 : 0;
        for (var i = 18 + first; i > 1; i -= 2)
            sum = 1 - (square / (i * (i - 1)) * sum);
        var value = first == 1 ? r * sum : sum;
        return turn >= 2 ? -value : value;
    }
}
