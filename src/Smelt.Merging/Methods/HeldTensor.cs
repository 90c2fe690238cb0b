using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Cut = Smelt.Merging.Kernels.Cut;

namespace Smelt.Merging.Methods;

/// <summary>
/// A tensor that is trimmed in one pass: the blocks of which the pass has set columns aside. A column is open where some expert's magnitude lies where its
/// threshold may be, or where its vote is zero and the majority of signs decides.
/// </summary>
/// <param name="extent">What is trimmed together with it.</param>
/// <param name="tensor">The tensor.</param>
/// <param name="first">The flat index of its first element in the extent.</param>
internal sealed unsafe class HeldTensor(HeldExtent extent, TensorPlan tensor, long first)
{
    /// <summary>What is trimmed together with it.</summary>
    public HeldExtent Extent => extent;

    /// <summary>The tensor.</summary>
    public TensorPlan Tensor => tensor;

    /// <summary>Its blocks, once they are mixed.</summary>
    public HeldBlock?[] Blocks { get; } = new HeldBlock?[BlockMap.CountOf(tensor.ElementCount)];

    /// <summary>Where its output is held; null where it is written at once.</summary>
    public byte* Output { get; set; }

    /// <summary>What is expected of its blocks.</summary>
    /// <param name="contested">The share of columns that are open because their vote is zero.</param>
    /// <param name="slack">How much room there is to be, of what is expected.</param>
    /// <returns>Open columns, open codes of all experts together, and the room for the columns.</returns>
    public (double Columns, double Codes, long Bytes) Expect(double contested, double slack)
    {
        var (open, bytes) = (0.0, 0L);
        var experts = extent.Bounds.Length;
        for (var block = 0; block < Blocks.Length; block++)
        {
            var start = (long)block * BlockMap.Elements;
            var length = Math.Min(BlockMap.Elements, tensor.ElementCount - start);
            var share = 0.0;
            foreach (var expert in extent.Open)
                share += extent.Brackets[expert]!.Value.OpenShare(first + start, first + start + length);
            open += share * length;
            bytes += HeldMemory.BytesOf((long)(slack * (share + contested) * length), experts + 1, tensor.Base!.Type.BytesPerElement) + HeldBlock.OwnBytes(experts + 1);
        }

        return (open + (contested * tensor.ElementCount), open, bytes);
    }

    /// <summary>The cut of an expert in this tensor; one that keeps what is certain to be kept, as long as it is not known.</summary>
    public Cut CutOf(int expert) => extent.CutOf(expert).From(first);

    /// <summary>A cut that keeps what is certain to be kept of an expert.</summary>
    public Cut Provisional(int expert) => extent.Provisional(expert).From(first);

    /// <summary>The magnitudes of an expert of which it is open whether they are kept, at an element.</summary>
    public MagnitudeRange RangeAt(int expert, long flat) => extent.Brackets[expert]?.RangeAt(first + flat) ?? OpenColumns.Nothing;

    /// <summary>Where <see cref="RangeAt"/> changes next.</summary>
    public long EndOfSpan(int expert, long flat, long end) => extent.Brackets[expert] is { } bracket ? bracket.EndOfSpan(first + flat, first + end) - first : end;

    /// <summary>Lists the codes of an expert in a block's open columns that are themselves open; returns how many there are.</summary>
    public int Codes(Worker worker, int expert, int block, Span<uint> list)
    {
        var count = 0;
        foreach (var (start, end, range, codes) in OpenCodes(worker, expert, block))
        {
            if (range != OpenColumns.Nothing with { High = range.High })
                count += MagnitudeSelect.List(new ReadOnlySpan<uint>((uint*)codes, end - start), range.Low - 1, range.Low + range.Span, list[count..]);
        }

        return count;
    }

    /// <summary>The flat index, in the extent, of the element that is number <paramref name="rank"/> (from 1) among the open ones of a code in a block.</summary>
    public long Locate(Worker worker, int expert, int block, uint code, long rank)
    {
        foreach (var (start, end, range, codes) in OpenCodes(worker, expert, block))
        {
            if (code - (uint)range.Low > (uint)range.Span)
                continue;
            for (var i = start; i < end; i++)
            {
                if (((uint*)codes)[i - start] == code && --rank == 0)
                    return first + ((long)block * BlockMap.Elements) + Blocks[block]!.Indices[i];
            }
        }

        throw new InvalidOperationException("An element that was counted is not there.");
    }

    /// <summary>The codes of an expert in a block's open columns, in runs that compare with one range each.</summary>
    private IEnumerable<(int First, int End, MagnitudeRange Range, nint Codes)> OpenCodes(Worker worker, int expert, int block)
    {
        var columns = Blocks[block]!;
        var blockStart = (long)block * BlockMap.Elements;
        for (int start = 0, end; start < columns.Count; start = end)
        {
            var flat = blockStart + IndexOf(columns, start);
            end = Math.Min(Math.Min(columns.Count, start + worker.Elements), columns.CountBefore(EndOfSpan(expert, flat, blockStart + BlockMap.Elements) - blockStart));
            yield return (start, end, RangeAt(expert, flat), CodesOf(worker, columns, expert, start, end - start));
        }
    }

    private static long IndexOf(HeldBlock columns, int place) => columns.Indices[place];

    private nint CodesOf(Worker worker, HeldBlock columns, int expert, int start, int count)
    {
        var format = Worker.FormatOf(tensor.Base!.Type);
        Deltas.Compute(new RawBlock(columns.Columns[0], format).From(start), new ExpertBlock(new RawBlock(columns.Columns[expert + 1], format).From(start)), 0, count, worker.Mix);
        MagnitudeBits.Of(worker.Mix, count, (uint*)worker.Scratch);
        return (nint)worker.Scratch;
    }
}
