using System.Runtime.InteropServices;
using Smelt.Merging.Kernels;

namespace Smelt.Merging.Execution;

/// <summary>
/// A block that is merged but for some columns, elements at which it is still open what of some expert is kept: its output, and the sources of
/// these columns. Its memory is that of a <see cref="HeldMemory"/>.
/// </summary>
internal sealed unsafe class HeldBlock
{
    /// <summary>The output's bytes, those of open columns without meaning.</summary>
    public required byte* Output { get; init; }

    /// <summary>For each open column its element in the block, rising.</summary>
    public required ushort* Indices { get; init; }

    /// <summary>For each source its elements in the open columns.</summary>
    public required void*[] Columns { get; init; }

    /// <summary>The most open columns there may be.</summary>
    public required int Capacity { get; init; }

    /// <summary>The number of open columns; more than <see cref="Capacity"/> where there are too many.</summary>
    public int Count { get; set; }

    /// <summary>The hashes of the block in its sources.</summary>
    public UInt128[] SourceHashes { get; set; } = [];

    /// <summary>The number of open columns of elements before one of the block.</summary>
    public int CountBefore(long element)
    {
        if (element > ushort.MaxValue)
            return Count;
        var place = new ReadOnlySpan<ushort>(Indices, Count).BinarySearch((ushort)Math.Max(0, element));
        return place < 0 ? ~place : place;
    }
}

/// <summary>Memory for the <see cref="HeldBlock"/>s of one wave of tensors, taken once; only what is used of it becomes resident.</summary>
/// <param name="bytes">How much there may be.</param>
internal sealed unsafe class HeldMemory(long bytes) : IDisposable
{
    private const nuint Alignment = 64;

    private byte* _memory;
    private long _used;

    /// <summary>How much there may be.</summary>
    public long Bytes => bytes;

    /// <summary>Bytes that a block takes at most.</summary>
    /// <param name="outputBytes">Bytes of its output.</param>
    /// <param name="sources">Number of its sources.</param>
    /// <param name="size">Bytes of an element of a source.</param>
    /// <param name="capacity">The most open columns.</param>
    public static long BytesOf(long outputBytes, int sources, int size, int capacity) =>
        Align(outputBytes) + Align((capacity + OpenColumns.Slack) * sizeof(ushort)) + (sources * Align((capacity + OpenColumns.Slack) * size));

    /// <summary>Takes a block. Safe to call from several threads.</summary>
    public HeldBlock Take(long outputBytes, int sources, int size, int capacity)
    {
        var total = BytesOf(outputBytes, sources, size, capacity);
        var place = Interlocked.Add(ref _used, total) - total;
        if (place + total > bytes)
            throw new InvalidOperationException("More blocks are held than there is room for.");
        var next = _memory + place;
        var output = next;
        next += Align(outputBytes);
        var indices = next;
        next += Align((capacity + OpenColumns.Slack) * sizeof(ushort));
        var columns = new void*[sources];
        for (var i = 0; i < sources; i++, next += Align((capacity + OpenColumns.Slack) * size))
            columns[i] = next;
        return new HeldBlock { Output = output, Indices = (ushort*)indices, Columns = columns, Capacity = capacity };
    }

    /// <summary>Begins a wave: blocks taken before are gone.</summary>
    public void Clear()
    {
        if (_memory is null && bytes > 0)
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        _used = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    private static long Align(long length) => (length + (long)Alignment - 1) & -(long)Alignment;
}
