using System.Buffers;

namespace Smelt.Merging.Kernels;

/// <summary>
/// The codes inside a bracket, but those equal to its guess, in the order of the elements: with few of them a list is
/// cheaper than a histogram of half a million bins.
/// </summary>
internal sealed class MagnitudeList
{
    private readonly int[] _ends;
    private readonly int _room;

    /// <param name="bracket">The bracket.</param>
    /// <param name="room">Codes for which there is always room beyond what is listed.</param>
    internal MagnitudeList(MagnitudeBracket bracket, int room)
    {
        _room = bracket.Capacity;
        _ends = new int[bracket.EqualsOfBlock.Length];
        Codes = ArrayPool<uint>.Shared.Rent(bracket.Capacity + room + 16);
    }

    /// <summary>The codes, <see cref="Count"/> of them.</summary>
    internal uint[] Codes { get; private set; }

    /// <summary>Number of codes.</summary>
    internal int Count { get; private set; }

    /// <summary>Whether there were more codes than the list may have, so that it is of no use.</summary>
    internal bool Overflowed { get; private set; }

    /// <summary>Counts codes that were written behind the others, elements of a block that is not before the last one.</summary>
    internal void Advance(int codes, int block)
    {
        Count += codes;
        if (Count > _room)
            (Overflowed, Count) = (true, 0);
        if (_ends.Length > 0)
            _ends[block] = Count;
    }

    /// <summary>Number of codes above one, and equal to it.</summary>
    internal (long Above, long Equal) CountsOf(uint code)
    {
        long above = 0, equal = 0;
        foreach (var other in Codes.AsSpan(0, Count))
        {
            above += other > code ? 1 : 0;
            equal += other == code ? 1 : 0;
        }

        return (above, equal);
    }

    /// <summary>The block that holds the code's element number <paramref name="rank"/> (from 1), and which it is there.</summary>
    internal (int Block, long Rank) Locate(uint code, long rank)
    {
        var index = 0;
        for (var block = 0; block < _ends.Length; block++)
        {
            var before = rank;
            for (; index < _ends[block]; index++)
                rank -= Codes[index] == code ? 1 : 0;
            if (rank <= 0)
                return (block, before);
        }

        throw new InvalidOperationException("Fewer equal magnitudes were listed than counted.");
    }

    /// <summary>Gives the memory back.</summary>
    internal void Return()
    {
        ArrayPool<uint>.Shared.Return(Codes);
        Codes = [];
    }
}
