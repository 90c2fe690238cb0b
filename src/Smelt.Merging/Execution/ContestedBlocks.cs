using System.Collections.Concurrent;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>The elements of a block whose vote is zero although a delta is not, with the bytes that they would have in the output if zero votes elected the other sign.</summary>
internal sealed unsafe class ContestedBlock
{
    private const int AtOnce = 1024;

    private ushort[] _indices = new ushort[64];
    private byte[] _values = new byte[64 * sizeof(ushort)];
    private int _count;

    /// <summary>Bytes that it takes.</summary>
    public long Bytes => _values.Length + (_indices.Length * sizeof(ushort));

    /// <summary>Whether there are any.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>Adds the contested elements of a part of the block, whose base the worker has read.</summary>
    public void Add(Worker worker, SubBlock part, in ContestedList contested)
    {
        var size = part.Tensor.OutputType.BytesPerElement;
        var needed = _count + contested.Count;
        if (needed > _indices.Length)
            Array.Resize(ref _indices, Math.Max(needed, 2 * _indices.Length));
        if (_values.Length < _indices.Length * size)
            Array.Resize(ref _values, _indices.Length * size);

        var offset = (int)(part.Start % BlockMap.Elements);
        var stored = worker.Blocks[0].Format.Size();
        var bases = stackalloc byte[AtOnce * sizeof(double)];
        for (var first = 0; first < contested.Count; first += AtOnce)
        {
            var count = Math.Min(AtOnce, contested.Count - first);
            var indices = contested.Indices + first;
            for (var i = 0; i < count; i++)
                _indices[_count + i] = (ushort)(offset + indices[i]);
            switch (stored)
            {
                case sizeof(ushort): OpenColumns.Pick((ushort*)worker.Blocks[0].Data, indices, count, offset: 0, (ushort*)bases); break;
                case sizeof(uint): OpenColumns.Pick((uint*)worker.Blocks[0].Data, indices, count, offset: 0, (uint*)bases); break;
                default: OpenColumns.Pick((ulong*)worker.Blocks[0].Data, indices, count, offset: 0, (ulong*)bases); break;
            }

            fixed (byte* values = _values)
            {
                Apply.Affine(
                    new RawBlock(bases, worker.Blocks[0].Format), contested.Mixes + first, (float)part.Tensor.Settings[0].Lambda, count,
                    new RawBlock(values + (_count * size), Worker.FormatOf(part.Tensor.OutputType)));
            }

            _count += count;
        }
    }

    /// <summary>Puts the other bytes of elements of the block into a part of its output, from element <paramref name="start"/> of the block on.</summary>
    public void Patch(int start, Span<byte> output, int size)
    {
        var place = _indices.AsSpan(0, _count).BinarySearch((ushort)start);
        var end = start + (output.Length / size);
        for (var i = place < 0 ? ~place : place; i < _count && _indices[i] < end; i++)
            _values.AsSpan(i * size, size).CopyTo(output[((_indices[i] - start) * size)..]);
    }
}

/// <summary>
/// The contested elements of blocks, so that a wrong guess of the majority of signs costs a patch of these and not a second merge. Beyond a
/// limit no more is kept: then it does cost that merge, of the blocks that are not here.
/// </summary>
/// <param name="most">Bytes that they may take.</param>
internal sealed class ContestedBlocks(long most)
{
    private readonly ConcurrentDictionary<long, ContestedBlock> _blocks = new();
    private long _bytes;
    private bool _full;

    /// <summary>Those of a block; null where they were not kept, or there are none.</summary>
    public ContestedBlock? Find(long block) => _blocks.GetValueOrDefault(block);

    /// <summary>A list for a block; null where there is no room for it.</summary>
    public ContestedBlock? Begin() => _full ? null : new ContestedBlock();

    /// <summary>Keeps those of a finished block.</summary>
    public void Add(long block, ContestedBlock? contested)
    {
        if (contested is null or { IsEmpty: true })
            return;
        if (Interlocked.Add(ref _bytes, contested.Bytes) > most)
            _full = true;
        else
            _blocks[block] = contested;
    }
}
