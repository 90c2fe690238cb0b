using System.Buffers;

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
    /// <summary>Half-width of a bracket in standard errors. A miss costs a pass over the data, a wider bracket some scalar work.</summary>
    private const double StandardErrors = 5;

    private const int FewestPages = 4;
    private const int LowBits = 15;

    private readonly List<uint[]> _pages = [];
    private int[]? _high;
    private long _size;

    /// <summary>Adds a page: the magnitudes of <paramref name="n"/> neighbouring deltas. Pages are of about one size.</summary>
    internal void Add(float* deltas, int n)
    {
        if (n == 0)
            return;

        var page = new uint[n];
        fixed (uint* bits = page)
            MagnitudeBits.Of(deltas, n, bits);

        _pages.Add(page);
        _size += n;
    }

    /// <summary>
    /// The codes between which the <paramref name="rank"/>-th largest of <paramref name="population"/> magnitudes most probably lies,
    /// and a guess at it; false when there are too few pages to say.
    /// </summary>
    internal bool TryBracket(long rank, long population, out int low, out int high, out int guess)
    {
        (low, high, guess) = (0, Canonical.NaN, -1);
        if (_pages.Count < FewestPages)
            return false;

        var share = (rank - 0.5) / population;
        guess = Quantile(share);
        var margin = (StandardErrors * StandardError((uint)guess, share)) + (8.0 / _size);
        high = share - margin <= 0 ? Canonical.NaN : Quantile(share - margin);
        low = share + margin >= 1 ? 0 : Quantile(share + margin);
        return true;
    }

    /// <summary>The magnitude that the given share of the sample reaches.</summary>
    private int Quantile(double share)
    {
        var position = Math.Clamp((long)(share * _size), 0, _size - 1);
        var top = Descend(_high ??= HighHistogram(), ref position);
        var low = ArrayPool<int>.Shared.Rent(1 << LowBits);
        var bins = low.AsSpan(0, 1 << LowBits);
        bins.Clear();
        foreach (var page in _pages)
        {
            foreach (var code in page)
            {
                if (code >> LowBits == (uint)top)
                    bins[(int)code & ((1 << LowBits) - 1)]++;
            }
        }

        var bottom = Descend(bins, ref position);
        ArrayPool<int>.Shared.Return(low);
        return (top << LowBits) + bottom;
    }

    /// <summary>The sample by the upper bits of its codes.</summary>
    private int[] HighHistogram()
    {
        var bins = new int[(Canonical.NaN >> LowBits) + 1];
        foreach (var page in _pages)
        {
            foreach (var code in page)
                bins[code >> LowBits]++;
        }

        return bins;
    }

    /// <summary>The bin, counted from the largest, that holds the element at a position, which becomes its position inside the bin.</summary>
    private static int Descend(ReadOnlySpan<int> bins, ref long position)
    {
        var bin = bins.Length - 1;
        for (; position >= bins[bin]; bin--)
            position -= bins[bin];

        return bin;
    }

    /// <summary>Standard error of the share above (and of that at or above) a magnitude; not less than that of a simple random sample.</summary>
    private double StandardError(uint magnitude, double share)
    {
        double above = 0, above2 = 0, reach = 0, reach2 = 0;
        foreach (var page in _pages)
        {
            int larger = 0, equal = 0;
            foreach (var code in page)
            {
                larger += code > magnitude ? 1 : 0;
                equal += code == magnitude ? 1 : 0;
            }

            var a = (double)larger / page.Length;
            var r = (double)(larger + equal) / page.Length;
            above += a;
            above2 += a * a;
            reach += r;
            reach2 += r * r;
        }

        var pages = _pages.Count;
        var variance = Math.Max(above2 - (above * above / pages), reach2 - (reach * reach / pages)) / (pages - 1) / pages;
        return Math.Sqrt(Math.Max(variance, share * (1 - share) / _size));
    }
}
