using System.Collections.Concurrent;
using System.Runtime.Intrinsics;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>Where the masks of random drops come from: a file, mergekit's stream, or <see cref="Philox"/>.</summary>
internal sealed unsafe class RandomMasks(MergePlan plan, IReadOnlyList<MixGroup> groups)
{
    /// <summary>A draw that no threshold exceeds.</summary>
    private const uint Never = 1 << 24;

    /// <summary>Numbers of a stream that are read at a time, a multiple of 64.</summary>
    private const int ReadAtOnce = 1024;

    /// <summary>The stream that the whole plan draws from in one order; null where masks don't come from one.</summary>
    private readonly MergekitDraws? _serial = plan.Masks is null ? plan.MergekitDraws : null;

    private readonly ConcurrentDictionary<(Worker Worker, int Group, int Expert), SerialDraws.Reader> _readers = new();

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
        else if (_serial is not null)
            MakeSerial(worker, part, group, expert, Philox.Threshold24(_serial.Probability(part.Tensor, density)), bits);
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

        if (_serial is not null)
        {
            ReaderOf(worker, group, expert).Read(_serial.FirstOf(group.First, tensor, expert) + start, buffer, count);
            return buffer;
        }

        var before = (int)(start & 3);
        Philox.Draw(_keys[group.Index][expert], worker.TensorHash(tensor), start - before, count + before, buffer);
        return buffer + before;
    }

    private void MakeSerial(Worker worker, SubBlock part, MixGroup group, int expert, uint threshold, ulong* bits)
    {
        var draws = stackalloc uint[ReadAtOnce];
        var reader = ReaderOf(worker, group, expert);
        var first = _serial!.FirstOf(group.First, part.Tensor, expert) + part.Start;
        for (var done = 0; done < part.Length; done += ReadAtOnce)
        {
            var count = Math.Min(ReadAtOnce, part.Length - done);
            reader.Read(first + done, draws, count);
            for (var e = 0; e < count; e += 64)
            {
                var word = 0UL;
                for (var bit = 0; bit < 64; bit += Vector256<uint>.Count)
                    word |= (ulong)(Vector256.Load(draws + e + bit) - Vector256.Create(threshold)).ExtractMostSignificantBits() << bit;
                bits[(done + e) >> 6] = count - e < 64 ? word & ((1UL << (count - e)) - 1) : word;
            }
        }
    }

    private SerialDraws.Reader ReaderOf(Worker worker, MixGroup group, int expert) =>
        _readers.GetOrAdd((worker, group.Index, expert), _ => _serial!.Stream.Open());

    private bool TryGet(TensorPlan tensor, int expert, out CheckpointTensor? mask)
    {
        mask = null;
        return plan.Masks is not null && plan.Masks.TryGet(MaskFiles.Name(plan.Parts[0], expert, tensor.Name), out mask);
    }
}
