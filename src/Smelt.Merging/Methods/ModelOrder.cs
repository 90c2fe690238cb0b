using System.Runtime.CompilerServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>
/// Finds exactly, and without sorting, the largest magnitudes over all merged tensors of values that take all sources to
/// compute, one row of them for each expert: samples bracket each rank, and passes over the inputs count. Counts are integers,
/// so no order shows.
/// </summary>
/// <param name="context">Workers and progress.</param>
/// <param name="load">Makes the rows.</param>
internal sealed unsafe class ModelOrder(PassContext context, LoadVectors load)
{
    private const int SampledPages = 512;

    private readonly MergePlan _plan = context.Plan;

    /// <summary>For each row its magnitudes at some ranks, 1 for the largest.</summary>
    /// <param name="ranks">The ranks of each row; a row without any is left out.</param>
    public float[][] Find(long[][] ranks)
    {
        var elements = _plan.Merged.Sum(t => t.ElementCount);
        var searches = ranks.Select((r, row) => (Row: row, Ranks: r, Search: r.Length == 0 ? null : new MagnitudeSearch(elements, r.Order().Distinct().ToArray()))).ToArray();
        foreach (var (row, _, search) in searches)
        {
            if (search is { WantsSample: true })
                context.Pool.Run(0, 1, (worker, _) => Sample(context.Workers[worker], row, search));
        }

        // A search of two ranks holds two histograms.
        var most = Math.Max(1, context.Searches / ranks.Max(r => r.Length));
        while (searches.Where(s => s.Search is { Done: false }).Take(most).Select(s => (s.Row, s.Search!)).ToArray() is { Length: > 0 } open)
            CountOnce(open);
        return [.. searches.Select(s => s.Search is null
            ? []
            : s.Ranks.Select(rank => BitConverter.UInt32BitsToSingle(s.Search.Results[Array.BinarySearch(s.Ranks.Order().Distinct().ToArray(), rank)].Bits)).ToArray())];
    }

    private void Sample(Worker worker, int row, MagnitudeSearch search)
    {
        foreach (var part in SamplePages.Of(_plan, 0, _plan.Tensors.Count, SampledPages))
        {
            worker.ReadAll(part);
            ForEachChunk(worker, part, (from, length, rows) =>
                Unsafe.CopyBlockUnaligned(worker.Mix + from, (float*)rows + (row * Simd.Stride), (uint)(length * sizeof(float))));
            search.AddSample(worker.Mix, part.Length);
        }
    }

    private void CountOnce((int Row, MagnitudeSearch Search)[] open)
    {
        MagnitudeTally[][] tallies = [.. open.Select(s => context.Workers.Select(_ => s.Search.CreateTally()).ToArray())];
        context.Pool.Run(0, context.Blocks.Count, (worker, index) =>
        {
            var block = context.Blocks[index];
            if (block.Tensor.Action == TensorAction.Merge)
                Count(context.Workers[worker], worker, block, open, tallies);
        });
        for (var s = 0; s < open.Length; s++)
            open[s].Search.Finish(tallies[s]);
    }

    private void Count(Worker worker, int tally, Block block, (int Row, MagnitudeSearch Search)[] open, MagnitudeTally[][] tallies)
    {
        for (var offset = 0; offset < block.Length; offset += worker.Elements)
        {
            var part = new SubBlock(block.Tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
            context.Progress.Add(worker.ReadAll(part));
            ForEachChunk(worker, part, (_, length, rows) =>
            {
                for (var s = 0; s < open.Length; s++)
                    tallies[s][tally].Add((float*)rows + (open[s].Row * Simd.Stride), length, 0);
            });
        }
    }

    private void ForEachChunk(Worker worker, SubBlock part, Action<int, int, nint> visit)
    {
        var rows = stackalloc float[(_plan.Experts.Count + 1) * Simd.Stride];
        for (var from = 0; from < part.Length; from += Simd.Chunk)
        {
            var length = Math.Min(part.Length - from, Simd.Chunk);
            load(worker, part, from, length, rows);
            visit(from, length, (nint)rows);
        }
    }
}
