using Smelt.Merging.Kernels;

namespace Smelt.Merging.Execution;

/// <summary>The votes that were counted in the finished blocks of one part of a plan.</summary>
internal sealed class VoteCounts(int points)
{
    /// <summary>Positive minus negative elected signs over all finished blocks, for each sweep point.</summary>
    public long[] Balances { get; } = new long[points];

    /// <summary>Zero votes that matter over all finished blocks, for each sweep point and what they elected.</summary>
    private readonly long[,] _zeroVotes = new long[points, Enum.GetValues<ZeroVote>().Length];

    /// <summary>Whether a zero vote that matters elected something else than <paramref name="right"/> at a sweep point.</summary>
    public bool AnyBut(ZeroVote right, int point)
    {
        for (var vote = 0; vote < _zeroVotes.GetLength(1); vote++)
        {
            if (vote != (int)right && _zeroVotes[point, vote] > 0)
                return true;
        }

        return false;
    }

    /// <summary>Adds the votes of a block at a sweep point. Safe to call from several threads.</summary>
    public void Add(int point, in BlockRecord record)
    {
        Interlocked.Add(ref Balances[point], record.Balance);
        Interlocked.Add(ref _zeroVotes[point, (int)record.Assumed], record.ZeroVotes);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(Balances);
        Array.Clear(_zeroVotes);
    }
}

/// <summary>Which blocks are done, and the votes that were counted in them, for each part of the plan at each sweep point.</summary>
internal sealed class FinishedBlocks(long blocks, int parts, int points)
{
    private readonly long[] _bits = new long[(blocks + 63) / 64];
    private long _resumed;

    /// <summary>The votes of each part.</summary>
    public VoteCounts[] Votes { get; } = [.. Enumerable.Range(0, parts).Select(_ => new VoteCounts(points))];

    /// <summary>The number of blocks that an earlier run had finished.</summary>
    public long Resumed => _resumed;

    /// <summary>Whether a block is done.</summary>
    public bool Contains(long block) => (Volatile.Read(ref _bits[block >> 6]) >> (int)(block & 63) & 1) != 0;

    /// <summary>Whether all blocks of a range are done.</summary>
    public bool All(long first, long end)
    {
        for (var i = first; i < end; i++)
        {
            if (!Contains(i))
                return false;
        }

        return true;
    }

    /// <summary>Whether a block of a range is done.</summary>
    public bool Any(long first, long end)
    {
        for (var i = first; i < end; i++)
        {
            if (Contains(i))
                return true;
        }

        return false;
    }

    /// <summary>Marks a block as done; false where it already was.</summary>
    public bool TryAdd(Block block, ReadOnlySpan<BlockRecord> records, bool resumed)
    {
        var bit = 1L << (int)(block.Index & 63);
        if ((Interlocked.Or(ref _bits[block.Index >> 6], bit) & bit) != 0)
            return false;
        var votes = Votes[block.Tensor.Part];
        for (var i = 0; i < votes.Balances.Length; i++)
            votes.Add(i, records[i]);

        if (resumed)
            Interlocked.Increment(ref _resumed);
        return true;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_bits);
        foreach (var votes in Votes)
            votes.Clear();
        _resumed = 0;
    }
}
