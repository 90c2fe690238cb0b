using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Pages of a population's magnitudes, and brackets for its order statistics drawn from them.
/// </summary>
/// <remarks>
/// A page is a run of neighbouring elements, so its elements resemble each other (rows of an embedding differ in scale) and a page
/// is one observation, not two thousand: the variance of a sampled fraction is taken between pages, as in cluster sampling. Pages are evenly spread and
/// added in their order, so what differs from tensor to tensor is sampled in its true shares: only differences between neighbours count (Wolter 2007, 8.2).
/// </remarks>
/// <param name="expected">The elements that pages are expected to have together.</param>
internal sealed unsafe class MagnitudeSample(int expected = 0)
{
    /// <summary>Half-width of a bracket in standard errors. A miss costs a pass over the data, a wider bracket some work on what is inside.</summary>
    private const double StandardErrors = 4.5;

    /// <summary>Half-width of a bracket of places: what lies between them is merged twice, which costs more than a pass over the few tensors that are missed.</summary>
    private const double StandardErrorsOfPlaces = 3.2;

    private const int FewestPages = 4;

    private readonly List<int> _ends = [];

    /// <summary>Up to a hundred megabytes, of another size for each population: a pool would keep them all.</summary>
    private uint* _codes;
    private int _room;
    private int _size;

    /// <summary>Whoever is stopped before the end of a search leaves it to the collector.</summary>
    ~MagnitudeSample() => NativeMemory.Free(_codes);

    private ReadOnlySpan<uint> All => new(_codes, _size);

    /// <summary>Adds a page: the magnitudes of <paramref name="n"/> neighbouring deltas. Pages are of about one size.</summary>
    internal void Add(float* deltas, int n)
    {
        if (n > 0)
            MagnitudeBits.Of(deltas, n, Extend(n));
    }

    /// <summary>Adds a page whose deltas are nothing but those of an expert from the base, both of one format, but not F64.</summary>
    internal void Add(RawBlock @base, RawBlock expert, int n) => MagnitudeBits.Of(@base, expert, n, Extend(n));

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

        var bins = stackalloc int[MagnitudeSelect.Room];
        MagnitudeSelect.Histogram(All, 0, Canonical.NaN, bins);
        var share = (rank - 0.5) / population;
        guess = Quantile(share, bins);
        var margin = (StandardErrors * StandardError((uint)guess, share)) + (8.0 / _size);
        high = share - margin <= 0 ? Canonical.NaN : Quantile(share - margin, bins);
        low = share + margin >= 1 ? 0 : Quantile(share + margin, bins);
        return true;
    }

    /// <summary>
    /// Places in the order of magnitudes (largest first; of equal ones the lowest index first) between which the one of the given rank most
    /// probably lies; false when there are too few pages to say, or it may lie among infinities.
    /// </summary>
    /// <param name="rank">The rank, 1 for the largest.</param>
    /// <param name="population">The number of magnitudes.</param>
    /// <param name="starts">The index of each page's first element in the population, rising.</param>
    /// <param name="splitsEqual">Whether the place may be one among equal magnitudes; else all that equal the one of the rank are before it.</param>
    /// <param name="bracket">The places.</param>
    [SkipLocalsInit]
    internal bool TryPlaces(long rank, long population, ReadOnlySpan<long> starts, bool splitsEqual, out PlaceBracket bracket)
    {
        bracket = default;
        if (_ends.Count < FewestPages)
            return false;

        var bins = stackalloc int[MagnitudeSelect.Room];
        var all = All;
        var share = (rank - 0.5) / population;
        var counted = MagnitudeSelect.Histogram(all, 0, Canonical.NaN, bins, MagnitudeSelect.RoughEvery);
        var near = MagnitudeSelect.BinOf((long)(share * counted), 0, Canonical.NaN, bins, out _).Low;
        var margin = (StandardErrorsOfPlaces * StandardError(near, share)) + (8.0 / _size);
        if (share - margin <= 0)
            return false;

        // All that matters lies between two classes of the histogram: a small part of the sample.
        var isAll = share + margin >= 1;
        var (first, last) = ((long)((share - margin) * _size), isAll ? _size - 1 : (long)((share + margin) * _size));
        var (bottom, top, above, between) = MagnitudeSelect.Between(all, first, last, 0, Canonical.NaN, bins, counted);
        if (top >= Canonical.Infinity)
            return false;
        var room = (int)between + MagnitudeList.Slack;
        var inside = (uint*)NativeMemory.Alloc((nuint)room, sizeof(uint));
        var part = new ReadOnlySpan<uint>(inside, MagnitudeSelect.List(all, (int)bottom - 1, (int)top, new Span<uint>(inside, room)));
        MagnitudeSelect.Histogram(part, bottom, top, bins);
        var high = (int)MagnitudeSelect.At(part, first - above, bottom, top, bins);
        var low = isAll ? 0 : (int)MagnitudeSelect.At(part, last - above, bottom, top, bins);
        var (aboveHigh, atHigh) = MagnitudeSelect.Count(part, high - 1, high);
        var (aboveLow, atLow) = MagnitudeSelect.Count(part, low - 1, low);
        NativeMemory.Free(inside);

        // Equal magnitudes are taken to lie as they do in the sample, but for a page to either side.
        var keptTo = splitsEqual ? PageOfEqual(high, first - above - aboveHigh) : 0;
        var droppedFrom = splitsEqual && !isAll ? PageOfEqual(low, (long)Math.Ceiling((share + margin) * _size) - above - aboveLow) + 2 : starts.Length;
        bracket = new PlaceBracket(low, high, splitsEqual ? keptTo > 1 ? starts[keptTo - 1] : 0 : population, droppedFrom < starts.Length ? starts[droppedFrom] : population)
        {
            AtLow = (double)atLow / _size,
            AtHigh = (double)atHigh / _size,
            Between = Math.Max(0, aboveLow - aboveHigh - atHigh) / (double)_size,
        };
        return true;
    }

    /// <summary>The page that holds the element at a position, from 0, among those of a code.</summary>
    private int PageOfEqual(int code, long position)
    {
        var start = 0;
        for (var page = 0; page < _ends.Count; page++)
        {
            position -= MagnitudeSelect.Count(All[start.._ends[page]], code - 1, code).Inside;
            if (position < 0)
                return page;
            start = _ends[page];
        }

        return _ends.Count - 1;
    }

    /// <summary>Gives the memory back.</summary>
    internal void Release()
    {
        NativeMemory.Free(_codes);
        _codes = null;
        (_room, _size) = (0, 0);
    }

    /// <summary>Room for the codes of one more page.</summary>
    private uint* Extend(int n)
    {
        if (_size + n > _room)
        {
            _room = Math.Max(Math.Max(expected, 16 * n), checked(2 * _size));
            _codes = (uint*)NativeMemory.Realloc(_codes, (nuint)_room * sizeof(uint));
        }

        var page = _codes + _size;
        _size += n;
        _ends.Add(_size);
        return page;
    }

    /// <summary>The magnitude that the given share of the sample reaches.</summary>
    private int Quantile(double share, int* bins) =>
        (int)MagnitudeSelect.At(All, Math.Clamp((long)(share * _size), 0, _size - 1), 0, Canonical.NaN, bins);

    /// <summary>
    /// Standard error of the share above (and of that at or above) a magnitude, from how much a page differs from the one before; not less than that
    /// of a simple random sample.
    /// </summary>
    private double StandardError(uint magnitude, double share)
    {
        double above = 0, reach = 0, lastAbove = 0, lastReach = 0;
        var start = 0;
        foreach (var end in _ends)
        {
            var (larger, equal) = MagnitudeSelect.Count(All[start..end], (int)magnitude - 1, (int)magnitude);
            var a = (double)larger / (end - start);
            var r = (double)(larger + equal) / (end - start);
            if (start > 0)
            {
                above += (a - lastAbove) * (a - lastAbove);
                reach += (r - lastReach) * (r - lastReach);
            }

            (lastAbove, lastReach, start) = (a, r, end);
        }

        var pages = _ends.Count;
        var variance = Math.Max(above, reach) / 2 / (pages - 1) / pages;
        return Math.Sqrt(Math.Max(variance, share * (1 - share) / _size));
    }
}

