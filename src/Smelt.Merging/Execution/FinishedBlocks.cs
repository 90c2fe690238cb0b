using Smelt.Merging.Kernels;

namespace Smelt.Merging.Execution;

/// <summary>The votes that were counted in the finished blocks of one part of a plan.</summary>
/// <param name="blocks">The number of blocks of the whole plan.</param>
/// <param name="points">The number of sweep points.</param>
internal sealed class VoteCounts(long blocks, int points)
{
    private static readonly int Votes = Enum.GetValues<ZeroVote>().Length;

    /// <summary>Positive minus negative elected signs over all finished blocks, for each sweep point.</summary>
    public long[] Balances { get; } = new long[points];

    /// <summary>For each sweep point and each thing that zero votes may elect, a bit for each finished block in which one that matters did; null where there is none.</summary>
    private readonly long[]?[,] _elected = new long[]?[points, Votes];

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
            if (vote != (int)right && _elected[point, vote] is { } bits && (bits[block >> 6] >> (int)(block & 63) & 1) != 0)
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
        ref var bits = ref _elected[point, (int)record.Assumed];
        if (Volatile.Read(ref bits) is null)
            Interlocked.CompareExchange(ref bits, new long[(blocks + 63) / 64], null);
        Interlocked.Or(ref bits![block >> 6], 1L << (int)(block & 63));
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
    private readonly long[] _bits = new long[(blocks + 63) / 64];
    private long _resumed;
    private volatile bool _reopened;

    /// <summary>The votes of each part.</summary>
    public VoteCounts[] Votes { get; } = [.. Enumerable.Range(0, parts).Select(_ => new VoteCounts(blocks, points))];

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
        Interlocked.And(ref _bits[block >> 6], ~(1L << (int)(block & 63)));
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
