using System.Runtime.CompilerServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Cut = Smelt.Merging.Kernels.Cut;

namespace Smelt.Merging.Methods;

/// <summary>
/// A trim of each tensor in a single pass over the inputs. A sample brackets each expert's threshold; elements whose magnitude lies outside are
/// merged at once, columns with an element inside are set aside, a few percent, and merged when the pass has counted what the exact threshold is.
/// </summary>
/// <remarks>
/// Only what must be merged twice is: the output has the bits that two passes make, whatever the sample says. A sample that misled, or more
/// columns than there is room for, cost the tensor its two passes after all. The output of a tensor is held until its columns are merged; where it is too
/// large for that it is written as it is, to be read again and completed.
/// </remarks>
internal sealed unsafe class OnePassTrim
{
    /// <summary>Below so many elements a tensor is not worth it.</summary>
    private const long FewestElements = 1 << 14;

    private const int MostPages = 512;

    /// <summary>Where more columns than this are expected to be open, two passes are cheaper.</summary>
    private const double MostOpen = 0.5;

    private readonly SparseMethod _method;
    private readonly MagnitudeTrim _trim;
    private readonly MixGroup _group;
    private readonly HeldTensor?[] _held;

    private OnePassTrim(SparseMethod method, MagnitudeTrim trim)
    {
        _method = method;
        _trim = trim;
        _group = method.Groups[0];
        _held = new HeldTensor?[method.Plan.Tensors.Count];
    }

    /// <summary>The one-pass trim of a method; null where its plan needs more of a tensor than thresholds, or its points share passes already.</summary>
    public static OnePassTrim? Create(SparseMethod method, MagnitudeTrim trim) => Suits(method.Plan) ? new OnePassTrim(method, trim) : null;

    /// <summary>Whether a plan's tensors can be trimmed in one pass.</summary>
    public static bool Suits(MergePlan plan) => plan.Parts.Count == 1 && plan.Points.Count == 1 && Suits(plan.Points[0].Recipe);

    /// <summary>Whether the tensors of a recipe, all of its switches set, can be trimmed in one pass.</summary>
    public static bool Suits(Recipe recipe) => recipe is Ties { Trim: TrimScope.Tensor, Cut: Recipes.Cut.Exact } ties
        && ties.Rescale != Rescale.L1
        && ties.Election is Recipes.Election.Sum or Recipes.Election.Unweighted && ties.Disjoint == true && ties.Combine == Recipes.Combine.Sum
        && ties.ZeroVote is not (Recipes.ZeroVote.Majority or Recipes.ZeroVote.MajorityOrNothing)
        && !AgreeingSpan.IsMedian(ties) && !AgreeingSpan.IsStock(ties);

    /// <summary>Whether a tensor's blocks are held until its thresholds are known.</summary>
    public bool Holds(TensorPlan tensor) => _held[tensor.Index] is not null;

    /// <summary>Whether a tensor is held and its thresholds are not known yet; <paramref name="cut"/> then keeps what is certain to be kept of an expert.</summary>
    public bool TryProvisional(TensorPlan tensor, int expert, out Cut cut)
    {
        var held = _held[tensor.Index];
        cut = held?.Settled == false ? held.Provisional(expert) : default;
        return held?.Settled == false;
    }

    /// <summary>
    /// Chooses, of the tensors from <paramref name="first"/> up to <paramref name="end"/>, those that one pass is enough for, and samples them.
    /// </summary>
    /// <param name="context">The workers.</param>
    /// <param name="first">The first tensor.</param>
    /// <param name="end">The end.</param>
    /// <param name="memory">Where their blocks are held.</param>
    /// <param name="untouched">Whether no block of a tensor is finished: the pass must see all.</param>
    public void Choose(PassContext context, int first, int end, HeldMemory memory, Func<TensorPlan, bool> untouched)
    {
        memory.Clear();
        if (memory.Bytes == 0)
            return;
        var candidates = new List<HeldTensor>();
        foreach (var tensor in context.Plan.MergedIn(first, end))
        {
            if (tensor.ElementCount > FewestElements && CanRead(tensor) && untouched(tensor) && Bounds(tensor) is { } bounds)
                candidates.Add(new HeldTensor(tensor, bounds));
        }

        if (candidates.Count == 0)
            return;
        context.Progress.Phase = "sampling";
        var samples = candidates.SelectMany(t => Enumerable.Range(0, t.Bounds.Length).Where(i => t.Bounds[i].Known is null).Select(i => (Tensor: t, Expert: i))).ToArray();
        context.Pool.Run(0, samples.Length, (worker, i) => Sample(context, context.Workers[worker], samples[i].Tensor, samples[i].Expert));
        var used = 0L;
        foreach (var candidate in candidates)
        {
            if (!candidate.TryExpect(out var openShare, out var columns) || openShare > MostOpen || used + columns > memory.Bytes)
                continue;
            used += columns;
            _held[candidate.Tensor.Index] = candidate;
            if (used + BytesOf(candidate.Tensor) > memory.Bytes)
                continue;
            used += BytesOf(candidate.Tensor);
            candidate.Output = memory.Take(BytesOf(candidate.Tensor));
        }
    }

