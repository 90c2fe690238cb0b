using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>One worker's counts of one pass of a <see cref="MagnitudeSearch"/>.</summary>
internal sealed unsafe class MagnitudeTally
{
    private readonly MagnitudeBracket?[] _brackets;
    private readonly long[]?[] _bins;
    private readonly MagnitudeList?[] _lists;
    private readonly long[] _above;
    private readonly long[] _equal;

    /// <summary>An empty tally for the open ones of <paramref name="brackets"/>.</summary>
    internal MagnitudeTally(MagnitudeBracket?[] brackets)
    {
        _brackets = [.. brackets];
        _above = new long[brackets.Length];
        _equal = new long[brackets.Length];
        _bins = Array.ConvertAll(brackets, b => b is { Capacity: 0 } ? Rent(b) : null);
        _lists = Array.ConvertAll(brackets, b => b is { Capacity: > 0 } ? new MagnitudeList(b) : null);
    }

    /// <summary>Counts the deltas [0, <paramref name="n"/>), all of block number <paramref name="block"/> if the search places equals.</summary>
    internal void Add(float* deltas, nint n, int block) => Add<Kernel<Stored>>(deltas, null, sizeof(float), n, block);

    /// <summary>Counts a sub-block, its deltas made by <see cref="Deltas"/>; all elements are of block number <paramref name="block"/>.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Add(RawBlock @base, in ExpertBlock expert, long flatStart, nint n, int block)
    {
        if (expert.IsPlain && expert.Values.Format == @base.Format && @base.Format != FloatFormat.F64 && !Array.Exists(_brackets, b => b?.High >= Canonical.Infinity))
        {
            var size = @base.Format.Size();
            switch (@base.Format)
            {
                case FloatFormat.BF16: Add<Kernel<Difference<Bf16>>>(expert.Values.Data, @base.Data, size, n, block); break;
                case FloatFormat.F16: Add<Kernel<Difference<F16>>>(expert.Values.Data, @base.Data, size, n, block); break;
                default: Add<Kernel<Difference<F32>>>(expert.Values.Data, @base.Data, size, n, block); break;
            }

            return;
        }

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
        var (above, equal) = Counts(tallies, index);
        foreach (var tally in tallies)
        {
            var part = tally._bins[index]!;
            for (var bin = 0; bin < bins.Length; bin++)
                bins[bin] += part[bin];

            ArrayPool<long>.Shared.Return(part);
            tally._bins[index] = null;
        }

        return (above, equal, bins);
    }

    /// <summary>The counts for bracket number <paramref name="index"/>: above it, and equal to its guess.</summary>
    internal static (long Above, long Equal) Counts(ReadOnlySpan<MagnitudeTally> tallies, int index)
    {
        long above = 0, equal = 0;
        foreach (var tally in tallies)
        {
            above += tally._above[index];
            equal += tally._equal[index];
        }

        return (above, equal);
    }

    /// <summary>The list for bracket number <paramref name="index"/>.</summary>
    internal MagnitudeList ListOf(int index) => _lists[index]!;

