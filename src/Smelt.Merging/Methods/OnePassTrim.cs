using System.Runtime.CompilerServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Cut = Smelt.Merging.Kernels.Cut;

namespace Smelt.Merging.Methods;

/// <summary>
/// A trim of each tensor, or of the whole model, in a single pass over the inputs. A sample brackets each expert's threshold; elements whose magnitude
/// lies outside are merged at once, columns with an element inside are set aside, a few percent, and merged when the pass has counted what the exact
/// threshold is. Columns with a vote of zero, which the majority of all signs decides, wait with them.
/// </summary>
/// <remarks>
/// Only what must be merged twice is: the output has the bits that two passes make, whatever the sample says. A sample that misled, or more
/// columns than there is room for, cost the tensor, or the model, its two passes after all. The output of a tensor is held until its columns are merged; where
/// it is too large for that it is written as it is, to be read again and completed. A block is finished when its columns are merged: a trim of the model
/// finishes none before it has seen all, so models whose columns do not fit in memory, which take long, are better off with two passes.
/// </remarks>
internal sealed unsafe class OnePassTrim
{
    /// <summary>Below so many elements a tensor is not worth it.</summary>
    private const long FewestElements = 1 << 14;

    /// <summary>Memory for trims of each tensor beyond which more is of no use but for tensors of a hundred million elements.</summary>
    private const long MostOfTensors = 256L << 20;

    /// <summary>Where more columns than this are expected to be open, two passes are cheaper.</summary>
    private const double MostOpen = 0.5;

    /// <summary>The same where columns are written to a file: each is written once and read twice, and is as large as what two passes read of it.</summary>
    private const double MostWritten = 0.15;

    /// <summary>Extents for each worker from which on one worker samples all experts of an extent: with fewer, workers wait for the last.</summary>
    private const int ExtentsPerWorker = 4;

    private readonly SparseMethod _method;
    private readonly MixGroup _group;
    private readonly HeldTensor?[] _held;

    private OnePassTrim(SparseMethod method)
    {
        _method = method;
        _group = method.Groups[0];
        _held = new HeldTensor?[method.Plan.Tensors.Count];
    }

    /// <summary>The one-pass trim of a method; null where its plan needs more of its inputs than thresholds, or its points share passes already.</summary>
    public static OnePassTrim? Create(SparseMethod method) => Suits(method.Plan) ? new OnePassTrim(method) : null;

    /// <summary>Whether a plan can be trimmed in one pass.</summary>
    public static bool Suits(MergePlan plan) => plan.Parts.Count == 1 && plan.Points.Count == 1 && Suits(plan.Points[0].Recipe) && (plan.Points[0].Recipe is Ties { Trim: TrimScope.Tensor } || HaveOneDensity(plan));

    /// <summary>Whether the tensors of a recipe, all of its switches set, can be trimmed in one pass. The majority of signs is known when a trim of the model is.</summary>
    public static bool Suits(Recipe recipe) => recipe is Ties { Cut: Recipes.Cut.Exact or Recipes.Cut.AtThreshold or Recipes.Cut.MaskRate } ties
        && ties.Rescale != Rescale.L1
        && ties.Election is Recipes.Election.Sum or Recipes.Election.Unweighted && ties.Disjoint == true && ties.Combine == Recipes.Combine.Sum
        && (ties.Trim == TrimScope.Model || ties.ZeroVote is not (Recipes.ZeroVote.Majority or Recipes.ZeroVote.MajorityOrNothing))
        && !AgreeingSpan.IsMedian(ties) && !AgreeingSpan.IsStock(ties);

    /// <summary>The memory beyond which more is of no use: that for all outputs, columns and codes, but for trims of each tensor, of which a few are held at a time, no more than a large tensor needs.</summary>
    public static long MostBytes(MergePlan plan)
    {
        if (!Suits(plan))
            return 0;
        var bytes = plan.Merged.Sum(t => BytesOf(t) + HeldMemory.BytesOf(t.ElementCount, t.CountSources, t.Source(0).Type.BytesPerElement) + (t.ElementCount * t.Experts.Count * sizeof(uint))
            + (BlockMap.CountOf(t.ElementCount) * (HeldMemory.BytesOf(0, t.CountSources, 1) + HeldBlock.OwnBytes(t.CountSources))));
        return plan.Points[0].Recipe is Ties { Trim: TrimScope.Model } ? bytes : Math.Min(bytes, MostOfTensors);
    }

