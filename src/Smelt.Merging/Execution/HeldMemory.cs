using System.Runtime.InteropServices;
using Smelt.Merging.Kernels;

namespace Smelt.Merging.Execution;

/// <summary>
/// A block that is merged but for some columns, elements at which it is still open what of some expert is kept: its output, and the sources of
/// these columns. Its memory is that of a <see cref="HeldMemory"/>.
/// </summary>
internal sealed unsafe class HeldBlock
{
    /// <summary>The output's bytes, those of open columns without meaning; null where they are written to the output's file already.</summary>
    public required byte* Output { get; init; }

    /// <summary>For each open column its element in the block, rising.</summary>
    public required ushort* Indices { get; set; }

    /// <summary>For each source its elements in the open columns.</summary>
    public required void*[] Columns { get; init; }

    /// <summary>The number of open columns.</summary>
    public int Count { get; set; }

    /// <summary>The hashes of the block in its sources.</summary>
    public UInt128[] SourceHashes { get; set; } = [];

    /// <summary>Positive minus negative elected signs, where votes are counted; what open columns elect is right once cuts are known.</summary>
    public int Balance { get; set; }

    /// <summary>Zero votes that matter, counted as <see cref="Balance"/> is.</summary>
    public int ZeroVotes { get; set; }

    /// <summary>Bytes of a block with so many sources, besides its columns.</summary>
    public static long OwnBytes(int sources) => 256 + (sources * (sizeof(long) + 16L));

    /// <summary>The number of open columns of elements before one of the block.</summary>
    public int CountBefore(long element)
    {
        if (element > ushort.MaxValue)
            return Count;
        var place = new ReadOnlySpan<ushort>(Indices, Count).BinarySearch((ushort)Math.Max(0, element));
        return place < 0 ? ~place : place;
    }
}

/// <summary>
/// Memory for the <see cref="HeldBlock"/>s of one wave of tensors, taken once; only what is used of it becomes resident. Each worker has a stage that
/// all columns of a block fit on, and what of them is set aside there is kept behind that of other blocks.
/// </summary>
internal sealed unsafe class HeldMemory : IDisposable
{
    private const nuint Alignment = 64;

    /// <summary>Columns of a stage.</summary>
    private const int StageColumns = BlockMap.Elements + OpenColumns.Slack;

    private readonly long _stageBytes;
    private readonly long _stages;
    private byte* _memory;
    private long _used;

    /// <param name="bytes">How much there may be, with the stages.</param>
    /// <param name="workers">The number of workers.</param>
    /// <param name="sources">The most sources of a tensor.</param>
    /// <param name="size">Bytes of the largest element among them.</param>
    public HeldMemory(long bytes, int workers, int sources, int size)
    {
        _stageBytes = BytesOf(StageColumns, sources, size);
        _stages = StageBytes(workers, sources, size);
        Bytes = Math.Max(0, bytes - _stages);
    }

    /// <summary>How much there may be besides the stages.</summary>
    public long Bytes { get; }

    /// <summary>Bytes of the stages of some workers.</summary>
    public static long StageBytes(int workers, int sources, int size) => workers * BytesOf(StageColumns, sources, size);

    /// <summary>Bytes of some columns of a block.</summary>
    /// <param name="columns">How many.</param>
    /// <param name="sources">Number of their sources.</param>
    /// <param name="size">Bytes of an element of a source.</param>
    public static long BytesOf(long columns, int sources, int size) => Align(columns * sizeof(ushort)) + (sources * Align(columns * size));

    /// <summary>Begins a wave: what was held before is gone.</summary>
    public void Clear()
    {
        if (_memory is null && Bytes > 0)
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(_stages + Bytes), Alignment);
        _used = 0;
    }

    /// <summary>Takes memory for the output of a tensor; there must be as much.</summary>
    public byte* Take(long bytes)
    {
        var place = TryTake(bytes);
        return place is not null ? place : throw new InvalidOperationException("More is held than there is room for.");
    }

    /// <summary>Begins a block on the stage of a worker.</summary>
    /// <param name="worker">The worker's number.</param>
    /// <param name="output">Where its output is held; null where it is in its file.</param>
    /// <param name="sources">Number of its sources.</param>
    /// <param name="size">Bytes of an element of a source.</param>
    public HeldBlock Begin(int worker, byte* output, int sources, int size)
    {
        var stage = _memory + (worker * _stageBytes);
        var block = new HeldBlock { Output = output, Indices = (ushort*)stage, Columns = new void*[sources] };
        for (var i = 0; i < sources; i++)
            block.Columns[i] = stage + BytesOf(StageColumns, i, size);
        return block;
    }

    /// <summary>Moves the columns of a block off the stage; false where there is no room for them. Safe to call from several threads.</summary>
    public bool TryKeep(HeldBlock block, int size)
    {
        var sources = block.Columns.Length;
        var kept = TryTake(BytesOf(block.Count, sources, size));
        if (kept is null)
            return false;
        Buffer.MemoryCopy(block.Indices, kept, block.Count * sizeof(ushort), block.Count * sizeof(ushort));
        block.Indices = (ushort*)kept;
        for (var i = 0; i < sources; i++)
        {
            var column = kept + BytesOf(block.Count, i, size);
            Buffer.MemoryCopy(block.Columns[i], column, block.Count * size, block.Count * size);
            block.Columns[i] = column;
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    private byte* TryTake(long bytes)
    {
        var total = Align(bytes);
        var place = Interlocked.Add(ref _used, total) - total;
        return place + total <= Bytes ? _memory + _stages + place : null;
    }

    private static long Align(long length) => (length + (long)Alignment - 1) & -(long)Alignment;
}