    /// <summary>Begins a block of a tensor that is held; null where it will have two passes anyway.</summary>
    public HeldBlock? Begin(int worker, Block block, HeldMemory memory)
    {
        var (tensor, held) = (block.Tensor, _held[block.Tensor.Index]!);
        var output = held.Output is null ? null : held.Output + (block.Start * tensor.OutputType.BytesPerElement);
        return held.Missed ? null : memory.Begin(worker, output, tensor.Experts.Count + 1, tensor.Base!.Type.BytesPerElement);
    }

    /// <summary>Keeps a block that was mixed until <see cref="Merge"/>.</summary>
    public void Keep(Block block, HeldBlock mixed, HeldMemory memory)
    {
        var held = _held[block.Tensor.Index]!;
        if (memory.TryKeep(mixed, block.Tensor.Base!.Type.BytesPerElement))
            held.Blocks[block.Start / BlockMap.Elements] = mixed;
        else
            held.Missed = true;
    }

    /// <summary>Mixes a piece that the worker has read, but for its open columns, which are set aside.</summary>
    [SkipLocalsInit]
    public void Mix(Worker worker, SubBlock piece, HeldBlock block)
    {
        var held = _held[piece.Tensor.Index]!;
        var experts = held.Bounds.Length;
        var ranges = stackalloc MagnitudeRange[experts];
        var above = stackalloc long[experts];
        new Span<long>(above, experts).Clear();
        new Span<ulong>(worker.Masks, (piece.Length + FusedSparse.Group - 1) / FusedSparse.Group).Clear();
        var marks = new OpenMarks { Ranges = ranges, Bits = worker.Masks, Above = above };
        var election = _method.BeginOpen(worker, piece, _group);
        var end = piece.Start + piece.Length;
        for (long flat = piece.Start, next; flat < end; flat = next)
        {
            next = end;
            for (var i = 0; i < experts; i++)
            {
                ranges[i] = held.RangeAt(i, flat);
                next = held.Brackets[i]?.EndOfSpan(flat, next) ?? next;
            }

            var first = (nint)(flat - piece.Start);
            var last = first + ((nint)(next - flat) & -(nint)FusedSparse.Group);
            FusedSparse.Run(worker.Blocks[0], worker.Experts, experts, election, piece.Start, first, last, worker.Mix, null, &marks);
            if (piece.Start + last < next)
                SetAside(worker, last, (int)(next - piece.Start - last), marks, experts);
        }

        for (var i = 0; i < experts; i++)
            Interlocked.Add(ref held.Above[i], above[i]);
        var offset = (int)(piece.Start % BlockMap.Elements);
        fixed (void** columns = block.Columns)
            block.Count += OpenColumns.Gather(worker.Blocks, experts + 1, piece.Tensor.Base!.Type.BytesPerElement, worker.Masks, piece.Length, offset, block.Indices, columns, block.Count, BlockMap.Elements);
    }

    /// <summary>Marks the last elements of a tensor, fewer than a group, as open, whatever their magnitudes, and counts those above the ranges.</summary>
    private static void SetAside(Worker worker, nint first, int count, in OpenMarks marks, int experts)
    {
        marks.Bits[first / FusedSparse.Group] = (1UL << count) - 1;
        var deltas = stackalloc float[FusedSparse.Group];
        for (var i = 0; i < experts; i++)
        {
            Deltas.Compute(worker.Blocks[0].From(first), new ExpertBlock(worker.Blocks[i + 1].From(first)), 0, count, deltas);
            for (var e = 0; e < count; e++)
                marks.Above[i] += (BitConverter.SingleToInt32Bits(deltas[e]) & int.MaxValue) > marks.Ranges[i].High ? 1 : 0;
        }
    }

