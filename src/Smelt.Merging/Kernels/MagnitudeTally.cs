using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Codes between which a magnitude is looked for in one pass.</summary>
internal sealed class MagnitudeBracket
{
    /// <summary>Bins of a histogram, at most.</summary>
    internal const int MostBins = 1 << 19;

    /// <summary>Bytes of one worker's histogram of a bracket, at most.</summary>
    internal const long MostBytes = (long)MostBins * sizeof(long);

    /// <summary>A bracket of the codes <paramref name="low"/> to <paramref name="high"/>, both inside.</summary>
    /// <param name="low">Lowest code.</param>
    /// <param name="high">Highest code.</param>
    /// <param name="guess">A code in the bracket that is counted apart; -1 for none.</param>
    /// <param name="blocks">Number of blocks whose elements equal to the guess are counted one by one.</param>
    /// <param name="mostBins">Bins that the histogram may have.</param>
    internal MagnitudeBracket(int low, int high, int guess, int blocks, int mostBins)
    {
        (Low, High, Guess) = (low, high, guess);
        while (high - low >> Shift >= mostBins)
            Shift++;

        EqualsOfBlock = new int[blocks];
    }

    /// <summary>Lowest code inside.</summary>
    internal int Low { get; }

    /// <summary>Highest code inside.</summary>
    internal int High { get; }

    /// <summary>The code counted apart, or -1.</summary>
    internal int Guess { get; }

    /// <summary>A bin holds 2^Shift codes.</summary>
    internal int Shift { get; }

    /// <summary>Number of bins.</summary>
    internal int Bins => ((High - Low) >> Shift) + 1;

    /// <summary>Elements equal to the guess in each block; shared by all workers.</summary>
    internal int[] EqualsOfBlock { get; }
}

/// <summary>One worker's counts of one pass of a <see cref="MagnitudeSearch"/>.</summary>
internal sealed unsafe class MagnitudeTally
{
    private readonly MagnitudeBracket?[] _brackets;
    private readonly long[]?[] _bins;
    private readonly long[] _above;
    private readonly long[] _equal;

    /// <summary>An empty tally for the open ones of <paramref name="brackets"/>.</summary>
    internal MagnitudeTally(MagnitudeBracket?[] brackets)
    {
        _brackets = [.. brackets];
        _above = new long[brackets.Length];
        _equal = new long[brackets.Length];
        _bins = Array.ConvertAll(brackets, Rent);
    }

    /// <summary>Counts the deltas [0, <paramref name="n"/>), all of block number <paramref name="block"/> if the search places equals.</summary>
    internal void Add(float* deltas, nint n, int block)
    {
        for (var i = 0; i < _brackets.Length; i++)
        {
            if (_brackets[i] is not { } bracket)
                continue;

            fixed (long* bins = _bins[i])
            {
                var kernel = new Kernel
                {
                    Deltas = deltas,
                    Elements = n,
                    Low = bracket.Low,
                    High = bracket.High,
                    Guess = bracket.Guess,
                    Shift = bracket.Shift,
                    Bins = bins,
                };
                Simd.Run(ref kernel);
                _above[i] += kernel.Above;
                _equal[i] += kernel.Equal;
                if (kernel.Equal != 0 && bracket.EqualsOfBlock.Length != 0)
                    Interlocked.Add(ref bracket.EqualsOfBlock[block], (int)kernel.Equal);
            }
        }
    }

    /// <summary>Counts a sub-block, its deltas made by <see cref="Deltas"/>; all elements are of block number <paramref name="block"/>.</summary>
    [SkipLocalsInit]
    internal void Add(RawBlock @base, in ExpertBlock expert, long flatStart, nint n, int block)
    {
        var widened = stackalloc float[2 * Simd.LongChunk];
        var deltas = widened + Simd.LongChunk;
        for (nint e = 0; e < n; e += Simd.LongChunk)
        {
            var length = Math.Min(n - e, Simd.LongChunk);
            Widen.ToSingle(@base.From(e), length, widened);
            Deltas.Compute(widened, expert, e, flatStart, length, 1, deltas);
            Add(deltas, length, block);
        }
    }

