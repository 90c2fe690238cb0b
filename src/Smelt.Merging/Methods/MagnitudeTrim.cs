using System.Runtime.CompilerServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Cut = Smelt.Merging.Kernels.Cut;

namespace Smelt.Merging.Methods;

/// <summary>
/// Finds where each expert's task vector is cut by magnitude, exactly and without sorting: of each tensor, or of all merged
/// tensors together. Sweep points share the passes, and their searches where they cut the same deltas.
/// </summary>
internal sealed unsafe class MagnitudeTrim
{
    private const int MostPages = 64;
    private const int PagesPerModel = 512;

    private readonly MergePlan _plan;
    private readonly ITrimmed _method;

    /// <summary>For each group and tensor the cuts of each expert; null where none were looked for.</summary>
    private readonly (Cut Keep, Cut Drop)[]?[][] _cuts;

    /// <summary>The cuts of tensors of which all is kept.</summary>
    private readonly (Cut Keep, Cut Drop)[] _whole;

    /// <summary>How many elements hold a share, by kind of delta, expert and tensor (-1 for all).</summary>
    private readonly Dictionary<(int Key, int Expert, int Tensor), ShareQuestion> _shares = [];

    /// <summary>The last tensor that has elements, in ordinal order of names; -1 where there is none.</summary>
    private readonly int _lastTensor;

    /// <param name="plan">The plan.</param>
    /// <param name="method">What is cut.</param>
    /// <param name="groups">The number of the plan's groups, of which the method may cut some.</param>
    public MagnitudeTrim(MergePlan plan, ITrimmed method, int groups)
    {
        _plan = plan;
        _method = method;
        _whole = NewCuts();
        _cuts = [.. Enumerable.Range(0, groups).Select(_ => new (Cut, Cut)[]?[plan.Tensors.Count])];
        _lastTensor = plan.Merged.Where(t => t.ElementCount > 0).OrderBy(t => t.Name, StringComparer.Ordinal).LastOrDefault()?.Index ?? -1;
    }

    /// <summary>What is kept of an expert's task vector in a tensor, and what of it is dropped all the same; all is kept where a group looks for no threshold.</summary>
    public (Cut Keep, Cut Drop) CutsOf(MixGroup group, TensorPlan tensor, int expert)
    {
        if (_cuts[group.Index][tensor.Index] is { } cuts)
            return cuts[expert];
        return _method.ExtentOf(group) is null ? (Cut.All, Cut.None) : throw new InvalidOperationException($"{tensor.Name} is merged before its thresholds were looked for.");
    }

    /// <summary>Finds all cuts in the tensors from <paramref name="first"/> up to <paramref name="end"/>, but those of tensors that are passed over.</summary>
    public void Find(PassContext context, int first, int end, Func<TensorPlan, bool>? passesOver = null)
    {
        var found = new Dictionary<(int Key, int Expert, TrimExtent Extent), TrimSearch>();
        AskForShares(context, first, end);
        foreach (var group in _method.Groups.Where(g => _method.ExtentOf(g) == TrimScope.Model && _plan.Merged.Any(t => passesOver?.Invoke(t) != true)))
            AddRequests(group, _plan.Merged, found, TrimSearch.OfModel(_plan));
        foreach (var tensor in _plan.MergedIn(first, end).Where(t => passesOver?.Invoke(t) != true))
        {
            foreach (var group in _method.Groups.Where(g => _method.ExtentOf(g) == TrimScope.Tensor))
                AddRequests(group, [tensor], found, TrimSearch.OfTensor(tensor));
        }

        if (found.Count == 0)
            return;

        context.Progress.Phase = "finding thresholds";
        var searches = found.Values;
        foreach (var search in searches)
            search.Begin();
        var local = searches.Where(s => s.IsLocal).GroupBy(s => s.Extent.Tensors[0].Index).SelectMany(g => Batches(g, context.Searches)).ToArray();
        context.Pool.Run(0, local.Length, (worker, i) => SearchAlone(context, context.Workers[worker], local[i]));

        var shared = searches.Where(s => !s.IsLocal).ToArray();
        context.Pool.Run(0, shared.Length, (worker, i) => Sample(context.Workers[worker], [shared[i]]));
        while (shared.Where(s => !s.Search.Done).Take(context.Searches).ToArray() is { Length: > 0 } open)
            CountOnce(context, open, first, end);
        context.Pool.Run(0, shared.Length, (worker, i) => Publish(context.Workers[worker], shared[i]));
    }

    /// <summary>The flat index in a tensor from which all is kept: a trim by share always keeps the vector's last element.</summary>
    public long KeepFrom(MixGroup group, TensorPlan tensor, int expert) =>
        _cuts[group.Index][tensor.Index] is { } cuts && cuts != _whole && _method.ShareOf(group, tensor, expert) is not null
            && (_method.ExtentOf(group) == TrimScope.Tensor || tensor.Index == _lastTensor)
            ? tensor.ElementCount - 1
            : long.MaxValue;

