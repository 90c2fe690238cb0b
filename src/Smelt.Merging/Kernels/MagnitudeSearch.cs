namespace Smelt.Merging.Kernels;

/// <summary>An order statistic of magnitudes.</summary>
/// <param name="Bits">The fp32 bits of the magnitude T that was looked for.</param>
/// <param name="Above">Number of elements of larger magnitude.</param>
/// <param name="Equal">Number of elements of magnitude T, at least 1.</param>
/// <param name="Block">
/// When the rank falls among equals and their place was asked for: the block that holds the last of them in the top. Otherwise -1:
/// either all equals are in the top, or the caller did not ask.
/// </param>
/// <param name="RankInBlock">Which one (from 1) of that block's elements of magnitude T it is; see <see cref="MagnitudeBits.LocateEqual"/>.</param>
internal readonly record struct MagnitudeThreshold(uint Bits, long Above, long Equal, long Block, long RankInBlock);

/// <summary>
/// The exact k-th largest magnitudes of one expert's task vector, over a tensor or a whole model, for one or several k at once,
/// without sorting: a sample brackets each, and a pass over the deltas counts what lies above and makes a histogram of what lies inside.
/// </summary>
/// <remarks>
/// Use: <see cref="AddSample"/> for some pages (or none); then, while not <see cref="Done"/>, a pass: every worker takes a
/// <see cref="CreateTally"/>, adds the deltas of all elements in any order, and <see cref="Finish"/> gets all tallies.
/// One pass is the rule, given 2^17 sampled elements or more; a bracket too wide for a bin per code takes a second, and a miss of the sample a second and a third.
/// Placing equals that the sample did not foresee takes one more. Without a sample there are two passes.
/// Counts are integers, so threads, shards and order never show in a result. Not thread-safe, but tallies are independent of each other.
/// </remarks>
internal sealed class MagnitudeSearch
{
    /// <summary>Up to this many elements a list takes them all.</summary>
    private const int FewElements = 1 << 14;

    /// <summary>Up to this many elements the codes inside a bracket are listed, beyond it they are counted.</summary>
    private const long MostForLists = 1 << 26;

    private readonly long[] _ranks;
    private readonly long _elements;
    private readonly int _blocks;
    private readonly MagnitudeBracket?[] _brackets;
    private readonly MagnitudeThreshold[] _results;
    private MagnitudeSample? _sample = new();

    /// <summary>Starts a search.</summary>
    /// <param name="elements">Number of magnitudes in all, at least 1.</param>
    /// <param name="ranks">The k of each order statistic, 1 for the largest; more than <paramref name="elements"/> means the smallest.</param>
    /// <param name="blocks">Number of blocks when the place of equals is asked for, else 0. Blocks are numbered in the order of flat indices.</param>
    internal MagnitudeSearch(long elements, ReadOnlySpan<long> ranks, int blocks = 0)
    {
        _elements = elements;
        _blocks = blocks;
        _ranks = ranks.ToArray();
        for (var i = 0; i < _ranks.Length; i++)
            _ranks[i] = Math.Clamp(_ranks[i], 1, elements);

        _brackets = new MagnitudeBracket?[_ranks.Length];
        _results = new MagnitudeThreshold[_ranks.Length];
    }

    /// <summary>Whether every threshold is known.</summary>
    internal bool Done => _sample is null && Array.TrueForAll(_brackets, b => b is null);

    /// <summary>
    /// Bins of a histogram. In a large population there are enough for one per code of what 2^17 sampled elements leave open,
    /// about a hundredth of the ranks; in a small one clearing so many would cost more than a second pass.
    /// </summary>
    private int MostBins => _elements < 1 << 18 ? 1 << 16 : MagnitudeBracket.MostBins;

    /// <summary>
    /// Codes that a list of the first pass may have: a multiple of what is expected inside a bracket; 0, for a histogram, in
    /// populations where that is too many.
    /// </summary>
    private int Capacity => _elements <= FewElements ? (int)_elements : _elements <= MostForLists ? (int)Math.Min(_elements / 8, MagnitudeBracket.MostListed) : 0;

    /// <summary>Whether a sample is worth its while; it is not where a list takes all elements anyway.</summary>
    internal bool WantsSample => _elements > FewElements;

    /// <summary>Number of passes finished.</summary>
    internal int Passes { get; private set; }

    /// <summary>The thresholds, one for each rank, once <see cref="Done"/>.</summary>
    internal IReadOnlyList<MagnitudeThreshold> Results => _results;

    /// <summary>Adds a page of neighbouring deltas to the sample, before the first pass. Pages are of about one size and evenly spread.</summary>
    internal unsafe void AddSample(float* deltas, int n) =>
        (_sample ?? throw new InvalidOperationException("The first pass has begun.")).Add(deltas, n);

    /// <summary>The counts of one worker in the coming pass. The first call ends the sample; make all tallies of a pass before any of them runs.</summary>
    internal MagnitudeTally CreateTally()
    {
        Begin();
        return new MagnitudeTally(_brackets);
    }

    /// <summary>Ends a pass in which every element was added to one of <paramref name="tallies"/>.</summary>
    internal void Finish(params ReadOnlySpan<MagnitudeTally> tallies)
    {
        Passes++;
        for (var i = 0; i < _brackets.Length; i++)
        {
            if (_brackets[i] is { } bracket)
                _brackets[i] = Narrow(i, bracket, tallies);
        }
    }

