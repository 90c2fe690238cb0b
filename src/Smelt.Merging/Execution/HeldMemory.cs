using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Smelt.Merging.Kernels;

namespace Smelt.Merging.Execution;

/// <summary>
/// Memory for the <see cref="HeldBlock"/>s of one wave of tensors, taken once; only what is used of it becomes resident. Each worker has a stage that
/// all columns of a block fit on, and what of them is set aside there is kept behind that of other blocks: in memory, and where that is full in a file.
/// </summary>
internal sealed unsafe class HeldMemory : IDisposable
{
    private const nuint Alignment = 64;

    /// <summary>Columns of a stage.</summary>
    private const int StageColumns = BlockMap.Elements + OpenColumns.Slack;

    private readonly long _stageBytes;
    private readonly long _stages;
    private readonly string _path;
    private readonly Lock _fileLock = new();
    private byte* _memory;
    private long _used;
    private long _reserved;
    private SafeFileHandle? _file;
    private long _written;
    private long _mostWritten;

    /// <param name="bytes">How much there may be, with the stages.</param>
    /// <param name="workers">The number of workers.</param>
    /// <param name="sources">The most sources of a tensor.</param>
    /// <param name="size">Bytes of the largest element among them.</param>
    /// <param name="path">The file for columns that there is no memory for, made when it is needed.</param>
    public HeldMemory(long bytes, int workers, int sources, int size, string path)
    {
        _stageBytes = BytesOf(StageColumns, sources, size);
        _stages = StageBytes(workers, sources, size);
        _path = path;
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
        (_used, _reserved, _written, _mostWritten) = (0, 0, 0, 0);
        CloseFile();
    }

    /// <summary>Says what columns may not take of the memory, and what of them may go to the file.</summary>
    /// <param name="memory">Bytes for open codes.</param>
    /// <param name="file">Bytes of columns.</param>
    public void Reserve(long memory, long file) => (_reserved, _mostWritten) = (_reserved + memory, _mostWritten + file);

    /// <summary>Takes memory for the output of a tensor; there must be as much.</summary>
    public byte* Take(long bytes)
    {
        var place = TryTake(bytes, Bytes);
        return place is not null ? place : throw new InvalidOperationException("More is held than there is room for.");
    }

    /// <summary>Begins a block on the stage of a worker.</summary>
    /// <param name="worker">The worker's number.</param>
    /// <param name="output">Where its output is held; null where it is in its file.</param>
    /// <param name="sources">Number of its sources.</param>
    /// <param name="size">Bytes of an element of a source.</param>
    public HeldBlock Begin(int worker, byte* output, int sources, int size)
    {
        var block = new HeldBlock { Output = output, Indices = null, Columns = new void*[sources], CodeEnds = new int[sources - 1] };
        Point(block, Stage(worker), StageColumns, size);
        return block;
    }

    /// <summary>Takes memory for codes, with what may be written behind them; null where there is no room. Safe to call from several threads.</summary>
    public uint* TryTakeCodes(int count) => (uint*)TryTake((count + (long)MagnitudeList.Slack) * sizeof(uint), Bytes);

    /// <summary>Moves the columns of a block off the stage of a worker; false where there is no room for them. Safe to call from several threads.</summary>
    public bool TryKeep(int worker, HeldBlock block, int size)
    {
        // Rows move towards the front of the stage, so none is overwritten before it has moved.
        var sources = block.Columns.Length;
        var kept = TryTake(BytesOf(block.Count, sources, size), Bytes - _reserved);
        var place = kept is null ? Stage(worker) : kept;
        Buffer.MemoryCopy(block.Indices, place, block.Count * sizeof(ushort), block.Count * sizeof(ushort));
        for (var i = 0; i < sources; i++)
            Buffer.MemoryCopy(block.Columns[i], place + BytesOf(block.Count, i, size), block.Count * size, block.Count * size);
        Point(block, place, block.Count, size);
        return kept is not null || TryWrite(worker, block, BytesOf(block.Count, sources, size));
    }

    /// <summary>Puts the columns of a block where a worker can read them, until it loads those of another.</summary>
    /// <exception cref="IOException">They can't be read.</exception>
    public void Load(int worker, HeldBlock block, int size)
    {
        if (block.Place < 0)
            return;
        var bytes = new Span<byte>(Stage(worker), (int)BytesOf(block.Count, block.Columns.Length, size));
        if (RandomAccess.Read(_file!, bytes, block.Place) != bytes.Length)
            throw new IOException($"{_path} is shorter than it was written.");
        Point(block, Stage(worker), block.Count, size);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CloseFile();
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    private byte* Stage(int worker) => _memory + (worker * _stageBytes);

    private static void Point(HeldBlock block, byte* place, int columns, int size)
    {
        block.Indices = (ushort*)place;
        for (var i = 0; i < block.Columns.Length; i++)
            block.Columns[i] = place + BytesOf(columns, i, size);
    }

    /// <summary>Writes the columns of a block to the file; a full disk is as good as no room.</summary>
    private bool TryWrite(int worker, HeldBlock block, long bytes)
    {
        block.Place = Interlocked.Add(ref _written, bytes) - bytes;
        if (block.Place + bytes > _mostWritten)
            return false;
        try
        {
            lock (_fileLock)
                _file ??= Open();
            RandomAccess.Write(_file, new ReadOnlySpan<byte>(Stage(worker), (int)bytes), block.Place);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The file has no name as soon as the system allows it, so that it is gone whatever happens to this process.</summary>
    private SafeFileHandle Open()
    {
        var file = File.OpenHandle(_path, FileMode.Create, FileAccess.ReadWrite, FileShare.Delete, OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
        if (!OperatingSystem.IsWindows())
            File.Delete(_path);
        return file;
    }

    private void CloseFile()
    {
        _file?.Dispose();
        _file = null;
    }

    private byte* TryTake(long bytes, long most)
    {
        var total = Align(bytes);
        while (true)
        {
            var place = Volatile.Read(ref _used);
            if (place + total > most)
                return null;
            if (Interlocked.CompareExchange(ref _used, place + total, place) == place)
                return _memory + _stages + place;
        }
    }

    private static long Align(long length) => (length + (long)Alignment - 1) & -(long)Alignment;
}