    /// <summary>Turns the shares of trims by share into numbers of elements.</summary>
    private void AskForShares(PassContext context, int first, int end)
    {
        _shares.Clear();
        foreach (var group in _method.Groups)
        {
            var whole = _method.ExtentOf(group) == TrimScope.Model;
            foreach (var tensor in whole ? _plan.Merged : _plan.MergedIn(first, end))
            {
                for (var expert = 0; expert < _plan.Experts.Count; expert++)
                {
                    if (_method.ShareOf(group, tensor, expert) is not { } share || (whole && _lastTensor < 0))
                        continue;
                    var key = (_method.SharesDeltas ? 0 : group.Index, expert, whole ? -1 : tensor.Index);
                    if (!_shares.TryGetValue(key, out var question))
                        _shares.Add(key, question = new ShareQuestion(key.Item1, expert, whole ? TrimSearch.OfModel(_plan) : TrimSearch.OfTensor(tensor), group));
                    question.Ranks[share] = 0;
                }
            }
        }

        new ShareRanks(_method).Find(context, [.. _shares.Values]);
    }

    /// <summary>
    /// Searches of one tensor that a worker makes in one pass, so that the base is read once for all experts: as many as the
    /// memory for histograms allows, since their lists take no more.
    /// </summary>
    private static IEnumerable<TrimSearch[]> Batches(IEnumerable<TrimSearch> searches, int histograms)
    {
        var batch = new List<TrimSearch>();
        var bytes = 0L;
        foreach (var search in searches.OrderBy(s => s.Expert))
        {
            bytes += search.ListBytes;
            if (batch.Count > 0 && bytes > histograms * MagnitudeBracket.MostBytes)
            {
                yield return [.. batch];
                batch.Clear();
                bytes = search.ListBytes;
            }

            batch.Add(search);
        }

        yield return [.. batch];
    }

    /// <summary>Searches of one tensor by one worker: a pass for all of them, then what is left open one by one.</summary>
    private void SearchAlone(PassContext context, Worker worker, TrimSearch[] searches)
    {
        Sample(worker, searches);
        CountAlone(context, worker, searches);
        foreach (var search in searches)
        {
            while (!search.Search.Done)
                CountAlone(context, worker, [search]);
            Publish(worker, search);
        }
    }

    private void CountAlone(PassContext context, Worker worker, TrimSearch[] searches)
    {
        var tensor = searches[0].Extent.Tensors[0];
        foreach (var search in searches)
            search.BeginPass(1);
        for (var start = 0L; start < tensor.ElementCount; start += BlockMap.Elements)
            Count(context, worker, 0, new Block(-1, tensor, start, (int)Math.Min(BlockMap.Elements, tensor.ElementCount - start)), searches);
        foreach (var search in searches)
            search.EndPass();
    }

    /// <summary>
    /// Adds what a group asks of the given tensors. Densities that keep all or nothing need no search.
    /// </summary>
    private void AddRequests(MixGroup group, IEnumerable<TensorPlan> tensors, Dictionary<(int Key, int Expert, TrimExtent Extent), TrimSearch> searches, TrimExtent extent)
    {
        foreach (var tensor in tensors)
        {
            ref var cuts = ref _cuts[group.Index][tensor.Index];
            cuts ??= _whole;
            for (var expert = 0; expert < _plan.Experts.Count; expert++)
            {
                var bounds = _method.BoundsOf(group, tensor, expert, extent.Elements);
                if (bounds == TrimBounds.All)
                    continue;
                var key = _method.SharesDeltas ? 0 : group.Index;
                if (_shares.TryGetValue((key, expert, extent.IsModel ? -1 : tensor.Index), out var shares)
                    && _method.ShareOf(group, tensor, expert) is { } share && shares.Ranks.TryGetValue(share, out var rank))
                    bounds = bounds with { Keep = new TrimBound(rank, TrimEdge.Exact) };
                if (cuts == _whole)
                    cuts = NewCuts();
                cuts[expert] = (bounds.Keep.Known ?? Cut.All, bounds.Drop.Known ?? Cut.None);
                if (bounds.Keep.Known is null)
                    SearchFor(new TrimRequest(group, tensor, bounds.Keep, IsDrop: false));
                if (bounds.Drop.Known is null)
                    SearchFor(new TrimRequest(group, tensor, bounds.Drop, IsDrop: true));

                void SearchFor(TrimRequest request)
                {
                    if (!searches.TryGetValue((key, expert, extent), out var search))
                        searches.Add((key, expert, extent), search = new TrimSearch(key, expert, extent, group));
                    search.Request(request);
                }
            }
        }
    }

    private (Cut Keep, Cut Drop)[] NewCuts()
    {
        var cuts = new (Cut, Cut)[_plan.Experts.Count];
        Array.Fill(cuts, (Cut.All, Cut.None));
        return cuts;
    }

