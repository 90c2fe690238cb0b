using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Smelt.Merging.Kernels;

/// <summary>Keep probabilities that rise with the rank of an element in its row. One worker's.</summary>
/// <remarks>
/// Rank r of n has z = r / (n - 1) and p = fp32(density - epsilon) + z * 2 * fp32(epsilon), all in fp32; the only element of a
/// row has p = fp32(density). An element with draw u, a whole number below 2^24, is kept iff u * 2^-24 &lt; p.
/// </remarks>
internal sealed unsafe class KeepTable(int longest)
{
    private readonly uint[] _thresholds = GC.AllocateUninitializedArray<uint>(longest, pinned: true);
    private readonly float[] _divisors = GC.AllocateUninitializedArray<float>(longest, pinned: true);
    private (int Elements, double Density, double Epsilon) _key;

    /// <summary>The bytes of a table for rows of up to <paramref name="longest"/> elements.</summary>
    internal static long Bytes(long longest) => longest * (sizeof(uint) + sizeof(float));

    /// <summary>The probability of a rank.</summary>
    internal static float Probability(int rank, int n, double density, double epsilon) =>
        n == 1 ? (float)density : ((float)rank / (n - 1) * 2 * (float)epsilon) + (float)(density - epsilon);

    /// <summary>Makes the table of rows of <paramref name="n"/> elements, unless it is that already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Set(int n, double density, double epsilon)
    {
        if (_key == (n, density, epsilon))
            return;
        _key = (n, density, epsilon);
        for (var rank = 0; rank < n; rank++)
        {
            var p = Probability(rank, n, density, epsilon);
            _thresholds[rank] = Philox.Threshold24(p);

            // Nothing of probability 0 is kept, so nothing is divided by it.
            _divisors[rank] = p > 0 ? p : 1;
        }
    }

    /// <summary>Writes the mask of a row for which the table is set, and what its elements are divided by.</summary>
    /// <param name="order">The order that has taken up the row.</param>
    /// <param name="draws">The elements' draws.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="bits">Ceiling(n / 64) words for the mask.</param>
    /// <param name="divisors">Where the elements' probabilities go; null where they are not wanted.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Write(RowOrder order, uint* draws, int n, ulong* bits, float* divisors)
    {
        new Span<ulong>(bits, (n + 63) / 64).Clear();
        var keys = order.Sort();
        var thresholds = (uint*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_thresholds));
        for (var rank = 0; rank < n; rank++)
        {
            var e = (uint)keys[rank];
            bits[e >> 6] |= (ulong)((draws[e] - thresholds[rank]) >> 31) << (int)e;
        }

        for (var rank = 0; rank < n && divisors is not null; rank++)
            divisors[(uint)keys[rank]] = _divisors[rank];
    }
}