/// <summary>
/// Places in an order of magnitudes, largest first, of equal ones the lowest index first: what comes before <paramref name="High"/> at
/// <paramref name="KeptTo"/> is before the one that was looked for, what comes from <paramref name="Low"/> at <paramref name="DroppedFrom"/> on is behind it.
/// </summary>
/// <param name="Low">A code.</param>
/// <param name="High">A code, not less.</param>
/// <param name="KeptTo">The first index at which it is open whether an element of code <paramref name="High"/> is before the one that was looked for.</param>
/// <param name="DroppedFrom">The first index from which on elements of code <paramref name="Low"/> are behind it.</param>
internal readonly record struct PlaceBracket(int Low, int High, long KeptTo, long DroppedFrom)
{
    /// <summary>The share of the population that is expected to have the code <see cref="Low"/>.</summary>
    internal required double AtLow { get; init; }

    /// <summary>The share that is expected to have the code <see cref="High"/>.</summary>
    internal required double AtHigh { get; init; }

    /// <summary>The share whose code is expected between the two.</summary>
    internal required double Between { get; init; }

    /// <summary>The share of the elements from one index up to another that is expected to be open, or a little less.</summary>
    internal double OpenShare(long start, long end)
    {
        var (high, low) = (end > KeptTo, start < DroppedFrom);
        return Low == High ? (high && low ? AtHigh : 0) : Between + (high ? AtHigh : 0) + (low ? AtLow : 0);
    }

    /// <summary>What is open at an index, and at those behind it up to <see cref="EndOfSpan"/>.</summary>
    internal MagnitudeRange RangeAt(long index)
    {
        var high = index < KeptTo ? High - 1 : High;
        var low = index < DroppedFrom ? Low : Low + 1;
        return low > high ? OpenColumns.Nothing with { High = high } : new MagnitudeRange(low, high - low, high);
    }

    /// <summary>Where <see cref="RangeAt"/> changes next.</summary>
    internal long EndOfSpan(long index, long end)
    {
        if (KeptTo > index)
            end = Math.Min(end, KeptTo);
        return DroppedFrom > index ? Math.Min(end, DroppedFrom) : end;
    }

    /// <summary>The cut that keeps what is before the places alone.</summary>
    internal Cut Provisional => new((uint)High, KeptTo - 1);
}
