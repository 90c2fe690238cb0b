using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>A part of one tensor, the unit of work, of hashing and of resuming.</summary>
/// <param name="Index">The position among all blocks of the plan.</param>
/// <param name="Tensor">The tensor.</param>
/// <param name="Start">The flat index of the first element.</param>
/// <param name="Length">The number of elements, at most <see cref="BlockMap.Elements"/>.</param>
internal readonly record struct Block(long Index, TensorPlan Tensor, long Start, int Length);

/// <summary>
/// Numbers the blocks of all tensors in the order of the output: the same for every machine, thread count and memory
/// limit, since hashes and sums over elements follow it.
/// </summary>
internal sealed class BlockMap
{
    /// <summary>The elements of a block.</summary>
    public const int Elements = 65_536;

    private readonly IReadOnlyList<TensorPlan> _tensors;
    private readonly long[] _first;

    public BlockMap(IReadOnlyList<TensorPlan> tensors)
    {
        _tensors = tensors;
        _first = new long[tensors.Count + 1];
        for (var i = 0; i < tensors.Count; i++)
            _first[i + 1] = _first[i] + CountOf(tensors[i].ElementCount);
    }

    /// <summary>The number of blocks.</summary>
    public long Count => _first[^1];

    /// <summary>The number of blocks of a tensor; none for one without elements.</summary>
    public static long CountOf(long elements) => (elements + Elements - 1) / Elements;

    /// <summary>The first block of a tensor; with the tensor count, the end.</summary>
    public long FirstOf(int tensor) => _first[tensor];

    /// <summary>The block at a position.</summary>
    public Block this[long index]
    {
        get
        {
            // The last tensor whose first block is not after the index; tensors without elements have none and are skipped.
            var i = Array.BinarySearch(_first, index);
            i = i < 0 ? ~i - 1 : i;
            while (_first[i + 1] == _first[i])
                i++;
            var start = (index - _first[i]) * Elements;
            return new Block(index, _tensors[i], start, (int)Math.Min(Elements, _tensors[i].ElementCount - start));
        }
    }
}
