using System.Runtime.InteropServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Cut = Smelt.Merging.Kernels.Cut;

namespace Smelt.Merging.Methods;

/// <summary>
/// What is trimmed together in one pass, a tensor or all merged tensors: what a sample says of its thresholds, and its tensors. Flat indices are
/// those over the extent.
/// </summary>
internal sealed unsafe class HeldExtent
{
    /// <summary>How much room there is to be for open columns, of what is expected of them.</summary>
    private const double Slack = 1.5;

    /// <param name="extent">What is trimmed together.</param>
    /// <param name="bounds">Where each expert's deltas are cut.</param>
    public HeldExtent(TrimExtent extent, TrimBound[] bounds)
    {
        Extent = extent;
        Bounds = bounds;
        Tensors = Array.ConvertAll(extent.Tensors, t => new HeldTensor(this, t, extent.FirstOf(t)));
        Blocks = [.. Tensors.SelectMany(t => Enumerable.Range(0, t.Blocks.Length).Select(b => (t, b)))];
        Brackets = new PlaceBracket?[bounds.Length];
        Above = new long[bounds.Length];
        Over = Array.Exists(bounds, b => b is { Known: null, Edge: TrimEdge.Equals }) ? new long[bounds.Length] : null;
        Cuts = Array.ConvertAll(bounds, b => b.Known ?? default);
    }

    /// <summary>What is trimmed together.</summary>
    public TrimExtent Extent { get; }

    /// <summary>Its tensors, in the order of flat indices.</summary>
    public HeldTensor[] Tensors { get; }

    /// <summary>The blocks of its tensors, by their number in the tensor, in the same order.</summary>
    public (HeldTensor Tensor, int Block)[] Blocks { get; }

    /// <summary>Where each expert's deltas are cut.</summary>
    public TrimBound[] Bounds { get; }

    /// <summary>For each expert the places between which its cut lies; null where it is known or could not be sampled.</summary>
    public PlaceBracket?[] Brackets { get; }

    /// <summary>Each expert's number of magnitudes before its bracket.</summary>
    public long[] Above { get; }

    /// <summary>Each expert's number of magnitudes above its bracket, where the cut may keep all that equal its upper end; null where it never does.</summary>
    public long[]? Over { get; }

    /// <summary>Each expert's cut, once settled.</summary>
    public Cut[] Cuts { get; }

    /// <summary>Whether a threshold is not in its bracket, or there was no room for a block's columns.</summary>
    public bool Missed { get; set; }

    /// <summary>Whether its thresholds are known, or the pass has missed them.</summary>
    public bool Settled { get; set; }

    /// <summary>The experts whose cuts are looked for.</summary>
    public IEnumerable<int> Open => Enumerable.Range(0, Bounds.Length).Where(i => Bounds[i].Known is null);

    /// <summary>Looks for the places between which the cuts of some experts lie on pages of the extent.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="worker">The worker that reads them.</param>
    /// <param name="experts">The experts.</param>
    /// <param name="mostBytes">The memory for codes of the samples.</param>
    public void Sample(MergePlan plan, Worker worker, int[] experts, long mostBytes)
    {
        var most = (int)Math.Min(int.MaxValue, mostBytes / experts.Length / (SamplePages.Elements * sizeof(uint)));
        var pages = SamplePages.Of(plan, Extent.Range.First, Extent.Range.End, Math.Min(most, SamplePages.CountFor(Extent.Elements)));
        if (Extent.IsModel)
            pages.Sort((a, b) => (Extent.FirstOf(a.Tensor) + a.Start).CompareTo(Extent.FirstOf(b.Tensor) + b.Start));
        var starts = new long[pages.Count];
        var size = pages.Sum(p => p.Length);
        var samples = Array.ConvertAll(experts, _ => new MagnitudeSample(size));
        for (var i = 0; i < pages.Count; i++)
        {
            var page = pages[i];
            starts[i] = Extent.FirstOf(page.Tensor) + page.Start;
            for (var e = 0; e < experts.Length; e++)
            {
                worker.ReadExpert(page, experts[e], withBase: e == 0);
                samples[e].Add(worker.Blocks[0], worker.Blocks[experts[e] + 1], page.Length);
            }
        }

        for (var e = 0; e < experts.Length; e++)
        {
            var bound = Bounds[experts[e]];
            if (samples[e].TryPlaces(bound.Rank, Extent.Elements, starts, bound.Edge == TrimEdge.Exact, out var bracket))
                Brackets[experts[e]] = bracket;
            samples[e].Release();
        }
    }

    /// <summary>Works out what to expect of the pass, once every open expert has a bracket.</summary>
    /// <param name="contested">The share of columns that are open because their vote is zero.</param>
    /// <returns>The share of columns that will be open, the room for the codes among which cuts are found and for what else must be in memory, and that for the columns.</returns>
    public (double OpenShare, long MemoryBytes, long ColumnBytes) Expect(double contested)
    {
        var (open, memory, bytes) = (0.0, 0L, 0L);
        foreach (var tensor in Tensors)
        {
            var expected = tensor.Expect(contested, Slack);
            open += expected.Columns;
            memory += expected.MemoryBytes;
            bytes += expected.Bytes;
        }

        return (open / Extent.Elements, memory, bytes);
    }

    /// <summary>A cut that keeps what is certain to be kept of an expert.</summary>
    public Cut Provisional(int expert) => Bounds[expert].Known ?? Brackets[expert]!.Value.Provisional;

    /// <summary>Finds the exact cut of an expert among the open codes, once all blocks are there; false where it is not among them.</summary>
    public bool TryCut(int index, Worker worker, int expert, HeldMemory held)
    {
        var splitsEqual = Bounds[expert].Edge == TrimEdge.Exact;
        var bracket = Brackets[expert]!.Value;
        var rank = Bounds[expert].Rank - Above[expert];
        if (rank < 1)
        {
            Cuts[expert] = Cut.AtThreshold((uint)bracket.High);
            return !splitsEqual && Over![expert] < Bounds[expert].Rank;
        }

        // Megabytes, of another size for each extent: a pool would keep them all.
        var count = Blocks.Sum(b => (long)b.Tensor.Blocks[b.Block]!.CodesOf(expert).Length);
        if (rank > count || count > Array.MaxLength)
            return false;
        var memory = NativeMemory.Alloc((nuint)count, sizeof(uint));
        try
        {
            var codes = new Span<uint>(memory, (int)count);
            var next = codes;
            foreach (var (tensor, block) in Blocks)
            {
                var own = tensor.Blocks[block]!.CodesOf(expert);
                own.CopyTo(next);
                next = next[own.Length..];
            }

            var code = MagnitudeSelect.At(codes, rank - 1, (uint)bracket.Low, (uint)bracket.High);
            if (!splitsEqual)
            {
                Cuts[expert] = Cut.AtThreshold(code);
                return true;
            }

            rank -= MagnitudeSelect.Count(codes, (int)code - 1, (int)code).Above;
            foreach (var (tensor, block) in Blocks)
            {
                var equal = tensor.Blocks[block]!.CodesOf(expert).Count(code);
                if (rank <= equal)
                {
                    held.Load(index, tensor.Blocks[block]!, tensor.Tensor.Base!.Type.BytesPerElement);
                    Cuts[expert] = new Cut(code, tensor.Locate(worker, expert, block, code, rank));
                    return true;
                }

                rank -= equal;
            }

            throw new InvalidOperationException("An element that was counted is not there.");
        }
        finally
        {
            NativeMemory.Free(memory);
        }
    }
}
