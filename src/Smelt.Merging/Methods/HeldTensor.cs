using System.Runtime.InteropServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Cut = Smelt.Merging.Kernels.Cut;

namespace Smelt.Merging.Methods;

/// <summary>
/// A tensor that is trimmed in one pass: what a sample says of its thresholds, and the blocks of which the pass has set columns aside. A column is open
/// where some expert's magnitude lies where its threshold may be.
/// </summary>
internal sealed unsafe class HeldTensor(TensorPlan tensor, TrimBound[] bounds)
{
    /// <summary>How much room there is to be for open columns, of what is expected of them.</summary>
    private const double Slack = 1.5;

    /// <summary>The tensor.</summary>
    public TensorPlan Tensor => tensor;

    /// <summary>Where each expert's deltas are cut.</summary>
    public TrimBound[] Bounds => bounds;

    /// <summary>For each expert the places between which its cut lies; null where it is known or could not be sampled.</summary>
    public PlaceBracket?[] Brackets { get; } = new PlaceBracket?[bounds.Length];

    /// <summary>Each expert's number of magnitudes before its bracket.</summary>
    public long[] Above { get; } = new long[bounds.Length];

    /// <summary>Each expert's cut, once settled.</summary>
    public Cut[] Cuts { get; } = [.. bounds.Select(b => b.Known ?? default)];

    /// <summary>Its blocks, once they are mixed.</summary>
    public HeldBlock?[] Blocks { get; } = new HeldBlock?[BlockMap.CountOf(tensor.ElementCount)];

    /// <summary>Where its output is held; null where it is written at once.</summary>
    public byte* Output { get; set; }

    /// <summary>Whether a threshold is not in its bracket, or there was no room for a block's columns.</summary>
    public bool Missed { get; set; }

    /// <summary>Whether its thresholds are known, or the pass has missed them.</summary>
    public bool Settled { get; set; }

    /// <summary>Works out what to expect of the blocks; false where a sample says nothing of an expert.</summary>
    /// <param name="openShare">The share of columns that will be open.</param>
    /// <param name="bytes">The room to keep for them, and for the codes among which a cut is found.</param>
    public bool TryExpect(out double openShare, out long bytes)
    {
        var open = 0.0;
        (openShare, bytes) = (0, 0);
        for (var block = 0; block < Blocks.Length; block++)
        {
            var start = (long)block * BlockMap.Elements;
            var length = Math.Min(BlockMap.Elements, tensor.ElementCount - start);
            var share = 0.0;
            for (var i = 0; i < bounds.Length; i++)
            {
                if (bounds[i].Known is not null)
                    continue;
                if (Brackets[i] is not { } bracket)
                    return false;
                share += bracket.OpenShare(start, start + length);
            }

            open += share * length;
            bytes += HeldMemory.BytesOf((long)(Slack * share * length), bounds.Length + 1, tensor.Base!.Type.BytesPerElement);
        }

        openShare = open / tensor.ElementCount;
        bytes += (long)open * sizeof(uint);
        return true;
    }

    /// <summary>A cut that keeps what is certain to be kept of an expert.</summary>
    public Cut Provisional(int expert) => bounds[expert].Known ?? Brackets[expert]!.Value.Provisional;

    /// <summary>The magnitudes of an expert of which it is open whether they are kept, at an element.</summary>
    public MagnitudeRange RangeAt(int expert, long flat) => Brackets[expert]?.RangeAt(flat) ?? OpenColumns.Nothing;

    /// <summary>Finds the exact cut of an expert among the open columns, once all blocks are there; false where it is not among them.</summary>
    public bool TryCut(Worker worker, int expert)
    {
        var rank = bounds[expert].Rank - Above[expert];

        // Megabytes, of another size for each tensor: a pool would keep them all.
        var room = Blocks.Sum(b => b!.Count) + MagnitudeList.Slack;
        var memory = NativeMemory.Alloc((nuint)room, sizeof(uint));
        try
        {
            var codes = new Span<uint>(memory, room);
            var ends = new int[Blocks.Length];
            var count = 0;
            for (var i = 0; i < ends.Length; i++)
                ends[i] = count += Codes(worker, expert, i, codes[count..]);
            if (rank < 1 || rank > count)
                return false;

            var bracket = Brackets[expert]!.Value;
            var all = codes[..count];
            var code = MagnitudeSelect.At(all, rank - 1, (uint)bracket.Low, (uint)bracket.High);
            rank -= MagnitudeSelect.Count(all, (int)code - 1, (int)code).Above;
            var block = 0;
            for (var start = 0; ; start = ends[block++])
            {
                var equal = codes[start..ends[block]].Count(code);
                if (rank <= equal)
                    break;
                rank -= equal;
            }

            Cuts[expert] = new Cut(code, Locate(worker, expert, block, code, rank));
            return true;
        }
        finally
        {
            NativeMemory.Free(memory);
        }
    }

    /// <summary>Lists the codes of an expert in a block's open columns that are themselves open; returns how many there are.</summary>
    private int Codes(Worker worker, int expert, int block, Span<uint> list)
    {
        var count = 0;
        foreach (var (first, end, range, codes) in OpenCodes(worker, expert, block))
        {
            if (range != OpenColumns.Nothing with { High = range.High })
                count += MagnitudeSelect.List(new ReadOnlySpan<uint>((uint*)codes, end - first), range.Low - 1, range.Low + range.Span, list[count..]);
        }

        return count;
    }

    /// <summary>The flat index of the element that is number <paramref name="rank"/> (from 1) among the open ones of a code in a block.</summary>
    private long Locate(Worker worker, int expert, int block, uint code, long rank)
    {
        foreach (var (first, end, range, codes) in OpenCodes(worker, expert, block))
        {
            if (code - (uint)range.Low > (uint)range.Span)
                continue;
            for (var i = first; i < end; i++)
            {
                if (((uint*)codes)[i - first] == code && --rank == 0)
                    return ((long)block * BlockMap.Elements) + Blocks[block]!.Indices[i];
            }
        }

        throw new InvalidOperationException("An element that was counted is not there.");
    }

    /// <summary>The codes of an expert in a block's open columns, in runs that compare with one range each.</summary>
    private IEnumerable<(int First, int End, MagnitudeRange Range, nint Codes)> OpenCodes(Worker worker, int expert, int block)
    {
        var columns = Blocks[block]!;
        var bracket = Brackets[expert]!.Value;
        var blockStart = (long)block * BlockMap.Elements;
        for (int first = 0, end; first < columns.Count; first = end)
        {
            var flat = blockStart + IndexOf(columns, first);
            end = Math.Min(Math.Min(columns.Count, first + worker.Elements), columns.CountBefore(bracket.EndOfSpan(flat, long.MaxValue) - blockStart));
            yield return (first, end, bracket.RangeAt(flat), CodesOf(worker, columns, expert, first, end - first));
        }
    }

    private static long IndexOf(HeldBlock columns, int place) => columns.Indices[place];

    private nint CodesOf(Worker worker, HeldBlock columns, int expert, int first, int count)
    {
        var format = Worker.FormatOf(tensor.Base!.Type);
        Deltas.Compute(new RawBlock(columns.Columns[0], format).From(first), new ExpertBlock(new RawBlock(columns.Columns[expert + 1], format).From(first)), 0, count, worker.Mix);
        MagnitudeBits.Of(worker.Mix, count, (uint*)worker.Scratch);
        return (nint)worker.Scratch;
    }
}
