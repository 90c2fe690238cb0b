using System.Numerics;
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
    private readonly int[] _ranks = GC.AllocateUninitializedArray<int>(longest, pinned: true);
    private readonly ulong[] _settled = GC.AllocateUninitializedArray<ulong>((longest + 63) / 64, pinned: true);
    private readonly ulong[] _open = GC.AllocateUninitializedArray<ulong>((longest + 63) / 64, pinned: true);
    private (int Elements, double Density, double Epsilon) _key;

    /// <summary>The bytes of a table for rows of up to <paramref name="longest"/> elements.</summary>
    internal static long Bytes(long longest) => (longest * (sizeof(uint) + sizeof(float) + sizeof(int))) + (longest / 4);

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

    /// <summary>Writes the mask of a row for which the table is set.</summary>
    /// <param name="order">The order that has taken up the row.</param>
    /// <param name="draws">The elements' draws.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="bits">Ceiling(n / 64) words for the mask.</param>
    /// <param name="divisors">Where the elements' probabilities go; null where they are not wanted.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Write(RowOrder order, uint* draws, int n, ulong* bits, float* divisors)
    {
        // What the lowest rank keeps, every rank does, and what the highest drops.
        var kernel = new Kernel { Draws = draws, Elements = n, Lowest = (int)_thresholds[0], Highest = (int)_thresholds[n - 1], Kept = bits, Open = Pin(_open) };
        Simd.Run(ref kernel);
        if (divisors is not null || !TrySettle(order, draws, n, bits))
            Settle(order, draws, n, bits, divisors);
    }

    private static T* Pin<T>(T[] array)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));

    /// <summary>
    /// Settles open elements by the ranks that those of a place have together, which nearly always tell whether a draw is
    /// kept; false, with nothing done, where they leave too much open.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TrySettle(RowOrder order, uint* draws, int n, ulong* bits)
    {
        var thresholds = Pin(_thresholds);
        var settled = Pin(_settled);
        var starts = order.Starts;
        var places = order.Places;
        for (var word = 0; word << 6 < n; word++)
        {
            var kept = 0UL;
            var unsure = 0UL;
            for (var open = _open[word]; open != 0; open &= open - 1)
            {
                var bit = BitOperations.TrailingZeroCount(open);
                var e = (word << 6) + bit;
                var place = places[e];
                kept |= (ulong)((draws[e] - thresholds[starts[place]]) >> 31) << bit;
                unsure |= (ulong)((draws[e] - thresholds[starts[place + 1] - 1]) >> 31) << bit;
            }

            for (unsure &= ~kept; unsure != 0; unsure &= unsure - 1)
            {
                var bit = BitOperations.TrailingZeroCount(unsure);
                var e = (word << 6) + bit;
                if (order.RankOf(e) is not (>= 0 and var rank))
                    return false;
                kept |= (ulong)((draws[e] - thresholds[rank]) >> 31) << bit;
            }

            settled[word] = kept;
        }

        for (var word = 0; word << 6 < n; word++)
            bits[word] |= settled[word];
        return true;
    }

    /// <summary>Settles open elements by their own ranks, and finds the divisors of all that may be kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Settle(RowOrder order, uint* draws, int n, ulong* bits, float* divisors)
    {
        var thresholds = Pin(_thresholds);
        var wanted = Pin(_open);
        var ranks = Pin(_ranks);
        if (divisors is not null)
        {
            new Span<float>(divisors, n).Fill(1);
            for (var word = 0; word << 6 < n; word++)
                wanted[word] |= bits[word];
        }

        order.Ranks(wanted, ranks);
        var probabilities = Pin(_divisors);
        for (var word = 0; word << 6 < n; word++)
        {
            var kept = bits[word];
            for (var open = wanted[word]; open != 0; open &= open - 1)
            {
                var bit = BitOperations.TrailingZeroCount(open);
                var e = (word << 6) + bit;
                var rank = ranks[e];
                kept |= (ulong)((draws[e] - thresholds[rank]) >> 31) << bit;
                if (divisors is not null)
                    divisors[e] = probabilities[rank];
            }

            bits[word] = kept;
        }
    }

    /// <summary>Tells draws below the lowest threshold from those between it and the highest.</summary>
    private struct Kernel : IKernel
    {
        internal uint* Draws;
        internal int Elements;
        internal int Lowest;
        internal int Highest;
        internal ulong* Kept;
        internal ulong* Open;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<TSimd>(this);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<TSimd>(in Kernel kernel)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var lowest = TSimd.CreateBits(kernel.Lowest);
            var highest = TSimd.CreateBits(kernel.Highest);
            for (var word = 0; word << 6 < kernel.Elements; word++)
            {
                var draws = kernel.Draws + (word << 6);
                var end = Math.Min(64, kernel.Elements - (word << 6));
                var (kept, possible) = (0UL, 0UL);
                var e = 0;
                for (; e <= end - TSimd.Count; e += TSimd.Count)
                {
                    var draw = TSimd.Load((float*)draws + e);
                    kept |= (ulong)TSimd.PackGreaterBits(lowest, draw) << e;
                    possible |= (ulong)TSimd.PackGreaterBits(highest, draw) << e;
                }

                for (; e < end; e++)
                {
                    kept |= ((int)draws[e] < kernel.Lowest ? 1UL : 0) << e;
                    possible |= ((int)draws[e] < kernel.Highest ? 1UL : 0) << e;
                }

                kernel.Kept[word] = kept;
                kernel.Open[word] = possible & ~kept;
            }
        }
    }
}