    /// <summary>
    /// The counts of all workers for bracket number <paramref name="index"/>: above it, equal to its guess, and the other codes inside by bin.
    /// The tallies can't count for it any more.
    /// </summary>
    internal static (long Above, long Equal, long[] Bins) Merge(ReadOnlySpan<MagnitudeTally> tallies, int index, MagnitudeBracket bracket)
    {
        var bins = new long[bracket.Bins];
        long above = 0, equal = 0;
        foreach (var tally in tallies)
        {
            above += tally._above[index];
            equal += tally._equal[index];
            var part = tally._bins[index]!;
            for (var bin = 0; bin < bins.Length; bin++)
                bins[bin] += part[bin];

            ArrayPool<long>.Shared.Return(part);
            tally._bins[index] = null;
        }

        return (above, equal, bins);
    }

    /// <summary>Histograms are rented, cleared, as a search for each of many tensors would otherwise fill the large object heap.</summary>
    private static long[]? Rent(MagnitudeBracket? bracket)
    {
        if (bracket is null)
            return null;

        var bins = ArrayPool<long>.Shared.Rent(bracket.Bins);
        Array.Clear(bins, 0, bracket.Bins);
        return bins;
    }

    private struct Kernel : IKernel
    {
        internal float* Deltas;
        internal nint Elements;
        internal int Low;
        internal int High;
        internal int Guess;
        internal int Shift;
        internal long* Bins;
        internal long Above;
        internal long Equal;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var e = Loop<TSimd>(ref this, 0);
            Loop<SimdScalar>(ref this, e);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(ref Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var deltas = kernel.Deltas;
            var n = kernel.Elements;
            var low = TSimd.CreateBits(kernel.Low - 1);
            var high = TSimd.CreateBits(kernel.High);
            var guess = TSimd.CreateBits(kernel.Guess);
            var shift = kernel.Shift;
            var lowest = kernel.Low;
            var bins = kernel.Bins;
            long above = 0, equal = 0;
            nint step = TSimd.Count;
            for (; e <= n - (2 * step); e += 2 * step)
            {
                // Two vectors share the branch, which is hard to foresee.
                var bits0 = Canonical.Magnitude(TSimd.Load(deltas + e));
                var bits1 = Canonical.Magnitude(TSimd.Load(deltas + e + step));
                var larger = TSimd.PackGreaterBits(bits0, high) | (TSimd.PackGreaterBits(bits1, high) << (int)step);
                var inside = (TSimd.PackGreaterBits(bits0, low) | (TSimd.PackGreaterBits(bits1, low) << (int)step)) ^ larger;
                above += uint.PopCount(larger);
                if (inside == 0)
                    continue;

                var same = TSimd.PackEqualBits(bits0, guess) | (TSimd.PackEqualBits(bits1, guess) << (int)step);
                equal += uint.PopCount(same);
                for (inside ^= same; inside != 0; inside &= inside - 1)
                    bins[(Code(deltas[e + BitOperations.TrailingZeroCount(inside)]) - lowest) >> shift]++;
            }

            for (; e <= n - step; e += step)
            {
                var bits = Canonical.Magnitude(TSimd.Load(deltas + e));
                var larger = TSimd.PackGreaterBits(bits, high);
                var inside = TSimd.PackGreaterBits(bits, low) ^ larger;
                var same = TSimd.PackEqualBits(bits, guess);
                above += uint.PopCount(larger);
                equal += uint.PopCount(same);
                for (inside ^= same; inside != 0; inside &= inside - 1)
                    bins[(Code(deltas[e + BitOperations.TrailingZeroCount(inside)]) - lowest) >> shift]++;
            }

            kernel.Above += above;
            kernel.Equal += equal;
            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int Code(float delta) => Math.Min(BitConverter.SingleToInt32Bits(delta) & int.MaxValue, Canonical.NaN);
    }
}