    /// <summary>
    /// Ends the pass over the tensors from <paramref name="first"/> up to <paramref name="end"/>: finds their thresholds among what was set aside,
    /// or by passes of their own where they are not there.
    /// </summary>
    public void Settle(PassContext context, int first, int end)
    {
        var tensors = Enumerable.Range(first, end - first).Select(i => _held[i]).OfType<HeldTensor>().ToArray();
        var open = tensors.Where(t => !t.Missed).SelectMany(t => Enumerable.Range(0, t.Bounds.Length).Where(i => t.Brackets[i] is not null).Select(i => (Tensor: t, Expert: i))).ToArray();
        context.Pool.Run(0, open.Length, (worker, i) =>
        {
            if (!open[i].Tensor.TryCut(context.Workers[worker], open[i].Expert))
                open[i].Tensor.Missed = true;
        });
        foreach (var held in tensors)
        {
            held.Settled = true;
            if (!held.Missed)
            {
                _trim.Put(_group, held.Tensor, held.Cuts);
                continue;
            }

            _held[held.Tensor.Index] = null;
            _trim.Find(context, held.Tensor.Index, held.Tensor.Index + 1);
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
        var tensor = block.Tensor;
        var size = tensor.OutputType.BytesPerElement;
        var format = Worker.FormatOf(tensor.Base!.Type);
        var cuts = _held[tensor.Index]!.Cuts;
        var first = held.CountBefore(start);
        var columns = held.CountBefore(start + (output.Length / size)) - first;
        if (columns == 0)
            return;
        for (var source = 0; source <= tensor.Experts.Count; source++)
            worker.Blocks[source] = new RawBlock(held.Columns[source], format).From(first);

        // Columns stand in the order of their elements, so that a place in the one order is a place in the other.
        _method.MixColumns(worker, new SubBlock(tensor, first, columns), _group, i => cuts[i].LastEqual is >= 0 and < long.MaxValue and var last
            ? cuts[i] with { LastEqual = held.CountBefore(last + 1 - block.Start) - 1 }
            : cuts[i]);
        worker.Apply(worker.Output, 0, columns, addBase: true, tensor.Settings[0].Lambda, tensor.OutputType);
        fixed (byte* bytes = output)
            Scatter(worker.Output, held.Indices + first, columns, size, bytes - ((long)start * size));
    }

    /// <summary>Lets the blocks of a tensor go.</summary>
    public void Release(int first, int end) => Array.Clear(_held, first, end - first);

    private static void Scatter(byte* values, ushort* indices, int count, int size, byte* output)
    {
        for (var i = 0; i < count; i++)
        {
            switch (size)
            {
                case sizeof(ushort): ((ushort*)output)[indices[i]] = ((ushort*)values)[i]; break;
                case sizeof(uint): ((uint*)output)[indices[i]] = ((uint*)values)[i]; break;
                default: ((ulong*)output)[indices[i]] = ((ulong*)values)[i]; break;
            }
        }
    }

    /// <summary>Whether all sources are of one type, which kernels read as it is.</summary>
    private static bool CanRead(TensorPlan tensor) =>
        tensor.Base is { } @base && Worker.FormatOf(@base.Type) != FloatFormat.F64 && tensor.Experts.All(e => e.Type == @base.Type);

    /// <summary>The bytes of a tensor in the output.</summary>
    private static long BytesOf(TensorPlan tensor) => tensor.ElementCount * tensor.OutputType.BytesPerElement;

    /// <summary>Where each expert's deltas of a tensor are cut; null where none is cut at a place that has to be found.</summary>
    private TrimBound[]? Bounds(TensorPlan tensor)
    {
        var bounds = new TrimBound[tensor.Experts.Count];
        for (var i = 0; i < bounds.Length; i++)
        {
            bounds[i] = _method.BoundsOf(_group, tensor, i, tensor.ElementCount).Keep;
            if (bounds[i].Known is { } known ? known != Cut.All : bounds[i].Edge != TrimEdge.Exact)
                return null;
        }

        return Array.TrueForAll(bounds, b => b.Known is not null) ? null : bounds;
    }

    private void Sample(PassContext context, Worker worker, HeldTensor held, int expert)
    {
        var tensor = held.Tensor;
        var pages = SamplePages.Of(context.Plan, tensor.Index, tensor.Index + 1, SamplePages.CountFor(tensor.ElementCount, MostPages));
        var starts = new long[pages.Count];
        var sample = new MagnitudeSample();
        for (var i = 0; i < pages.Count; i++)
        {
            starts[i] = pages[i].Start;
            worker.ReadExpert(pages[i], expert);
            Deltas.Compute(worker.Blocks[0], new ExpertBlock(worker.Blocks[expert + 1]), pages[i].Start, pages[i].Length, worker.Mix);
            sample.Add(worker.Mix, pages[i].Length);
        }

        if (sample.TryPlaces(held.Bounds[expert].Rank, tensor.ElementCount, starts, out var bracket))
            held.Brackets[expert] = bracket;
        sample.Release();
    }
}
