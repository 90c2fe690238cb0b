namespace Smelt.Merging.Execution;

/// <summary>
/// A block that is merged but for some columns, elements at which it is still open what of some expert is kept, or what a zero vote elects: its
/// output, and the sources of these columns. Its memory is that of a <see cref="HeldMemory"/>.
/// </summary>
internal sealed unsafe class HeldBlock
{
    /// <summary>The output's bytes, those of open columns without meaning; null where they are written to the output's file already.</summary>
    public required byte* Output { get; init; }

    /// <summary>For each open column its element in the block, rising; there while the block is on the stage, in memory, or loaded by a worker.</summary>
    public required ushort* Indices { get; set; }

    /// <summary>For each source its elements in the open columns, as long as <see cref="Indices"/>.</summary>
    public required void*[] Columns { get; init; }

    /// <summary>The number of open columns.</summary>
    public int Count { get; set; }

    /// <summary>Where the columns lie in the file of those that there is no memory for; -1 where they are in memory.</summary>
    public long Place { get; set; } = -1;

    /// <summary>The open codes of all experts, one after another.</summary>
    public uint* Codes { get; set; }

    /// <summary>For each expert the end of its open codes.</summary>
    public int[] CodeEnds { get; init; } = [];

    /// <summary>The hashes of the block in its sources.</summary>
    public UInt128[] SourceHashes { get; set; } = [];

    /// <summary>Positive minus negative elected signs, where votes are counted; those of open columns are added when cuts are known.</summary>
    public int Balance { get; set; }

    /// <summary>Zero votes that matter, counted as <see cref="Balance"/> is.</summary>
    public int ZeroVotes { get; set; }

    /// <summary>Bytes of a block with so many sources, besides its columns.</summary>
    public static long OwnBytes(int sources) => 256 + (sources * (sizeof(long) + sizeof(int) + 16L));

    /// <summary>The open codes of an expert.</summary>
    public ReadOnlySpan<uint> CodesOf(int expert)
    {
        var start = expert == 0 ? 0 : CodeEnds[expert - 1];
        return new ReadOnlySpan<uint>(Codes + start, CodeEnds[expert] - start);
    }

    /// <summary>The number of open columns of elements before one of the block.</summary>
    public int CountBefore(long element)
    {
        if (element > ushort.MaxValue)
            return Count;
        var place = new ReadOnlySpan<ushort>(Indices, Count).BinarySearch((ushort)Math.Max(0, element));
        return place < 0 ? ~place : place;
    }
}
