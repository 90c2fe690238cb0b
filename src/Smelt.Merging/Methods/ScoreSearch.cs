using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>Writes the scores of a sub-block that the worker has read to <see cref="Worker.Mix"/>; none is negative.</summary>
internal delegate void Score(Worker worker, SubBlock part);

/// <summary>
/// Finds exactly, and without sorting, the largest scores of one tensor's elements, where a score takes all sources to
/// compute: a sample brackets each rank, and passes over the tensor count.
/// </summary>
/// <param name="tensor">The tensor.</param>
/// <param name="ranks">The k of each order statistic, 1 for the largest score; at least one.</param>
/// <param name="placesEquals">Whether cuts keep exactly k elements, the first of equals; else all equals.</param>
/// <param name="score">Computes scores.</param>
internal sealed unsafe class ScoreSearch(TensorPlan tensor, long[] ranks, bool placesEquals, Score score)
{
    private const int MostPages = 64;

    private readonly MagnitudeSearch _search = new(tensor.ElementCount, ranks, placesEquals ? checked((int)BlockMap.CountOf(tensor.ElementCount)) : 0);
    private Cut[] _cuts = [];

    /// <summary>The tensor.</summary>
    public TensorPlan Tensor => tensor;

    /// <summary>For each rank, in the order given, where the elements up to it end.</summary>
    public IReadOnlyList<Cut> Cuts => _cuts;

    /// <summary>Carries out searches of different tensors.</summary>
    public static void Run(PassContext context, IReadOnlyList<ScoreSearch> searches)
    {
        var local = searches.Where(s => s.Tensor.ElementCount <= TrimSearch.MostLocal).ToArray();
        context.Pool.Run(0, local.Length, (worker, i) => local[i].RunAlone(context, context.Workers[worker]));
        foreach (var search in searches.Except(local))
            search.RunShared(context);
    }

    private void RunAlone(PassContext context, Worker worker)
    {
        Sample(context, worker);
        while (!_search.Done)
        {
            var tally = _search.CreateTally();
            for (var block = 0L; block < BlockMap.CountOf(tensor.ElementCount); block++)
                Count(context, worker, tally, block);
            _search.Finish(tally);
        }

        Publish(worker);
    }

    private void RunShared(PassContext context)
    {
        context.Pool.Run(0, 1, (worker, _) => Sample(context, context.Workers[worker]));
        while (!_search.Done)
        {
            MagnitudeTally[] tallies = [.. context.Workers.Select(_ => _search.CreateTally())];
            context.Pool.Run(0, BlockMap.CountOf(tensor.ElementCount), (worker, block) => Count(context, context.Workers[worker], tallies[worker], block));
            _search.Finish(tallies);
        }

        context.Pool.Run(0, 1, (worker, _) => Publish(context.Workers[worker]));
    }

    private void Sample(PassContext context, Worker worker)
    {
        if (!_search.WantsSample)
            return;
        foreach (var part in SamplePages.Of(context.Plan, tensor.Index, tensor.Index + 1, MostPages))
        {
            worker.ReadAll(part);
            score(worker, part);
            _search.AddSample(worker.Mix, part.Length);
        }
    }

    private void Count(PassContext context, Worker worker, MagnitudeTally tally, long block)
    {
        foreach (var part in Parts(worker, block))
        {
            context.Progress.Add(worker.ReadAll(part));
            score(worker, part);
            tally.Add(worker.Mix, part.Length, (int)block);
        }
    }

    private void Publish(Worker worker) =>
        _cuts = [.. _search.Results.Select(found => found.Block < 0 ? Cut.AtThreshold(found.Bits) : CutInside(worker, found))];

    private Cut CutInside(Worker worker, MagnitudeThreshold found)
    {
        var rank = found.RankInBlock;
        foreach (var part in Parts(worker, found.Block))
        {
            worker.ReadAll(part);
            score(worker, part);
            var index = MagnitudeBits.LocateEqual(worker.Mix, part.Length, found.Bits, ref rank);
            if (index >= 0)
                return new Cut(found.Bits, part.Start + index);
        }

        throw new InvalidOperationException($"The scores of {tensor.Name} changed between two passes.");
    }

    private IEnumerable<SubBlock> Parts(Worker worker, long block)
    {
        var end = Math.Min((block + 1) * BlockMap.Elements, tensor.ElementCount);
        for (var start = block * BlockMap.Elements; start < end; start += worker.Elements)
            yield return new SubBlock(tensor, start, (int)Math.Min(worker.Elements, end - start));
    }
}