    private void Begin()
    {
        if (_sample is null)
            return;

        for (var i = 0; i < _ranks.Length; i++)
        {
            _brackets[i] = _sample.TryBracket(_ranks[i], _elements, out var low, out var high, out var guess)
                ? new MagnitudeBracket(low, high, guess, _blocks, MostBins, Capacity)
                : new MagnitudeBracket(0, Canonical.NaN, -1, 0, MostBins, _elements <= FewElements ? Capacity : 0);
        }

        _sample.Release();
        _sample = null;
    }

    /// <summary>What a pass leaves of a bracket; null, and the result is set, when nothing is open.</summary>
    private MagnitudeBracket? Narrow(int index, MagnitudeBracket bracket, ReadOnlySpan<MagnitudeTally> tallies)
    {
        var rank = _ranks[index];
        if (bracket.Capacity > 0)
            return NarrowListed(index, bracket, tallies);

        var (above, equal, bins) = MagnitudeTally.Merge(tallies, index, bracket);
        if (above >= rank)
            return new MagnitudeBracket(bracket.High + 1, Canonical.NaN, -1, 0, MostBins);

        if (bracket.Guess >= 0)
            bins[(bracket.Guess - bracket.Low) >> bracket.Shift] += equal;

        var bin = bins.Length - 1;
        for (; bin >= 0 && above + bins[bin] < rank; bin--)
            above += bins[bin];

        if (bin < 0 && bracket.Low == 0)
            throw new InvalidOperationException("Fewer magnitudes were counted than the search was made for.");

        if (bin < 0)
            return new MagnitudeBracket(0, bracket.Low - 1, -1, 0, MostBins);

        var low = bracket.Low + (bin << bracket.Shift);
        if (bracket.Shift > 0)
            return new MagnitudeBracket(low, (int)Math.Min(bracket.High, low + (1L << bracket.Shift) - 1), -1, 0, MostBins);

        var known = _results[index] = new MagnitudeThreshold((uint)low, above, bins[bin], -1, 0);
        if (!Splits(known, rank))
            return null;

        if (_blocks > 1 && (bracket.Guess != low || bracket.EqualsOfBlock.Length == 0))
            return new MagnitudeBracket(low, low, low, _blocks, MostBins);

        _results[index] = Placed(known, rank, bracket.EqualsOfBlock);
        return null;
    }

    /// <summary>As <see cref="Narrow"/>, where the codes inside were listed.</summary>
    private MagnitudeBracket? NarrowListed(int index, MagnitudeBracket bracket, ReadOnlySpan<MagnitudeTally> tallies)
    {
        var rank = _ranks[index];
        var lists = new MagnitudeList[tallies.Length];
        for (var i = 0; i < lists.Length; i++)
            lists[i] = tallies[i].ListOf(index);
        var result = Find(index, bracket, rank, lists, MagnitudeTally.Counts(tallies, index));
        foreach (var list in lists)
            list.Return();
        return result;
    }

    private MagnitudeBracket? Find(int index, MagnitudeBracket bracket, long rank, MagnitudeList[] lists, (long Above, long Equal) counts)
    {
        var (above, equal) = counts;
        if (Array.Exists(lists, l => l.Overflowed))
            return new MagnitudeBracket(bracket.Low, bracket.High, bracket.Guess, _blocks, MostBins);
        if (above >= rank)
            return new MagnitudeBracket(bracket.High + 1, Canonical.NaN, -1, 0, MostBins);

        var codes = lists.Length == 1 ? lists[0].Codes.AsSpan(0, lists[0].Count) : Concatenate(lists);
        if (above + equal + codes.Length < rank)
        {
            return bracket.Low > 0
                ? new MagnitudeBracket(0, bracket.Low - 1, -1, 0, MostBins)
                : throw new InvalidOperationException("Fewer magnitudes were counted than the search was made for.");
        }

        var aboveGuess = bracket.Guess < 0 ? long.MaxValue : above + MagnitudeSelect.Count(codes, bracket.Guess, bracket.Guess).Above;
        var known = new MagnitudeThreshold((uint)bracket.Guess, aboveGuess, equal, -1, 0);
        if (rank > aboveGuess && rank <= aboveGuess + equal)
        {
            _results[index] = Splits(known, rank) ? Placed(known, rank, bracket.EqualsOfBlock) : known;
            return null;
        }

        var before = above + (rank <= aboveGuess ? 0 : equal);
        var code = MagnitudeSelect.At(codes, rank - before - 1, (uint)bracket.Low, (uint)bracket.High);
        var (larger, same) = MagnitudeSelect.Count(codes, (int)code - 1, (int)code);
        known = new MagnitudeThreshold(code, before + larger, same, -1, 0);
        if (Splits(known, rank))
        {
            var equals = new int[_blocks];
            foreach (var list in lists)
                list.AddEquals(code, equals);
            known = Placed(known, rank, equals);
        }

        _results[index] = known;
        return null;
    }

    private static uint[] Concatenate(MagnitudeList[] lists)
    {
        var codes = new uint[lists.Sum(l => l.Count)];
        var next = 0;
        foreach (var list in lists)
        {
            list.Codes.AsSpan(0, list.Count).CopyTo(codes.AsSpan(next));
            next += list.Count;
        }

        return codes;
    }

    /// <summary>Whether the rank falls among equals whose places are asked for.</summary>
    private bool Splits(MagnitudeThreshold known, long rank) => _blocks > 0 && rank - known.Above < known.Equal;

    /// <summary>Where the last of the equals in the top lies, from their number in each block.</summary>
    private MagnitudeThreshold Placed(MagnitudeThreshold known, long rank, int[] equalsOfBlock)
    {
        var among = rank - known.Above;
        var block = 0;
        for (; _blocks > 1 && equalsOfBlock[block] < among; block++)
            among -= equalsOfBlock[block];

        return known with { Block = block, RankInBlock = among };
    }
}
