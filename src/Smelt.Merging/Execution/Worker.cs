using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Runtime.CompilerServices;
using Smelt.Checkpoints;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>A part of a block: what a kernel works on at once.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Start">The flat index of the first element, a multiple of <see cref="Worker.Granularity"/>.</param>
/// <param name="Length">The number of elements.</param>
internal readonly record struct SubBlock(TensorPlan Tensor, long Start, int Length);

/// <summary>
/// What one worker thread owns: buffers for a sub-block of every source, for the mix and for the output's bytes, and the
/// hashes of the block under way. Sized so that a sub-block stays in the second-level cache.
/// </summary>
internal sealed unsafe class Worker : IDisposable
{
    /// <summary>Sub-blocks start at multiples of this many elements.</summary>
    public const int Granularity = 4096;

    /// <summary>Most elements that are read at once: large reads cost less for each byte.</summary>
    private const int MostElements = 65_536;

    /// <summary>Elements that are mixed at once, of those that were read, so that the mix is still at hand when it is applied; a multiple of <see cref="Granularity"/>.</summary>
    public const int MixElements = 16_384;

    private const int LargestElement = sizeof(double);
    private const int CacheBudget = 1280 << 10;
    private const nuint Alignment = 64;

    private readonly CheckpointReader.Cursor[] _cursors;
    private readonly CheckpointReader.Cursor _maskCursor;
    private readonly byte* _memory;
    private readonly byte** _sources;
    private readonly BlockHash[] _sourceHashes;
    private readonly BlockHash[] _outputHashes;
    private readonly XxHash128[] _maskHashes;
    private readonly UInt128[] _taken;
    private readonly BlockRecord[] _records;

    private int _hashedTensor = -1;
    private ulong _tensorHash;

