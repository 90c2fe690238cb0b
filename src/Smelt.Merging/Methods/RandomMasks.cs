using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>Where the masks of random drops come from: a file, or <see cref="Philox"/>.</summary>
internal sealed unsafe class RandomMasks(MergePlan plan, IReadOnlyList<MixGroup> groups)
{
    /// <summary>A draw that no threshold exceeds.</summary>
    private const uint Never = 1 << 24;

    private readonly PhiloxKey[][] _keys =
        [.. groups.Select(g => plan.Experts.Select(e => PhiloxKey.Of((ulong)((IRandomDrop)g.Recipe).Seed!.Value, NameHash.Of(e.Identity))).ToArray())];

    /// <summary>Whether masks come from a file.</summary>
    public bool AreGiven => plan.Masks is not null;

    /// <summary>Whether a delta is drawn from, or has a mask in the file; else it is kept whole.</summary>
    public bool Has(TensorPlan tensor, int expert) => plan.Masks is null || TryGet(tensor, expert, out _);

    /// <summary>Makes the mask of an expert, one density for all elements.</summary>
    public void Make(Worker worker, SubBlock part, MixGroup group, int expert, double density, ulong* bits)
    {
        if (TryGet(part.Tensor, expert, out var mask))
            worker.ReadMask(mask!, part, bits);
        else
            Philox.Mask(_keys[group.Index][expert], worker.TensorHash(part.Tensor), part.Start, part.Length, Philox.Threshold24(density), bits);
    }

    /// <summary>
    /// Draws a number below 2^24 for each of so many elements, to be kept where it is less than 2^24 times the probability.
    /// A mask from a file is drawn as 0 for kept, 2^24 for dropped.
    /// </summary>
    /// <param name="worker">The worker.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="group">The group.</param>
    /// <param name="expert">The expert.</param>
    /// <param name="start">The flat index of the first element.</param>
    /// <param name="count">The number of elements.</param>
    /// <param name="buffer">Room for them, and more than 64 besides.</param>
    /// <returns>Where in the buffer the first is.</returns>
    public uint* Draw(Worker worker, TensorPlan tensor, MixGroup group, int expert, long start, int count, uint* buffer)
    {
        if (TryGet(tensor, expert, out var mask))
        {
            // Bytes are read to the end of the buffer, where numbers overtake none of them.
            var bytes = (byte*)(buffer + count) - count;
            worker.ReadMaskBytes(mask!, start, new Span<byte>(bytes, count));
            for (var e = 0; e < count; e++)
                buffer[e] = bytes[e] != 0 ? 0 : Never;
            return buffer;
        }

        var before = (int)(start & 3);
        Philox.Draw(_keys[group.Index][expert], worker.TensorHash(tensor), start - before, count + before, buffer);
        return buffer + before;
    }

    private bool TryGet(TensorPlan tensor, int expert, out CheckpointTensor? mask)
    {
        mask = null;
        return plan.Masks is not null && plan.Masks.TryGet(MaskFiles.Name(expert, tensor.Name), out mask);
    }
}
