using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>What a threshold is taken over: one tensor, or all merged tensors in ordinal order of their names.</summary>
/// <param name="Tensors">The tensors.</param>
/// <param name="IsModel">Whether they are all merged tensors.</param>
/// <param name="BlockElements">The elements of a block, the unit in which equal magnitudes are placed.</param>
internal sealed record TrimExtent(TensorPlan[] Tensors, bool IsModel, int BlockElements = BlockMap.Elements)
{
    private readonly int[] _firstBlocks = FirstBlocks(Tensors, BlockElements);
    private readonly long[] _firstElements = FirstElements(Tensors);
    private readonly Dictionary<int, int> _positions = Tensors.Select((t, i) => (t.Index, i)).ToDictionary(t => t.Index, t => t.i);

    /// <summary>The number of elements.</summary>
    public long Elements { get; } = Tensors.Sum(t => t.ElementCount);

    /// <summary>The number of blocks.</summary>
    public int Blocks => _firstBlocks[^1];

    /// <summary>The range of tensors in the order of the output.</summary>
    public (int First, int End) Range { get; } = (Tensors.Min(t => t.Index), Tensors.Max(t => t.Index) + 1);

    /// <summary>The flat index of a tensor's first element over the extent.</summary>
    public long FirstOf(TensorPlan tensor) => _firstElements[_positions[tensor.Index]];

    /// <summary>The number of the block that holds an element, in the order of flat indices over the extent.</summary>
    public int BlockNumber(TensorPlan tensor, long element) => _firstBlocks[_positions[tensor.Index]] + (int)(element / BlockElements);

    /// <summary>The tensor that holds a block, and the block's first element.</summary>
    public (TensorPlan Tensor, long Start) Locate(long block)
    {
        var i = Array.FindLastIndex(_firstBlocks, Tensors.Length - 1, f => f <= block);
        while (Tensors[i].ElementCount == 0)
            i--;
        return (Tensors[i], (block - _firstBlocks[i]) * BlockElements);
    }

    /// <summary>Whether a tensor comes before another.</summary>
    public bool IsBefore(TensorPlan tensor, TensorPlan other) => _positions[tensor.Index] < _positions[other.Index];

    /// <inheritdoc/>
    public bool Equals(TrimExtent? other) => other is not null && IsModel == other.IsModel && Range == other.Range;

    /// <inheritdoc/>
    public override int GetHashCode() => Range.GetHashCode();

    private static long[] FirstElements(TensorPlan[] tensors)
    {
        var first = new long[tensors.Length];
        for (var i = 1; i < tensors.Length; i++)
            first[i] = first[i - 1] + tensors[i - 1].ElementCount;
        return first;
    }

    private static int[] FirstBlocks(TensorPlan[] tensors, int elements)
    {
        var first = new int[tensors.Length + 1];
        for (var i = 0; i < tensors.Length; i++)
            first[i + 1] = checked(first[i] + (int)((tensors[i].ElementCount + elements - 1) / elements));
        return first;
    }
}

/// <summary>A cut that somebody asked for.</summary>
/// <param name="Group">The group.</param>
/// <param name="Tensor">The tensor.</param>
/// <param name="Bound">The place.</param>
/// <param name="IsDrop">Whether it is the outliers' cut.</param>
internal sealed record TrimRequest(MixGroup Group, TensorPlan Tensor, TrimBound Bound, bool IsDrop);

/// <summary>The search for all thresholds of one expert's deltas over one extent.</summary>
/// <param name="Key">Tells deltas apart that are made in different ways.</param>
/// <param name="Expert">The expert.</param>
/// <param name="Extent">What the thresholds are taken over.</param>
/// <param name="Group">A group whose pipeline makes the deltas.</param>
internal sealed record TrimSearch(int Key, int Expert, TrimExtent Extent, MixGroup Group)
{
    /// <summary>Tensors up to this many elements are searched by one worker each: no worker waits for another.</summary>
    public const long MostLocal = 1 << 22;

    private readonly SortedSet<long> _ranks = [];
    private bool _placesEquals;
    private long[] _sorted = [];
    private MagnitudeTally[] _tallies = [];

    /// <summary>Who asked for cuts.</summary>
    public List<TrimRequest> Requests { get; } = [];

    /// <summary>The search, once begun.</summary>
    public MagnitudeSearch Search { get; private set; } = null!;

    /// <summary>All merged tensors, in ordinal order of their names.</summary>
    public static TrimExtent OfModel(MergePlan plan) => new([.. plan.Merged.OrderBy(t => t.Name, StringComparer.Ordinal)], true);

    /// <summary>One tensor; a small one is searched by a single worker, in small blocks.</summary>
    public static TrimExtent OfTensor(TensorPlan tensor) => new([tensor], false, tensor.ElementCount <= MostLocal ? Worker.Granularity : BlockMap.Elements);

    /// <summary>Whether one worker makes the whole search.</summary>
    public bool IsLocal => !Extent.IsModel && Extent.Elements <= MostLocal;

    /// <summary>Bytes that the codes of the first pass take at most, if this is a local search.</summary>
    public long ListBytes => _ranks.Count * Math.Min(Extent.Elements / 2, MagnitudeBracket.MostBytes);

    /// <summary>Adds a request.</summary>
    public void Request(TrimRequest request)
    {
        _ranks.Add(request.Bound.Rank);
        _placesEquals |= request.Bound.Edge == TrimEdge.Exact;
        Requests.Add(request);
    }

    /// <summary>Begins the search for what was asked.</summary>
    public void Begin()
    {
        _sorted = [.. _ranks];
        Search = new MagnitudeSearch(Extent.Elements, _sorted, _placesEquals ? Extent.Blocks : 0);
    }

    /// <summary>The position of a rank among the results.</summary>
    public int IndexOf(long rank) => Array.BinarySearch(_sorted, rank);

    /// <summary>Makes the tallies of a pass.</summary>
    public void BeginPass(int workers) => _tallies = [.. Enumerable.Range(0, workers).Select(_ => Search.CreateTally())];

    /// <summary>The tally of a worker.</summary>
    public MagnitudeTally Tally(int worker) => _tallies[worker];

    /// <summary>Ends a pass.</summary>
    public void EndPass()
    {
        Search.Finish(_tallies);
        _tallies = [];
    }
}
