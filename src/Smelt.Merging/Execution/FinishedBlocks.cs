using Smelt.Merging.Kernels;

namespace Smelt.Merging.Execution;

/// <summary>A set of the blocks of a plan, a bit each. Safe to use from several threads.</summary>
/// <param name="blocks">The number of blocks.</param>
internal sealed class BlockSet(long blocks)
{
    private readonly long[] _bits = new long[(blocks + 63) / 64];

    /// <summary>Whether a block is in the set.</summary>
    public bool Contains(long block) => (Volatile.Read(ref _bits[block >> 6]) & Bit(block)) != 0;

    /// <summary>Adds a block; false where it already was there.</summary>
    public bool TryAdd(long block) => (Interlocked.Or(ref _bits[block >> 6], Bit(block)) & Bit(block)) == 0;

    /// <summary>Takes a block out.</summary>
    public void Remove(long block) => Interlocked.And(ref _bits[block >> 6], ~Bit(block));

    /// <summary>Takes all out.</summary>
    public void Clear() => Array.Clear(_bits);

    private static long Bit(long block) => 1L << (int)(block & 63);
}

/// <summary>The votes that were counted in the finished blocks of one part of a plan.</summary>
/// <param name="blocks">The number of blocks of the whole plan.</param>
/// <param name="points">The number of sweep points.</param>
internal sealed class VoteCounts(long blocks, int points)
{
    private static readonly int Votes = Enum.GetValues<ZeroVote>().Length;

    /// <summary>Positive minus negative elected signs over all finished blocks, for each sweep point.</summary>
    public long[] Balances { get; } = new long[points];

    /// <summary>For each sweep point and each thing that zero votes may elect, the finished blocks in which one that matters did; null where there is none.</summary>
    private readonly BlockSet?[,] _elected = new BlockSet?[points, Votes];

    /// <summary>Whether a zero vote that matters elected something else than <paramref name="right"/> at a sweep point.</summary>
    public bool AnyBut(ZeroVote right, int point)
    {
        for (var vote = 0; vote < Votes; vote++)
        {
            if (vote != (int)right && _elected[point, vote] is not null)
                return true;
        }

        return false;
    }

    /// <summary>Whether one of a block did.</summary>
    public bool AnyBut(ZeroVote right, int point, long block)
    {
        for (var vote = 0; vote < Votes; vote++)
        {
            if (vote != (int)right && _elected[point, vote]?.Contains(block) == true)
                return true;
        }

        return false;
    }

    /// <summary>Adds the votes of a block at a sweep point. Safe to call from several threads.</summary>
    public void Add(int point, long block, in BlockRecord record)
    {
        Interlocked.Add(ref Balances[point], record.Balance);
        if (record.ZeroVotes == 0)
            return;
        ref var elected = ref _elected[point, (int)record.Assumed];
        if (Volatile.Read(ref elected) is null)
            Interlocked.CompareExchange(ref elected, new BlockSet(blocks), null);
        elected!.TryAdd(block);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(Balances);
        Array.Clear(_elected);
    }
}

/// <summary>Which blocks are done, and the votes that were counted in them, for each part of the plan at each sweep point.</summary>
internal sealed class FinishedBlocks(long blocks, int parts, int points)
{
    private readonly BlockSet _done = new(blocks);
    private long _resumed;
    private volatile bool _reopened;

    /// <summary>The votes of each part.</summary>
    public VoteCounts[] Votes { get; } = [.. Enumerable.Range(0, parts).Select(_ => new VoteCounts(blocks, points))];

    /// <summary>The number of blocks that an earlier run had finished.</summary>
    public long Resumed => _resumed;

    /// <summary>Whether a block is done.</summary>
    public bool Contains(long block) => _done.Contains(block);

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
        if (!_done.TryAdd(block.Index))
            return false;
        var votes = Votes[block.Tensor.Part];
        for (var i = 0; i < votes.Balances.Length && !_reopened; i++)
            votes.Add(i, block.Index, records[i]);

        if (resumed)
            Interlocked.Increment(ref _resumed);
        return true;
    }

    /// <summary>Takes a block back that has to be merged again. All votes are counted by then, and none is counted any more. Safe to call from several threads.</summary>
    public void Reopen(long block)
    {
        _reopened = true;
        _done.Remove(block);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _done.Clear();
        foreach (var votes in Votes)
            votes.Clear();
        _resumed = 0;
    }
}