    /// <summary>Histograms are rented, cleared, as a search for each of many tensors would otherwise fill the large object heap.</summary>
    private static long[] Rent(MagnitudeBracket bracket)
    {
        var bins = ArrayPool<long>.Shared.Rent(bracket.Bins);
        Array.Clear(bins, 0, bracket.Bins);
        return bins;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Add<TKernel>(void* values, void* @base, int size, nint n, int block)
        where TKernel : struct, ICountKernel
    {
        var buffer = stackalloc uint[MagnitudeList.Step + MagnitudeList.Slack];
        for (nint e = 0; e < n; e += MagnitudeList.Step)
        {
            for (var i = 0; i < _brackets.Length; i++)
            {
                if (_brackets[i] is not { } bracket)
                    continue;

                var kernel = default(TKernel);
                var list = _lists[i];
                list?.Reserve();
                fixed (uint* listed = list?.Codes)
                {
                    var counts = new Counters { List = list is null ? buffer : listed + list.Count };
                    kernel.Start((byte*)values + (e * size), @base is null ? null : (byte*)@base + (e * size), Math.Min(MagnitudeList.Step, n - e), bracket, &counts);
                    Simd.Run(ref kernel);
                    _above[i] += counts.Above;
                    _equal[i] += counts.Equal;
                    list?.Advance((int)counts.Listed, block);
                    if (_bins[i] is { } bins)
                        AddTo(bins, new ReadOnlySpan<uint>(buffer, (int)counts.Listed), bracket);
                    if (counts.Equal != 0 && bracket.EqualsOfBlock.Length != 0)
                        Interlocked.Add(ref bracket.EqualsOfBlock[block], (int)counts.Equal);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTo(long[] bins, ReadOnlySpan<uint> codes, MagnitudeBracket bracket)
    {
        foreach (var code in codes)
            bins[(code - bracket.Low) >> bracket.Shift]++;
    }

    /// <summary>What a kernel counts, and where it writes the codes inside but those equal to the guess.</summary>
    private struct Counters
    {
        internal uint* List;
        internal long Above;
        internal long Equal;
        internal long Listed;
    }

    private interface ICountKernel : IKernel
    {
        void Start(void* values, void* @base, nint n, MagnitudeBracket bracket, Counters* counters);
    }

    /// <summary>Where a kernel finds the codes of deltas.</summary>
    private interface ISource
    {
        /// <summary>The codes of a vector of deltas.</summary>
        static abstract TSimd One<TSimd>(void* values, void* @base, nint e)
            where TSimd : unmanaged, ISimd<TSimd>;

        /// <summary>The codes of two vectors of deltas, in whatever order is quick.</summary>
        static abstract (TSimd First, TSimd Second) Pair<TSimd>(void* values, void* @base, nint e)
            where TSimd : unmanaged, ISimd<TSimd>;
    }

    /// <summary>Deltas that lie in memory.</summary>
    private readonly struct Stored : ISource
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TSimd One<TSimd>(void* values, void* @base, nint e)
            where TSimd : unmanaged, ISimd<TSimd> => Canonical.Magnitude(TSimd.Load((float*)values + e));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static (TSimd First, TSimd Second) Pair<TSimd>(void* values, void* @base, nint e)
            where TSimd : unmanaged, ISimd<TSimd> => (One<TSimd>(values, @base, e), One<TSimd>(values, @base, e + TSimd.Count));
    }

    /// <summary>Deltas that are nothing but the expert minus the base. Their NaNs are not made canonical: they count above every bracket that ends below infinity.</summary>
    private readonly struct Difference<TFormat> : ISource
        where TFormat : IFormat
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TSimd One<TSimd>(void* values, void* @base, nint e)
            where TSimd : unmanaged, ISimd<TSimd> =>
            (TFormat.Load<TSimd>(values, e) - TFormat.Load<TSimd>(@base, e)) & TSimd.CreateBits(int.MaxValue);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static (TSimd First, TSimd Second) Pair<TSimd>(void* values, void* @base, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var (x0, x1) = TFormat.LoadPair<TSimd>(values, e);
            var (b0, b1) = TFormat.LoadPair<TSimd>(@base, e);
            return ((x0 - b0) & TSimd.CreateBits(int.MaxValue), (x1 - b1) & TSimd.CreateBits(int.MaxValue));
        }
    }

    private struct Kernel<TSource> : ICountKernel
        where TSource : ISource
    {
        private void* _values;
        private void* _base;
        private nint _elements;
        private int _low;
        private int _high;
        private int _guess;
        private Counters* _counters;

        public void Start(void* values, void* @base, nint n, MagnitudeBracket bracket, Counters* counters)
        {
            _values = values;
            _base = @base;
            _elements = n;
            _counters = counters;
            (_low, _high, _guess) = (bracket.Low, bracket.High, bracket.Guess);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel<TSource> kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var values = kernel._values;
            var @base = kernel._base;
            var n = kernel._elements;
            var low = TSimd.CreateBits(kernel._low);
            var span = TSimd.CreateBits(kernel._high - kernel._low);
            var high = TSimd.CreateBits(kernel._high);
            var guess = TSimd.CreateBits(kernel._guess);
            var first = kernel._counters->List + kernel._counters->Listed;
            var list = first;
            TSimd above = TSimd.CreateBits(0), equal = above;
            for (; e <= n - (2 * TSimd.Count); e += 2 * TSimd.Count)
            {
                // No branch: what is inside comes at random.
                var (bits0, bits1) = TSource.Pair<TSimd>(values, @base, e);
                above = TSimd.CountGreaterBits(TSimd.CountGreaterBits(above, bits0, high), bits1, high);
                equal = TSimd.CountEqualBits(TSimd.CountEqualBits(equal, bits0, guess), bits1, guess);
                list += TSimd.StoreInside(bits0, low, span, guess, list);
                list += TSimd.StoreInside(bits1, low, span, guess, list);
            }

            for (; e <= n - TSimd.Count; e += TSimd.Count)
            {
                var bits = TSource.One<TSimd>(values, @base, e);
                above = TSimd.CountGreaterBits(above, bits, high);
                equal = TSimd.CountEqualBits(equal, bits, guess);
                list += TSimd.StoreInside(bits, low, span, guess, list);
            }

            kernel._counters->Above += Sum(above);
            kernel._counters->Equal += Sum(equal);
            kernel._counters->Listed += list - first;
            return e;
        }

        private static long Sum<TSimd>(TSimd counts)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var lanes = stackalloc int[16];
            TSimd.Store(counts, (float*)lanes);
            long sum = 0;
            for (var i = 0; i < TSimd.Count; i++)
                sum += lanes[i];
            return sum;
        }
    }
}