    /// <summary>Whether a tensor's blocks are held until its thresholds are known.</summary>
    public bool Holds(TensorPlan tensor) => _held[tensor.Index] is not null;

    /// <summary>Whether a tensor is held; <paramref name="cut"/> is then that of an expert, or, before it is known, one that keeps what is certain to be kept.</summary>
    public bool TryCut(TensorPlan tensor, int expert, out Cut cut)
    {
        var held = _held[tensor.Index];
        cut = held is null ? default : held.Extent.Settled ? held.CutOf(expert) : held.Provisional(expert);
        return held is not null;
    }

    /// <summary>
    /// Chooses, of the tensors from <paramref name="first"/> up to <paramref name="end"/>, those that one pass is enough for, and samples them.
    /// </summary>
    /// <param name="context">The workers.</param>
    /// <param name="first">The first tensor.</param>
    /// <param name="end">The end.</param>
    /// <param name="memory">Where their blocks are held.</param>
    /// <param name="untouched">Whether no block of a tensor is finished: the pass must see all.</param>
    /// <param name="freeDisk">The bytes that columns may take on the disk, where they do not fit in memory.</param>
    public void Choose(PassContext context, int first, int end, HeldMemory memory, Func<TensorPlan, bool> untouched, Func<long> freeDisk)
    {
        memory.Clear();
        if (memory.Bytes == 0)
            return;
        var candidates = new List<HeldExtent>();
        foreach (var extent in Extents(context.Plan, first, end))
        {
            if (extent.Elements > FewestElements && Array.TrueForAll(extent.Tensors, t => CanRead(t) && untouched(t)) && Bounds(extent) is { } bounds)
                candidates.Add(new HeldExtent(extent, bounds));
        }

        if (candidates.Count == 0)
            return;
        context.Progress.Phase = "sampling";

        // Whoever samples all experts reads the base once; where there are few extents more of them work.
        var samples = candidates.Count >= ExtentsPerWorker * context.Pool.Count
            ? candidates.Select(e => (Extent: e, Experts: e.Open.ToArray())).ToArray()
            : candidates.SelectMany(e => e.Open.Select(i => (Extent: e, Experts: new[] { i }))).ToArray();

        // Nothing is held yet. Where all magnitudes are alike two lists as long as the sample are made of it.
        var codes = memory.Bytes / Math.Min(context.Pool.Count, samples.Length) / 3;
        context.Pool.Run(0, samples.Length, (worker, i) => samples[i].Extent.Sample(context.Plan, context.Workers[worker], samples[i].Experts, codes));
        var used = 0L;
        foreach (var extent in candidates.Where(e => e.Open.All(i => e.Brackets[i] is not null)))
        {
            foreach (var tensor in extent.Tensors)
                _held[tensor.Tensor.Index] = tensor;
            var (openShare, own, columns) = extent.Expect(SparseMethod.CountsVotes(_group) ? _method.ContestedShare(context, _group) : 0);
            var fits = used + own + columns <= memory.Bytes;
            if (openShare > MostOpen || used + own > memory.Bytes || (!fits && (openShare > MostWritten || columns > freeDisk())))
            {
                LetGo(extent);
                continue;
            }

            memory.Reserve(own, fits ? 0 : columns);
            used += own + columns;

            // Memory that is new for each block costs as much as writing and reading it: only a wave that reuses that of the last gains by holding outputs.
            var output = BytesOf(extent.Extent.Tensors[0]);
            if (extent.Extent.IsModel || used + output > memory.Bytes)
                continue;
            used += output;
            extent.Tensors[0].Output = memory.Take(output);
        }
    }

    /// <summary>Begins a block of a tensor that is held; null where it will have two passes anyway.</summary>
    public HeldBlock? Begin(int worker, Block block, HeldMemory memory)
    {
        var (tensor, held) = (block.Tensor, _held[block.Tensor.Index]!);
        var output = held.Output is null ? null : held.Output + (block.Start * tensor.OutputType.BytesPerElement);
        return held.Extent.Missed ? null : memory.Begin(worker, output, tensor.Experts.Count + 1, tensor.Base!.Type.BytesPerElement);
    }

