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

    /// <summary>One code in so many is enough to see where the others have to be looked at.</summary>
    internal const int RoughEvery = 16;

    /// <summary>Standard errors that a rough position may be off.</summary>
    private const double RoughErrors = 4;

    /// <summary>From so many codes on, looking at a few first takes less than a histogram of all.</summary>
    private const int FewestNarrowed = 1 << 12;

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

    /// <summary>Copies the codes above <paramref name="low"/> up to <paramref name="high"/>, with room for <see cref="MagnitudeList.Slack"/> more than there are; returns how many there are.</summary>
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
        if (low == high)
            return low;
        var bins = stackalloc int[Room];
        if (codes.Length < FewestNarrowed)
        {
            Histogram(codes, low, high, bins);
            return At(codes, position, low, high, bins);
        }

        var (bottom, top, above, inside) = Between(codes, position, position, low, high, bins, Histogram(codes, low, high, bins, RoughEvery));
        if (bottom == top)
            return bottom;
        var list = Allocate((int)inside);
        codes = new ReadOnlySpan<uint>(list, List(codes, (int)bottom - 1, (int)top, new Span<uint>(list, (int)inside + MagnitudeList.Slack)));
        Histogram(codes, bottom, top, bins);
        return At(codes, position - above, bottom, top, bins, list);
    }

    /// <summary>As <see cref="At(ReadOnlySpan{uint}, long, uint, uint)"/>, with the <see cref="Histogram"/> of the codes at hand.</summary>
    internal static uint At(ReadOnlySpan<uint> codes, long position, uint low, uint high, int* histogram) => At(codes, position, low, high, histogram, null);

    /// <summary>As <see cref="At(ReadOnlySpan{uint}, long, uint, uint, int*)"/>, of codes whose memory may be overwritten.</summary>
    /// <param name="codes">The codes.</param>
    /// <param name="position">The position.</param>
    /// <param name="low">The lowest code there may be.</param>
    /// <param name="high">The highest code there may be.</param>
    /// <param name="bins">Their histogram.</param>
    /// <param name="list">The memory of the codes, which is overwritten and then given back; null where it is not to be.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint At(ReadOnlySpan<uint> codes, long position, uint low, uint high, int* bins, uint* list)
    {
        var own = stackalloc int[Room];
        while (true)
        {
            (low, high, position) = BinOf(position, low, high, bins, out var inside);
            if (low == high)
                break;

            // The kernel reads ahead of what it lists, so a list can take the place of the last.
            if (list is null)
                list = Allocate(inside);
            codes = new ReadOnlySpan<uint>(list, List(codes, (int)low - 1, (int)high, new Span<uint>(list, inside + MagnitudeList.Slack)));
            if (codes.Length <= MostSorted)
            {
                new Span<uint>(list, codes.Length).Sort();
                low = codes[codes.Length - 1 - (int)position];
                break;
            }

            bins = own;
            Histogram(codes, low, high, bins);
        }

        NativeMemory.Free(list);
        return low;
    }

    /// <summary>Room for a list. Of large samples these are megabytes, which a pool would keep.</summary>
    private static uint* Allocate(int codes) => (uint*)NativeMemory.Alloc((nuint)codes + MagnitudeList.Slack, sizeof(uint));

    /// <summary>
    /// Codes between which two positions lie, as a rule a small part of all: a rough histogram tells where, and a full one takes its place where it misled.
    /// </summary>
    /// <param name="codes">The codes.</param>
    /// <param name="first">The first position, from 0 for the largest.</param>
    /// <param name="last">The last position, not before it.</param>
    /// <param name="low">The lowest code there may be.</param>
    /// <param name="high">The highest code there may be.</param>
    /// <param name="bins">A <see cref="Histogram"/> of some of the codes; what is in it afterwards is of no use.</param>
    /// <param name="counted">How many it has counted.</param>
    /// <returns>The lowest and the highest code, how many codes are above, and how many between them.</returns>
    internal static (uint Bottom, uint Top, long Above, long Inside) Between(ReadOnlySpan<uint> codes, long first, long last, uint low, uint high, int* bins, int counted)
    {
        // A position that is off by so many standard errors of the middle one costs the full histogram.
        var slack = (long)(RoughErrors * Math.Sqrt(counted) / 2);
        var range = Range(first * counted / codes.Length - slack, last * counted / codes.Length + slack);
        var (above, inside) = Count(codes, (int)range.Bottom - 1, (int)range.Top);
        if (first < above || last >= above + inside)
        {
            Histogram(codes, low, high, bins);
            range = Range(first, last);
            (above, inside) = Count(codes, (int)range.Bottom - 1, (int)range.Top);
        }

        return (range.Bottom, range.Top, above, inside);

        (uint Bottom, uint Top) Range(long from, long to) =>
            (BinOf(to, low, high, bins, out _).Low, BinOf(Math.Max(0, from), low, high, bins, out _).High);
    }

    /// <summary>The class of a <see cref="Histogram"/> in which a position lies, counted from 0 for the largest: its lowest and its highest code, the position in it, and how many are in it.</summary>
    internal static (uint Low, uint High, long Position) BinOf(long position, uint low, uint high, int* bins, out int inside)
    {
        var shift = ShiftOf(low, high);
        var bin = (int)((high - low) >> shift);

        // Most classes are empty, as magnitudes are much alike.
        for (; bin >= Vector<int>.Count && Vector.Sum(Vector.Load(bins + bin + 1 - Vector<int>.Count)) is var several && position >= several; bin -= Vector<int>.Count)
            position -= several;
        for (; bin > 0 && position >= bins[bin]; bin--)
            position -= bins[bin];
        inside = bins[bin];
        var bottom = low + ((uint)bin << shift);
        return (bottom, (uint)Math.Min(high, bottom + (1UL << shift) - 1), position);
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
