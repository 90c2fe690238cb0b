using System.Buffers;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// The codes inside a bracket, but those equal to its guess: with few of them a list is cheaper than a histogram of half a
/// million bins. One worker's; those of all workers together hold the codes of all elements.
/// </summary>
internal sealed class MagnitudeList
{
    /// <summary>Codes that may be written in one go, beyond which <see cref="Reserve"/> is due again.</summary>
    internal const int Step = 4096;

    /// <summary>A vector's worth of lanes may be written behind the last code.</summary>
    internal const int Slack = 16;

    private readonly int _capacity;
    private readonly List<(int Block, int End)> _segments = [];

    /// <summary>An empty list for the codes of a bracket.</summary>
    internal MagnitudeList(MagnitudeBracket bracket)
    {
        _capacity = bracket.Capacity;
        Codes = ArrayPool<uint>.Shared.Rent(Math.Min(_capacity, 4 * Step) + Step + Slack);
    }

    /// <summary>The codes, <see cref="Count"/> of them.</summary>
    internal uint[] Codes { get; private set; }

    /// <summary>Number of codes.</summary>
    internal int Count { get; private set; }

    /// <summary>Whether there were more codes than the list may have, so that it is of no use.</summary>
    internal bool Overflowed { get; private set; }

    /// <summary>Makes room for <see cref="Step"/> codes more.</summary>
    internal void Reserve()
    {
        if (Count + Step + Slack <= Codes.Length)
            return;

        var larger = ArrayPool<uint>.Shared.Rent(Math.Min(2 * Count, _capacity) + Step + Slack);
        Codes.AsSpan(0, Count).CopyTo(larger);
        ArrayPool<uint>.Shared.Return(Codes);
        Codes = larger;
    }

    /// <summary>Counts codes that were written behind the others, of elements of one block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Advance(int codes, int block)
    {
        Count += codes;
        if (Count > _capacity)
        {
            (Overflowed, Count) = (true, 0);
            _segments.Clear();
        }

        if (_segments.Count > 0 && _segments[^1].Block == block)
            _segments[^1] = (block, Count);
        else
            _segments.Add((block, Count));
    }

    /// <summary>Adds to each block's number how many of its codes are equal to one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void AddEquals(uint code, Span<int> ofBlock)
    {
        var start = 0;
        foreach (var (block, end) in _segments)
        {
            ofBlock[block] += Codes.AsSpan(start, end - start).Count(code);
            start = end;
        }
    }

    /// <summary>Gives the memory back.</summary>
    internal void Return()
    {
        ArrayPool<uint>.Shared.Return(Codes);
        Codes = [];
    }
}