    /// <summary>Keeps a block that was mixed until <see cref="Merge"/>: its open columns, their codes, and the votes of the others.</summary>
    public void Keep(int index, Worker worker, Block block, HeldBlock mixed, HeldMemory memory)
    {
        var held = _held[block.Tensor.Index]!;
        AddVotes(worker, block, mixed, held.Provisional, sign: -1);
        if (held.TryKeepCodes(worker, block.Start, mixed, memory) && memory.TryKeep(index, mixed, block.Tensor.Base!.Type.BytesPerElement))
            held.Blocks[block.Start / BlockMap.Elements] = mixed;
        else
            held.Extent.Missed = true;
    }

    /// <summary>Adds the votes of a block's open columns under some cuts, or takes them away, where votes are counted.</summary>
    private void AddVotes(Worker worker, Block block, HeldBlock held, Func<int, Cut> cutOf, int sign)
    {
        if (!SparseMethod.CountsVotes(_group))
            return;
        for (var first = 0; first < held.Count; first += worker.Elements)
        {
            var part = Focus(worker, block, held, first, Math.Min(worker.Elements, held.Count - first));
            _method.BeginColumns(worker, part, _group, i => CutOfColumns(block, held, cutOf(i)));
            var counts = _method.CountColumns(worker, part, _group);
            held.Balance += sign * counts.Balance;
            held.ZeroVotes += sign * (int)counts.Contested;
        }
    }

    /// <summary>Mixes a piece that the worker has read, but for its open columns, which are set aside.</summary>
    [SkipLocalsInit]
    public void Mix(Worker worker, SubBlock piece, HeldBlock block)
    {
        var held = _held[piece.Tensor.Index]!;
        var experts = held.Extent.Bounds.Length;
        var ranges = stackalloc MagnitudeRange[experts];
        var above = stackalloc long[2 * experts];
        new Span<long>(above, 2 * experts).Clear();
        var tops = stackalloc int[experts];
        for (var i = 0; i < experts; i++)
            tops[i] = held.Extent.Brackets[i]?.High ?? int.MaxValue;
        new Span<ulong>(worker.Masks, (piece.Length + FusedSparse.Group - 1) / FusedSparse.Group).Clear();
        var marks = new OpenMarks { Ranges = ranges, Bits = worker.Masks, Above = above, Tops = held.Extent.Over is null ? null : tops, Over = above + experts };
        var election = _method.BeginOpen(worker, piece, _group);
        var counts = default(ElectionCounts);
        var counted = SparseMethod.CountsVotes(_group) ? &counts : null;
        var end = piece.Start + piece.Length;
        for (long flat = piece.Start, next; flat < end; flat = next)
        {
            next = end;
            for (var i = 0; i < experts; i++)
            {
                ranges[i] = held.RangeAt(i, flat);
                next = held.EndOfSpan(i, flat, next);
            }

            var first = (nint)(flat - piece.Start);
            var last = first + ((nint)(next - flat) & -(nint)FusedSparse.Group);
            FusedSparse.Run(worker.Blocks[0], worker.Experts, experts, election, piece.Start, first, last, worker.Mix, counted, &marks);
            if (piece.Start + last < next)
                SetAside(worker, piece, last, (int)(next - piece.Start - last), marks, experts, election, counted);
        }

        for (var i = 0; i < experts; i++)
        {
            Interlocked.Add(ref held.Extent.Above[i], above[i]);
            if (held.Extent.Over is { } over)
                Interlocked.Add(ref over[i], above[experts + i]);
        }

        block.Balance += counts.Balance;
        block.ZeroVotes += (int)counts.Contested;
        var offset = (int)(piece.Start % BlockMap.Elements);
        fixed (void** columns = block.Columns)
            block.Count += OpenColumns.Gather(worker.Blocks, experts + 1, piece.Tensor.Base!.Type.BytesPerElement, worker.Masks, piece.Length, offset, block.Indices, columns, block.Count, BlockMap.Elements);
    }

