using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Smelt.Merging.Execution;

namespace Smelt.Merging.Methods;

/// <summary>
/// Masks that are costly to make, from the pass that measures a tensor to the one that merges it: as many as there is room
/// for, the others are made again.
/// </summary>
internal sealed unsafe class MaskCache
{
    private readonly ConcurrentDictionary<(int Group, int Expert, SubBlockKey Part), ulong[]> _masks = new();
    private readonly ConcurrentBag<ulong[]> _free = [];
    private long _most;
    private long _bytes;

    /// <summary>The mask of an expert for a sub-block; null where it is not there.</summary>
    public ulong* Find(MixGroup group, int expert, SubBlock part) =>
        _masks.TryGetValue((group.Index, expert, SubBlockKey.Of(part)), out var mask) ? (ulong*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(mask)) : null;

    /// <summary>Holds a copy of a mask, if there is room.</summary>
    /// <param name="group">The group.</param>
    /// <param name="expert">The expert.</param>
    /// <param name="part">The sub-block.</param>
    /// <param name="mask">Its mask.</param>
    /// <param name="words">The words of the mask of the largest sub-block.</param>
    public void Add(MixGroup group, int expert, SubBlock part, ulong* mask, int words)
    {
        if (!_free.TryTake(out var copy))
        {
            if (Interlocked.Add(ref _bytes, words * sizeof(ulong)) > _most)
                return;
            copy = GC.AllocateUninitializedArray<ulong>(words, pinned: true);
        }

        new ReadOnlySpan<ulong>(mask, (part.Length + 63) / 64).CopyTo(copy);
        _masks[(group.Index, expert, SubBlockKey.Of(part))] = copy;
    }

    /// <summary>Forgets all masks; the next may take so many bytes together.</summary>
    public void Clear(long most)
    {
        _most = most;
        foreach (var mask in _masks.Values)
            _free.Add(mask);
        _masks.Clear();
    }

    private readonly record struct SubBlockKey(int Tensor, long Start, int Length)
    {
        public static SubBlockKey Of(SubBlock part) => new(part.Tensor.Index, part.Start, part.Length);
    }
}
