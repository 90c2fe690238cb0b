using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Smelt.Merging.Kernels;

/// <summary>Counts and order statistics of lists of codes.</summary>
internal static unsafe class MagnitudeSelect
{
    private const int BinBits = 11;

    /// <summary>So few codes are sorted: that takes less than clearing and adding up the tables of a histogram.</summary>
    private const int MostSorted = 64;

    /// <summary>Counts of a <see cref="Histogram"/>.</summary>
    internal const int Bins = 1 << BinBits;

    /// <summary>What a <see cref="Histogram"/> takes: tables of counts, the first of which becomes their sum.</summary>
    internal const int Room = 4 * Bins;

    /// <summary>Number of codes above <paramref name="high"/>, and of those above <paramref name="low"/> up to it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static (long Above, long Inside) Count(ReadOnlySpan<uint> codes, int low, int high)
    {
        fixed (uint* data = codes)
        {
            var kernel = new Kernel { Codes = data, Elements = codes.Length, Low = low, High = high };
            Simd.Run(ref kernel);
            return (kernel.Above, kernel.Inside);
        }
    }

    /// <summary>Copies the codes above <paramref name="low"/> up to <paramref name="high"/>, with room for 16 more than there are; returns how many there are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int List(ReadOnlySpan<uint> codes, int low, int high, Span<uint> list)
    {
        fixed (uint* data = codes, destination = list)
        {
            var kernel = new Kernel { Codes = data, Elements = codes.Length, Low = low, High = high, List = destination };
            Simd.Run(ref kernel);
            return (int)kernel.Inside;
        }
    }

    /// <summary>
    /// The code at <paramref name="position"/>, counted from 0 for the largest, of codes from <paramref name="low"/> to
    /// <paramref name="high"/>: by a histogram of their upper bits, then of the next; what is left is sorted once it is little.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static uint At(ReadOnlySpan<uint> codes, long position, uint low, uint high)
    {
        var bins = stackalloc int[Room];
        Histogram(codes, low, high, bins);
        return At(codes, position, low, high, bins);
    }

    /// <summary>As <see cref="At(ReadOnlySpan{uint}, long, uint, uint)"/>, with the <see cref="Histogram"/> of the codes at hand.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static uint At(ReadOnlySpan<uint> codes, long position, uint low, uint high, int* histogram)
    {
        var bins = histogram;
        var own = stackalloc int[Room];
        uint* listed = null;
        while (true)
        {
            var shift = ShiftOf(low, high);
            var bin = (int)((high - low) >> shift);
            for (; position >= bins[bin]; bin--)
                position -= bins[bin];

            low += (uint)bin << shift;
            high = (uint)Math.Min(high, low + (1UL << shift) - 1);
            if (shift == 0)
                break;

            // Of large samples these are megabytes, which a pool would keep. The kernel reads ahead of what it lists, so a list can take the place of the last.
            var room = (nuint)bins[bin] + 16;
            fixed (uint* from = codes)
            {
                var target = listed is null ? (uint*)NativeMemory.Alloc(room, sizeof(uint)) : listed;
                var kernel = new Kernel { Codes = from, Elements = codes.Length, Low = (int)low - 1, High = (int)high, List = target };
                Simd.Run(ref kernel);
                codes = new ReadOnlySpan<uint>(target, (int)kernel.Inside);
                listed = target;
            }

            if (codes.Length <= MostSorted)
            {
                new Span<uint>(listed, codes.Length).Sort();
                low = codes[codes.Length - 1 - (int)position];
                break;
            }

            bins = own;
            Histogram(codes, low, high, bins);
        }

        NativeMemory.Free(listed);
        return low;
    }

    /// <summary>The lowest and the highest code of the class of a <see cref="Histogram"/> of all codes in which a position lies, counted from 0 for the largest.</summary>
    internal static (int Low, int High) BinOf(long position, int* bins)
    {
        var shift = ShiftOf(0, Canonical.NaN);
        var bin = Canonical.NaN >> shift;
        for (; bin > 0 && position >= bins[bin]; bin--)
            position -= bins[bin];
        return (bin << shift, Math.Min(Canonical.NaN, (bin << shift) + (1 << shift) - 1));
    }

    /// <summary>Counts codes from <paramref name="low"/> to <paramref name="high"/> by their upper bits.</summary>
    /// <param name="codes">The codes.</param>
    /// <param name="low">The lowest code there may be.</param>
    /// <param name="high">The highest code there may be.</param>
    /// <param name="bins">Where the counts go, <see cref="Bins"/> of them, with <see cref="Room"/>.</param>
    /// <param name="every">One group of four neighbours in so many is counted; 1 counts all.</param>
    /// <returns>How many codes were counted.</returns>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int Histogram(ReadOnlySpan<uint> codes, uint low, uint high, int* bins, int every = 1)
    {
        // Magnitudes are much alike, so neighbours often count in the same bin: four tables keep them from waiting for each other.
        var shift = ShiftOf(low, high);
        var counted = 0;
        int* second = bins + Bins, third = second + Bins, fourth = third + Bins;
        new Span<int>(bins, Room).Clear();
        fixed (uint* data = codes)
        {
            nint i = 0;
            for (; i <= codes.Length - (4 * every); i += 4 * every)
            {
                bins[(data[i] - low) >> shift]++;
                second[(data[i + 1] - low) >> shift]++;
                third[(data[i + 2] - low) >> shift]++;
                fourth[(data[i + 3] - low) >> shift]++;
            }

            counted = (int)(i / every);
            for (; every == 1 && i < codes.Length; i++, counted++)
                bins[(data[i] - low) >> shift]++;
        }

        for (var bin = 0; bin < Bins; bin += Vector<int>.Count)
            (Vector.Load(bins + bin) + Vector.Load(second + bin) + Vector.Load(third + bin) + Vector.Load(fourth + bin)).Store(bins + bin);
        return counted;
    }

    private static int ShiftOf(uint low, uint high) => Math.Max(0, 32 - BitOperations.LeadingZeroCount(high - low) - BinBits);

    /// <summary>Counts, or lists where there is a list, the codes above Low and not above High, and counts those above High.</summary>
    private struct Kernel : IKernel
    {
        internal uint* Codes;
        internal nint Elements;
        internal int Low;
        internal int High;
        internal uint* List;
        internal long Inside;
        internal long Above;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(ref this, Loop<TSimd>(ref this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(ref Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var codes = kernel.Codes;
            var n = kernel.Elements;
            var list = kernel.List;
            var low = TSimd.CreateBits(kernel.Low);
            var high = TSimd.CreateBits(kernel.High);
            long inside = kernel.Inside, above = 0;
            if (list is not null)
            {
                var lowest = TSimd.CreateBits(kernel.Low + 1);
                var span = TSimd.CreateBits(kernel.High - kernel.Low - 1);
                var none = TSimd.CreateBits(-1);
                for (; e <= n - TSimd.Count; e += TSimd.Count)
                    inside += TSimd.StoreInside(TSimd.Load((float*)codes + e), lowest, span, none, list + inside);
            }

            for (; e <= n - TSimd.Count; e += TSimd.Count)
            {
                var bits = TSimd.Load((float*)codes + e);
                var larger = TSimd.PackGreaterBits(bits, high);
                above += uint.PopCount(larger);
                inside += uint.PopCount(TSimd.PackGreaterBits(bits, low) ^ larger);
            }

            kernel.Inside = inside;
            kernel.Above += above;
            return e;
        }
    }
}