    /// <summary>Marks the last elements of a tensor, fewer than a group, as open, whatever their magnitudes, and counts those above the ranges, and their votes.</summary>
    private static void SetAside(Worker worker, SubBlock piece, nint first, int count, in OpenMarks marks, int experts, in Kernels.Election election, ElectionCounts* counts)
    {
        marks.Bits[first / FusedSparse.Group] = (1UL << count) - 1;
        if (counts is not null)
        {
            var rest = stackalloc ExpertBlock[experts];
            for (var i = 0; i < experts; i++)
                rest[i] = worker.Experts[i].From(first);
            *counts += Sparse.CountVotes(worker.Blocks[0].From(first), rest, experts, election, piece.Start + first, count);
        }

        var deltas = stackalloc float[FusedSparse.Group];
        for (var i = 0; i < experts; i++)
        {
            Deltas.Compute(worker.Blocks[0].From(first), new ExpertBlock(worker.Blocks[i + 1].From(first)), 0, count, deltas);
            for (var e = 0; e < count; e++)
            {
                var magnitude = BitConverter.SingleToInt32Bits(deltas[e]) & int.MaxValue;
                marks.Above[i] += magnitude > marks.Ranges[i].High ? 1 : 0;
                if (marks.Tops is not null)
                    marks.Over[i] += magnitude > marks.Tops[i] ? 1 : 0;
            }
        }
    }

    /// <summary>
    /// Ends the pass over the tensors from <paramref name="first"/> up to <paramref name="end"/>: finds their thresholds among what was set aside,
    /// or by passes of their own where they are not there, and the majority of signs.
    /// </summary>
    public void Settle(PassContext context, int first, int end, HeldMemory memory)
    {
        var extents = Enumerable.Range(first, end - first).Select(i => _held[i]?.Extent).OfType<HeldExtent>().Distinct().ToArray();
        var open = extents.Where(e => !e.Missed).SelectMany(e => e.Open.Select(i => (Extent: e, Expert: i))).ToArray();
        context.Pool.Run(0, open.Length, (worker, i) =>
        {
            if (!open[i].Extent.TryCut(worker, context.Workers[worker], open[i].Expert, memory))
                open[i].Extent.Missed = true;
        });
        foreach (var extent in extents)
        {
            extent.Settled = true;
            if (extent.Missed)
            {
                LetGo(extent);
                _method.Prepare(context, extent.Extent.Range.First, extent.Extent.Range.End);
            }
            else if (SparseMethod.CountsVotes(_group))
            {
                Elect(context, extent, memory);
            }
        }
    }

    /// <summary>The block that a pass left for <see cref="Merge"/>; null where there is none.</summary>
    public HeldBlock? Find(Block block) => _held[block.Tensor.Index]?.Blocks[block.Start / BlockMap.Elements];

    /// <summary>Merges open columns of a block, now that thresholds are known, and puts them into its output.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="block">The block.</param>
    /// <param name="held">What is held of it.</param>
    /// <param name="start">The first element of the block.</param>
    /// <param name="output">The output's bytes from that element on, no more of them than the worker has room for.</param>
    public void Merge(Worker worker, Block block, HeldBlock held, int start, Span<byte> output)
    {
        var tensor = _held[block.Tensor.Index]!;
        var size = block.Tensor.OutputType.BytesPerElement;
        var first = held.CountBefore(start);
        var columns = held.CountBefore(start + (output.Length / size)) - first;
        _method.PutVotes(worker, _group, held);
        if (columns == 0)
            return;
        var part = Focus(worker, block, held, first, columns);
        _method.BeginColumns(worker, part, _group, i => CutOfColumns(block, held, tensor.CutOf(i)));
        _method.MixColumns(worker, part, _group);
        worker.Apply(worker.Output, 0, columns, addBase: true, block.Tensor.Settings[0].Lambda, block.Tensor.OutputType);
        fixed (byte* bytes = output)
        {
            var target = bytes - ((long)start * size);
            switch (size)
            {
                case sizeof(ushort): Scatter<ushort>(worker.Output, held.Indices + first, columns, target); break;
                case sizeof(uint): Scatter<uint>(worker.Output, held.Indices + first, columns, target); break;
                default: Scatter<ulong>(worker.Output, held.Indices + first, columns, target); break;
            }
        }
    }