    /// <param name="reader">Reads the sources.</param>
    /// <param name="sources">The most sources that a tensor has: base and experts.</param>
    /// <param name="points">The number of sweep points.</param>
    /// <param name="masks">The number of masks of all points together.</param>
    /// <param name="elements">Elements of a sub-block.</param>
    /// <param name="elementBytes">Bytes of the largest element among the sources.</param>
    public Worker(CheckpointReader reader, int sources, int points, int masks, int elements, int elementBytes)
    {
        _cursors = [.. Enumerable.Range(0, sources).Select(_ => new CheckpointReader.Cursor(reader))];
        _maskCursor = new CheckpointReader.Cursor(reader);
        Elements = elements;
        SourceBytes = elements * elementBytes;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes(sources, elements, elementBytes), Alignment);
        var next = _memory + ((long)sources * SourceBytes);
        Mix = (float*)next;
        next += elements * sizeof(float);
        Output = next;
        next += elements * LargestElement;
        Scratch = next;
        next += elements * LargestElement;
        Masks = (ulong*)next;
        next += (long)sources * MaskWords * sizeof(ulong);
        _sources = (byte**)next;
        next += sources * sizeof(byte*);
        Blocks = (RawBlock*)next;
        next += sources * sizeof(RawBlock);
        Weights = (float*)next;
        next += sources * sizeof(ulong);
        Experts = (ExpertBlock*)next;
        for (var i = 0; i < sources; i++)
            _sources[i] = _memory + ((long)i * SourceBytes);
        _sourceHashes = [.. Enumerable.Range(0, sources).Select(_ => new BlockHash())];
        _outputHashes = [.. Enumerable.Range(0, points).Select(_ => new BlockHash())];
        _maskHashes = [.. Enumerable.Range(0, masks).Select(_ => new XxHash128())];
        _taken = new UInt128[sources];
        _records = new BlockRecord[points + masks];
        Balances = new int[points];
        ZeroVotes = new int[points];
        Assumed = new ZeroVote[points];
    }

    /// <summary>Elements of a sub-block.</summary>
    public int Elements { get; }

    /// <summary>Bytes of the buffer of one source.</summary>
    public int SourceBytes { get; }

    /// <summary>The mixed task vectors (or weights) of the sub-block, <see cref="Elements"/> of them.</summary>
    public float* Mix { get; }

    /// <summary>The bytes of the sub-block in the output's type.</summary>
    public byte* Output { get; }

    /// <summary>Room for 8 bytes for each element, for what nobody else needs.</summary>
    public byte* Scratch { get; }

    /// <summary>Bytes of <see cref="Output"/>, and of <see cref="Scratch"/>.</summary>
    public int ScratchBytes => Elements * LargestElement;

    /// <summary>One bit mask for each expert, <see cref="MaskWords"/> words apart.</summary>
    public ulong* Masks { get; }

    /// <summary>The words of one mask.</summary>
    public int MaskWords => Elements / 64;

    /// <summary>The sources of the sub-block as read: base first where there is one, then the experts.</summary>
    public RawBlock* Blocks { get; }

    /// <summary>Room for one weight for each source.</summary>
    public float* Weights { get; }

    /// <summary>Room for one expert's pipeline for each source.</summary>
    public ExpertBlock* Experts { get; }

    /// <summary>The votes that a file gives for the sub-block, while it is loaded in pieces; null without.</summary>
    public float* Votes { get; set; }

    /// <summary>Where contested elements of the block are added; null where nobody asks for them.</summary>
    public ContestedBlock? Contested { get; set; }

    /// <summary>Positive minus negative elected signs of the block, for each sweep point.</summary>
    public int[] Balances { get; }

    /// <summary>Zero votes of the block that matter, for each sweep point.</summary>
    public int[] ZeroVotes { get; }

    /// <summary>What the zero votes of the block elected, for each sweep point.</summary>
    public ZeroVote[] Assumed { get; }

    /// <summary>Bytes that one worker takes.</summary>
    public static long Bytes(int sources, int elements, int elementBytes) =>
        ((long)sources * elements * elementBytes) + (elements * (sizeof(float) + (2 * LargestElement)))
        + ((long)sources * ((elements / 8) + sizeof(byte*) + sizeof(RawBlock) + sizeof(ulong) + sizeof(ExpertBlock)));

    /// <summary>The elements of a sub-block so that what was read is still in the second-level cache when it is mixed: 4,096 to 65,536.</summary>
    public static int ElementsFor(int sources, int elementBytes)
    {
        var elements = MostElements;
        while (elements > Granularity && (long)elements * ((sources * elementBytes) + sizeof(float)) > CacheBudget)
            elements /= 2;
        return elements;
    }

    /// <summary>Begins a block: forgets hashes and votes.</summary>
    public void BeginBlock(Block block)
    {
        Array.Clear(Balances);
        Array.Clear(ZeroVotes);
        for (var i = 0; i < block.Tensor.CountSources; i++)
            _sourceHashes[i].Begin(BytesOf(block, block.Tensor.Source(i).Type));
        foreach (var hash in _outputHashes)
            hash.Begin(BytesOf(block, block.Tensor.OutputType));
        foreach (var hash in _maskHashes)
            hash.Reset();
    }

    /// <summary>Reads elements of a tensor as source <paramref name="i"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public ReadOnlySpan<byte> Read(CheckpointTensor tensor, int i, SubBlock part)
    {
        var format = FormatOf(tensor.Type);
        var raw = ReadBytes(tensor, i, part.Start * format.Size(), part.Length * format.Size());
        Blocks[i] = new RawBlock(_sources[i], format);
        return raw;
    }

    /// <summary>Reads bytes of a tensor as source <paramref name="i"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public ReadOnlySpan<byte> ReadBytes(CheckpointTensor tensor, int i, long offset, int length)
    {
        var span = new Span<byte>(_sources[i], length);
        _cursors[i].Read(tensor, offset, span);
        return span;
    }

    /// <summary>Reads bytes of a tensor that is source <paramref name="i"/> into another buffer than the source's.</summary>
    public void Read(CheckpointTensor tensor, int i, long offset, Span<byte> buffer) => _cursors[i].Read(tensor, offset, buffer);

    /// <summary>Reads a sub-block of the base (unless it is there already) and of one expert; returns the bytes read.</summary>
    public int ReadExpert(SubBlock part, int expert, bool withBase = true)
    {
        var bytes = withBase ? Read(part.Tensor.Base!, 0, part).Length : 0;
        return bytes + Read(part.Tensor.Experts[expert], expert + 1, part).Length;
    }

    /// <summary>Reads a sub-block of the base and of all experts; returns the bytes read.</summary>
    public int ReadAll(SubBlock part)
    {
        var bytes = Read(part.Tensor.Base!, 0, part).Length;
        for (var i = 0; i < part.Tensor.Experts.Count; i++)
            bytes += Read(part.Tensor.Experts[i], i + 1, part).Length;
        return bytes;
    }

    /// <summary>Reads the mask of a sub-block from a tensor of bytes, 0 for dropped, into bits.</summary>
    public void ReadMask(CheckpointTensor mask, SubBlock part, ulong* bits)
    {
        var bytes = new Span<byte>(Scratch, part.Length);
        ReadMaskBytes(mask, part.Start, bytes);
        new Span<ulong>(bits, (part.Length + 63) / 64).Clear();
        for (var e = 0; e < bytes.Length; e++)
        {
            if (bytes[e] != 0)
                bits[e >> 6] |= 1UL << (e & 63);
        }
    }

    /// <summary>Reads the mask of a sub-block from a tensor of bits, the lowest of a byte first.</summary>
    public void ReadBits(CheckpointTensor mask, SubBlock part, ulong* bits)
    {
        bits[(part.Length - 1) / 64] = 0;
        _maskCursor.Read(mask, part.Start / 8, new Span<byte>(bits, (part.Length + 7) / 8));
    }

    /// <summary>Reads a run of a mask as stored: a byte for each element, 0 for dropped.</summary>
    public void ReadMaskBytes(CheckpointTensor mask, long start, Span<byte> bytes) => _maskCursor.Read(mask, start, bytes);

    /// <summary>
    /// Reads a sub-block of a tensor of at most 32 bits an element that is no source, as fp32; it is there until
    /// <see cref="Scratch"/> is used again.
    /// </summary>
    public float* ReadFloats(CheckpointTensor tensor, SubBlock part)
    {
        var format = FormatOf(tensor.Type);
        var raw = Scratch + (part.Length * sizeof(float));
        _maskCursor.Read(tensor, part.Start * format.Size(), new Span<byte>(raw, part.Length * format.Size()));
        Widen.ToSingle(new RawBlock(raw, format), part.Length, (float*)Scratch);
        return (float*)Scratch;
    }

    /// <summary>The hash of a tensor's name.</summary>
    public ulong TensorHash(TensorPlan tensor)
    {
        if (_hashedTensor != tensor.Index)
            (_hashedTensor, _tensorHash) = (tensor.Index, NameHash.Of(tensor.Name));
        return _tensorHash;
    }

    /// <summary>Adds bytes to the hash of source <paramref name="i"/> in this block.</summary>
    public void HashSource(int i, ReadOnlySpan<byte> bytes) => _sourceHashes[i].Append(bytes);

    /// <summary>
    /// Adds the elements of source <paramref name="i"/> to its hash in this block; the index of the first that is infinite
    /// or NaN, or -1.
    /// </summary>
    public nint HashFiniteSource(int i, int length) => _sourceHashes[i].AppendFinite(Blocks[i], length);

    /// <summary>Adds bytes to the hash of the output at a sweep point in this block.</summary>
    public void HashOutput(int point, ReadOnlySpan<byte> bytes) => _outputHashes[point].Append(bytes);

    /// <summary>Adds bytes to the hash of a mask in this block; masks are counted over all sweep points.</summary>
    public void HashMask(int mask, ReadOnlySpan<byte> bytes) => _maskHashes[mask].Append(bytes);

    /// <summary>Ends a block: the hashes of its sources, there until the next block ends.</summary>
    public ReadOnlySpan<UInt128> TakeSourceHashes(int sources)
    {
        for (var i = 0; i < sources; i++)
            _taken[i] = _sourceHashes[i].End();
        return _taken.AsSpan(0, sources);
    }

    /// <summary>Ends a block: what the journal keeps of it at each sweep point, and of each mask; there until the next block ends.</summary>
    public ReadOnlySpan<BlockRecord> TakeRecords()
    {
        var points = _outputHashes.Length;
        for (var i = 0; i < points; i++)
            _records[i] = new BlockRecord(_outputHashes[i].End(), Balances[i], ZeroVotes[i], Assumed[i]);
        for (var i = 0; i < _maskHashes.Length; i++)
            _records[points + i] = new BlockRecord(_maskHashes[i].GetCurrentHashAsUInt128(), 0, 0, default);
        return _records;
    }

    /// <summary>Makes <see cref="Blocks"/> the sources of the sub-block that was read from one of its elements on.</summary>
    public void Focus(int start, int sources)
    {
        for (var i = 0; i < sources; i++)
            Blocks[i] = new RawBlock(_sources[i] + (start * Blocks[i].Format.Size()), Blocks[i].Format);
    }

    /// <summary>
    /// Turns the mix of a piece into output bytes: base + lambda * mix, or the mix alone for an average, rounded once. They go to the place of the
    /// sub-block's element <paramref name="start"/> in <paramref name="output"/>.
    /// </summary>
    public ReadOnlySpan<byte> Apply(byte* output, long start, int length, bool addBase, double lambda, TensorType type)
    {
        var format = FormatOf(type);
        var destination = new RawBlock(output + (start * format.Size()), format);
        if (addBase)
            Kernels.Apply.Affine(Blocks[0], Mix, (float)lambda, length, destination);
        else
            Kernels.Apply.Store(Mix, length, destination);
        return new ReadOnlySpan<byte>(destination.Data, length * format.Size());
    }

    /// <summary>How a mergeable type is stored.</summary>
    public static FloatFormat FormatOf(TensorType type) =>
        type == TensorType.BF16 ? FloatFormat.BF16
        : type == TensorType.F16 ? FloatFormat.F16
        : type == TensorType.F32 ? FloatFormat.F32
        : FloatFormat.F64;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var cursor in _cursors)
            cursor.Dispose();
        _maskCursor.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private static long BytesOf(Block block, TensorType type)
    {
        var (start, end) = type.ByteRange(block.Start, block.Length);
        return end - start;
    }
}
