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
    /// <returns>Open columns, the room for the open codes of all experts together and what else must be in memory, and the room for the columns.</returns>
    public (double Columns, long MemoryBytes, long Bytes) Expect(double contested, double slack)
    {
        var (open, memory, bytes) = (0.0, 0L, 0L);
        var experts = extent.Bounds.Length;
        for (var block = 0; block < Blocks.Length; block++)
        {
            var start = (long)block * BlockMap.Elements;
            var length = Math.Min(BlockMap.Elements, tensor.ElementCount - start);
            var share = 0.0;
            foreach (var expert in extent.Open)
                share += extent.Brackets[expert]!.Value.OpenShare(first + start, first + start + length);
            open += share * length;
            memory += (long)(slack * share * length * sizeof(uint)) + HeldBlock.OwnBytes(experts + 1);
            bytes += HeldMemory.BytesOf((long)(slack * (share + contested) * length), experts + 1, tensor.Base!.Type.BytesPerElement);
        }

        return (open + (contested * tensor.ElementCount), memory, bytes);
    }

    /// <summary>The cut of an expert in this tensor, once settled.</summary>
    public Cut CutOf(int expert) => extent.Cuts[expert].From(first);

    /// <summary>A cut that keeps what is certain to be kept of an expert.</summary>
    public Cut Provisional(int expert) => extent.Provisional(expert).From(first);

    /// <summary>The magnitudes of an expert of which it is open whether they are kept, at an element.</summary>
    public MagnitudeRange RangeAt(int expert, long flat) => extent.Brackets[expert]?.RangeAt(first + flat) ?? OpenColumns.Nothing;

    /// <summary>Where <see cref="RangeAt"/> changes next.</summary>
    public long EndOfSpan(int expert, long flat, long end) => extent.Brackets[expert] is { } bracket ? bracket.EndOfSpan(first + flat, first + end) - first : end;

    /// <summary>
    /// Keeps the codes of all experts in a block's open columns that are open themselves, among which cuts are found; false where there is no room for
    /// them. The worker's room for an output, which is done with, takes them until their number is known; where they are too many for that they are made twice.
    /// </summary>
    public bool TryKeepCodes(Worker worker, long blockStart, HeldBlock columns, HeldMemory memory)
    {
        var listed = (uint*)worker.Output;
        var room = worker.ScratchBytes / sizeof(uint);
        var (count, fits) = (0, true);
        for (var expert = 0; expert < columns.CodeEnds.Length; expert++)
        {
            foreach (var (codes, range) in OpenCodes(worker, expert, blockStart, columns))
            {
                fits &= count + codes.Count + MagnitudeList.Slack <= room;
                count += fits ? codes.List(range, listed + count) : codes.CountIn(range);
            }

            columns.CodeEnds[expert] = count;
        }

        columns.Codes = memory.TryTakeCodes(count);
        if (columns.Codes is null)
            return false;
        if (fits)
        {
            new Span<uint>(listed, count).CopyTo(new Span<uint>(columns.Codes, count));
            return true;
        }

        count = 0;
        for (var expert = 0; expert < columns.CodeEnds.Length; expert++)
        {
            foreach (var (codes, range) in OpenCodes(worker, expert, blockStart, columns))
                count += codes.List(range, columns.Codes + count);
        }

        return true;
    }

    /// <summary>The flat index, in the extent, of the element that is number <paramref name="rank"/> (from 1) among the open ones of a code in a block.</summary>
    public long Locate(Worker worker, int expert, int block, uint code, long rank)
    {
        var (blockStart, columns) = ((long)block * BlockMap.Elements, Blocks[block]!);
        foreach (var (codes, range) in OpenCodes(worker, expert, blockStart, columns))
        {
            if (code - (uint)range.Low > (uint)range.Span)
                continue;
            for (var i = 0; i < codes.Count; i++)
            {
                if (codes.Values[i] == code && --rank == 0)
                    return first + blockStart + columns.Indices[codes.Start + i];
            }
        }

        throw new InvalidOperationException("An element that was counted is not there.");
    }

    /// <summary>The codes of an expert in a block's open columns, in runs that compare with one range each; runs whose range is empty are passed over.</summary>
    private IEnumerable<(Run Codes, MagnitudeRange Range)> OpenCodes(Worker worker, int expert, long blockStart, HeldBlock columns)
    {
        if (extent.Brackets[expert] is null)
            yield break;
        for (int start = 0, end; start < columns.Count; start = end)
        {
            var flat = blockStart + Run.IndexOf(columns, start);
            end = Math.Min(Math.Min(columns.Count, start + worker.Elements), columns.CountBefore(EndOfSpan(expert, flat, blockStart + BlockMap.Elements) - blockStart));
            var range = RangeAt(expert, flat);
            if (range.Low != OpenColumns.NothingLow)
                yield return (new Run(worker, Worker.FormatOf(tensor.Base!.Type), columns, expert, start, end - start), range);
        }
    }

    /// <summary>The codes of an expert in some columns, there until the worker's scratch memory is used again.</summary>
    private readonly struct Run
    {
        public Run(Worker worker, FloatFormat format, HeldBlock columns, int expert, int start, int count)
        {
            Values = (uint*)worker.Scratch;
            (Start, Count) = (start, count);
            MagnitudeBits.Of(new RawBlock(columns.Columns[0], format).From(start), new RawBlock(columns.Columns[expert + 1], format).From(start), count, Values);
        }

        public uint* Values { get; }

        public int Start { get; }

        public int Count { get; }

        public static long IndexOf(HeldBlock columns, int place) => columns.Indices[place];

        /// <summary>The number of codes in a range.</summary>
        public int CountIn(MagnitudeRange range) => (int)MagnitudeSelect.Count(new ReadOnlySpan<uint>(Values, Count), range.Low - 1, range.Low + range.Span).Inside;

        /// <summary>Copies the codes in a range, with what may be written behind them; returns how many there are.</summary>
        public int List(MagnitudeRange range, uint* list) =>
            MagnitudeSelect.List(new ReadOnlySpan<uint>(Values, Count), range.Low - 1, range.Low + range.Span, new Span<uint>(list, Count + MagnitudeList.Slack));
    }
}