    /// <summary>Lets the blocks of tensors go.</summary>
    public void Release(int first, int end) => Array.Clear(_held, first, end - first);

    private void LetGo(HeldExtent extent)
    {
        foreach (var tensor in extent.Extent.Tensors)
            _held[tensor.Index] = null;
    }

    /// <summary>Finds the majority of signs, now that it is known what open columns elect.</summary>
    private void Elect(PassContext context, HeldExtent extent, HeldMemory memory)
    {
        var blocks = extent.Blocks;
        context.Pool.Run(0, blocks.Length, (index, i) =>
        {
            var (tensor, number) = blocks[i];
            var block = context.Blocks[context.Blocks.FirstOf(tensor.Tensor.Index) + number];
            memory.Load(index, tensor.Blocks[number]!, tensor.Tensor.Base!.Type.BytesPerElement);
            AddVotes(context.Workers[index], block, tensor.Blocks[number]!, tensor.CutOf, sign: 1);
        });
        _method.TakeMajority(_group, blocks.Sum(b => (long)b.Tensor.Blocks[b.Block]!.Balance));
    }

    /// <summary>Makes the worker's blocks the columns of a block from number <paramref name="first"/> on.</summary>
    private static SubBlock Focus(Worker worker, Block block, HeldBlock held, int first, int columns)
    {
        var format = Worker.FormatOf(block.Tensor.Base!.Type);
        for (var source = 0; source < held.Columns.Length; source++)
            worker.Blocks[source] = new RawBlock(held.Columns[source], format).From(first);
        return new SubBlock(block.Tensor, first, columns);
    }

    /// <summary>A cut of a tensor for the columns of a block. They stand in the order of their elements, so that a place in the one order is a place in the other.</summary>
    private static Cut CutOfColumns(Block block, HeldBlock held, Cut cut) => cut.LastEqual is >= 0 and < long.MaxValue and var last
        ? cut with { LastEqual = held.CountBefore(last + 1 - block.Start) - 1 }
        : cut;

    private static void Scatter<T>(byte* values, ushort* indices, int count, byte* output)
        where T : unmanaged
    {
        for (var i = 0; i < count; i++)
            ((T*)output)[indices[i]] = ((T*)values)[i];
    }

    /// <summary>Whether an expert is trimmed alike in all tensors: a trim of the model looks for one threshold then.</summary>
    private static bool HaveOneDensity(MergePlan plan) =>
        plan.Merged.Select(t => t.Settings[0].Densities).All(d => d.AsSpan().SequenceEqual(plan.Merged.First().Settings[0].Densities));

    /// <summary>Whether all sources are of one type, which kernels read as it is.</summary>
    private static bool CanRead(TensorPlan tensor) =>
        tensor.Base is { } @base && Worker.FormatOf(@base.Type) != FloatFormat.F64 && tensor.Experts.All(e => e.Type == @base.Type);

    /// <summary>The bytes of a tensor in the output.</summary>
    private static long BytesOf(TensorPlan tensor) => tensor.ElementCount * tensor.OutputType.BytesPerElement;

    /// <summary>What is trimmed together, of the tensors from <paramref name="first"/> up to <paramref name="end"/>.</summary>
    private IEnumerable<TrimExtent> Extents(MergePlan plan, int first, int end) =>
        _method.ExtentOf(_group) != TrimScope.Model ? plan.MergedIn(first, end).Select(TrimSearch.OfTensor) : plan.Merged.Any() ? [TrimSearch.OfModel(plan)] : [];

    /// <summary>Where each expert's deltas of an extent are cut, alike in all tensors; null where none is cut at a place that has to be found.</summary>
    private TrimBound[]? Bounds(TrimExtent extent)
    {
        var bounds = new TrimBound[extent.Tensors[0].Experts.Count];
        for (var i = 0; i < bounds.Length; i++)
        {
            bounds[i] = _method.BoundsOf(_group, extent.Tensors[0], i, extent.Elements).Keep;
            if (bounds[i].Known is { } known ? known != Cut.All : bounds[i].Edge == TrimEdge.Above)
                return null;
        }

        return Array.TrueForAll(bounds, b => b.Known is not null) ? null : bounds;
    }
}