    /// <summary>Samples pages for searches over one extent.</summary>
    private void Sample(Worker worker, TrimSearch[] searches)
    {
        var extent = searches[0].Extent;
        if (!searches[0].Search.WantsSample)
            return;
        var (first, end) = extent.Range;
        var pages = extent.IsModel ? PagesPerModel : SamplePages.CountFor(extent.Elements, MostPages);
        foreach (var part in SamplePages.Of(_plan, first, end, pages, shift: 0.5))
        {
            var read = -1;
            foreach (var search in searches)
            {
                if (read != search.Expert)
                    worker.ReadExpert(part, search.Expert, withBase: read < 0);
                read = search.Expert;
                Deltas.Compute(worker.Blocks[0], _method.Untrimmed(worker, part, search.Group, search.Expert), part.Start, part.Length, worker.Mix);
                search.Search.AddSample(worker.Mix, part.Length);
            }
        }
    }

    /// <summary>One pass over all blocks for some open searches.</summary>
    private void CountOnce(PassContext context, TrimSearch[] open, int first, int end)
    {
        foreach (var search in open)
            search.BeginPass(context.Pool.Count);
        var whole = open.Where(s => s.Extent.IsModel).OrderBy(s => s.Expert).ToArray();
        var ofTensor = open.Where(s => !s.Extent.IsModel).GroupBy(s => s.Extent.Range.First).ToDictionary(g => g.Key, g => g.OrderBy(s => s.Expert).ToArray());

        context.Pool.Run(context.Blocks.FirstOf(first), context.Blocks.FirstOf(end), (worker, index) =>
        {
            var block = context.Blocks[index];
            if (block.Tensor.Action != TensorAction.Merge)
                return;
            var searches = ofTensor.TryGetValue(block.Tensor.Index, out var own) ? own : whole;
            if (searches.Length > 0)
                Count(context, context.Workers[worker], worker, block, searches);
        });
        foreach (var search in open)
            search.EndPass();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Count(PassContext context, Worker worker, int tally, Block block, TrimSearch[] searches)
    {
        for (var offset = 0; offset < block.Length; offset += worker.Elements)
        {
            var part = new SubBlock(block.Tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
            var read = -1;
            foreach (var search in searches)
            {
                if (read != search.Expert)
                    context.Progress.Add(worker.ReadExpert(part, search.Expert, withBase: read < 0));
                read = search.Expert;
                var expert = _method.Untrimmed(worker, part, search.Group, search.Expert);
                for (var e = 0; e < part.Length; e += search.Extent.BlockElements)
                {
                    search.Tally(tally).Add(
                        worker.Blocks[0].From(e),
                        expert.From(e),
                        part.Start + e,
                        Math.Min(search.Extent.BlockElements, part.Length - e),
                        search.Extent.BlockNumber(block.Tensor, part.Start + e));
                }
            }
        }
    }

    /// <summary>Turns the thresholds of a search into cuts of the tensors that asked for them.</summary>
    private void Publish(Worker worker, TrimSearch search)
    {
        foreach (var request in search.Requests)
        {
            var found = search.Search.Results[search.IndexOf(request.Bound.Rank)];
            var cut = request.Bound.Edge switch
            {
                TrimEdge.Above => new Cut(found.Bits, -1),
                TrimEdge.Exact when found.Block >= 0 => CutInside(worker, search, found, request.Tensor),
                _ => Cut.AtThreshold(found.Bits),
            };
            var cuts = _cuts[request.Group.Index][request.Tensor.Index]!;
            if (request.IsDrop)
                cuts[search.Expert].Drop = cut;
            else
                cuts[search.Expert].Keep = cut;
        }
    }

    /// <summary>The cut where the last kept of equal magnitudes lies in a block: before it all equals are kept, after it none.</summary>
    private Cut CutInside(Worker worker, TrimSearch search, MagnitudeThreshold found, TensorPlan tensor)
    {
        var (holder, start) = search.Extent.Locate(found.Block);
        if (holder.Index != tensor.Index)
            return new Cut(found.Bits, search.Extent.IsBefore(tensor, holder) ? long.MaxValue : -1);

        var rank = found.RankInBlock;
        var length = Math.Min(search.Extent.BlockElements, holder.ElementCount - start);
        for (var offset = 0L; offset < length; offset += worker.Elements)
        {
            var part = new SubBlock(holder, start + offset, (int)Math.Min(worker.Elements, length - offset));
            worker.ReadExpert(part, search.Expert);
            Deltas.Compute(worker.Blocks[0], _method.Untrimmed(worker, part, search.Group, search.Expert), part.Start, part.Length, worker.Mix);
            var index = MagnitudeBits.LocateEqual(worker.Mix, part.Length, found.Bits, ref rank);
            if (index >= 0)
                return new Cut(found.Bits, part.Start + index);
        }

        throw new InvalidOperationException($"The magnitudes of {holder.Name} changed between two passes.");
    }
}
