using System.Buffers;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Pages of a population's magnitudes, and brackets for its order statistics drawn from them.
/// </summary>
/// <remarks>
/// A page is a run of neighbouring elements, so its elements resemble each other (rows of an embedding differ in scale) and a page
/// is one observation, not two thousand: the variance of a sampled fraction is taken between pages, as in cluster sampling.
/// </remarks>
internal sealed unsafe class MagnitudeSample
{
    /// <summary>Half-width of a bracket in standard errors. A miss costs a pass over the data, a wider bracket some work on what is inside.</summary>
    private const double StandardErrors = 4.5;

    private const int FewestPages = 4;

    /// <summary>A coarse bin holds this many codes: an eighth of an octave.</summary>
    private const int CoarseShift = 20;

    private readonly List<int> _ends = [];
    private uint[] _codes = [];
    private int _size;
    private int[]? _coarse;

    /// <summary>Adds a page: the magnitudes of <paramref name="n"/> neighbouring deltas. Pages are of about one size.</summary>
    internal void Add(float* deltas, int n)
    {
        if (n == 0)
            return;

        if (_size + n > _codes.Length)
        {
            var larger = ArrayPool<uint>.Shared.Rent(Math.Max(2 * _codes.Length, 16 * n));
            _codes.AsSpan(0, _size).CopyTo(larger);
            Release();
            _codes = larger;
        }

        fixed (uint* codes = _codes)
            MagnitudeBits.Of(deltas, n, codes + _size);

        _size += n;
        _ends.Add(_size);
    }

    /// <summary>
    /// The codes between which the <paramref name="rank"/>-th largest of <paramref name="population"/> magnitudes most probably lies,
    /// and a guess at it; false when there are too few pages to say.
    /// </summary>
    internal bool TryBracket(long rank, long population, out int low, out int high, out int guess)
    {
        (low, high, guess) = (0, Canonical.NaN, -1);
        if (_ends.Count < FewestPages)
            return false;

        var share = (rank - 0.5) / population;
        guess = Quantile(share);
        var margin = (StandardErrors * StandardError((uint)guess, share)) + (8.0 / _size);
        high = share - margin <= 0 ? Canonical.NaN : Quantile(share - margin);
        low = share + margin >= 1 ? 0 : Quantile(share + margin);
        return true;
    }

    /// <summary>Gives the memory back.</summary>
    internal void Release()
    {
        if (_codes.Length > 0)
            ArrayPool<uint>.Shared.Return(_codes);
        _codes = [];
    }

    /// <summary>The magnitude that the given share of the sample reaches.</summary>
    private int Quantile(double share)
    {
        var position = Math.Clamp((long)(share * _size), 0, _size - 1);
        _coarse ??= CoarseHistogram();
        var bin = _coarse.Length - 1;
        for (; position >= _coarse[bin]; bin--)
            position -= _coarse[bin];

        var inside = ArrayPool<uint>.Shared.Rent(_coarse[bin] + Simd.WidestWidth);
        int code;
        fixed (uint* from = _codes, to = inside)
        {
            var kernel = new Inside { Codes = from, Elements = _size, Low = (bin << CoarseShift) - 1, High = ((bin + 1) << CoarseShift) - 1, List = to };
            Simd.Run(ref kernel);
            code = (int)MagnitudeSelect.At(inside.AsSpan(0, (int)kernel.Count), position);
        }

        ArrayPool<uint>.Shared.Return(inside);
        return code;
    }

    /// <summary>The sample by the upper bits of its codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int[] CoarseHistogram()
    {
        var bins = new int[1 << (31 - CoarseShift)];
        foreach (var code in _codes.AsSpan(0, _size))
            bins[(int)(code >> CoarseShift)]++;

        return bins;
    }

    /// <summary>Standard error of the share above (and of that at or above) a magnitude; not less than that of a simple random sample.</summary>
    private double StandardError(uint magnitude, double share)
    {
        double above = 0, above2 = 0, reach = 0, reach2 = 0;
        var start = 0;
        foreach (var end in _ends)
        {
            long larger, equal;
            fixed (uint* codes = _codes)
            {
                var kernel = new Inside { Codes = codes + start, Elements = end - start, Low = (int)magnitude - 1, High = (int)magnitude };
                Simd.Run(ref kernel);
                (larger, equal) = (kernel.Above, kernel.Count);
            }

            var a = (double)larger / (end - start);
            var r = (double)(larger + equal) / (end - start);
            above += a;
            above2 += a * a;
            reach += r;
            reach2 += r * r;
            start = end;
        }

        var pages = _ends.Count;
        var variance = Math.Max(above2 - (above * above / pages), reach2 - (reach * reach / pages)) / (pages - 1) / pages;
        return Math.Sqrt(Math.Max(variance, share * (1 - share) / _size));
    }

    /// <summary>Counts, and lists where there is a list, the codes above Low and not above High, and counts those above High.</summary>
    private struct Inside : IKernel
    {
        internal uint* Codes;
        internal nint Elements;
        internal int Low;
        internal int High;
        internal uint* List;
        internal long Count;
        internal long Above;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(ref this, Loop<TSimd>(ref this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(ref Inside kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var low = TSimd.CreateBits(kernel.Low);
            var high = TSimd.CreateBits(kernel.High);
            var none = TSimd.CreateBits(-1);
            long count = kernel.Count, above = 0;
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var bits = TSimd.Load((float*)kernel.Codes + e);
                if (kernel.List is not null)
                {
                    count += TSimd.StoreInside(bits, low, high, none, kernel.List + count);
                    continue;
                }

                var larger = TSimd.PackGreaterBits(bits, high);
                above += uint.PopCount(larger);
                count += uint.PopCount(TSimd.PackGreaterBits(bits, low) ^ larger);
            }

            kernel.Count = count;
            kernel.Above += above;
            return e;
        }
    }
}
