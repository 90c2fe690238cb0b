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

    private readonly List<int> _ends = [];
    private uint[] _codes = [];
    private int _size;

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
    [SkipLocalsInit]
    internal bool TryBracket(long rank, long population, out int low, out int high, out int guess)
    {
        (low, high, guess) = (0, Canonical.NaN, -1);
        if (_ends.Count < FewestPages)
            return false;

        var bins = stackalloc int[MagnitudeSelect.Bins];
        MagnitudeSelect.Histogram(_codes.AsSpan(0, _size), 0, Canonical.NaN, bins);
        var share = (rank - 0.5) / population;
        guess = Quantile(share, bins);
        var margin = (StandardErrors * StandardError((uint)guess, share)) + (8.0 / _size);
        high = share - margin <= 0 ? Canonical.NaN : Quantile(share - margin, bins);
        low = share + margin >= 1 ? 0 : Quantile(share + margin, bins);
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
    private int Quantile(double share, int* bins) =>
        (int)MagnitudeSelect.At(_codes.AsSpan(0, _size), Math.Clamp((long)(share * _size), 0, _size - 1), 0, Canonical.NaN, bins);

    /// <summary>Standard error of the share above (and of that at or above) a magnitude; not less than that of a simple random sample.</summary>
    private double StandardError(uint magnitude, double share)
    {
        double above = 0, above2 = 0, reach = 0, reach2 = 0;
        var start = 0;
        foreach (var end in _ends)
        {
            var (larger, equal) = MagnitudeSelect.Count(_codes.AsSpan(start, end - start), (int)magnitude - 1, (int)magnitude);
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
}
