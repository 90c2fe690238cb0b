using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>A row of an expert's task vector, and where what is decided about it goes.</summary>
internal sealed unsafe class Row(RowOrder order, MixGroup group, TensorPlan tensor)
{
    /// <summary>The group.</summary>
    public MixGroup Group { get; set; } = group;

    /// <summary>The tensor.</summary>
    public TensorPlan Tensor { get; set; } = tensor;

    /// <summary>The expert.</summary>
    public int Expert { get; set; }

    /// <summary>The number of elements.</summary>
    public int Length { get; set; }

    /// <summary>The deltas.</summary>
    public float* Deltas { get; set; }

    /// <summary>A number for each element, as the rows' owner drew them.</summary>
    public uint* Draws { get; set; }

    /// <summary>Where the mask goes: one bit for each element, the first in bit 0; bits behind the last are 0.</summary>
    public ulong* Bits { get; set; }

    /// <summary>Where the divisors go; null where they are not wanted.</summary>
    public float* Divisors { get; set; }

    /// <summary>Orders magnitudes.</summary>
    public RowOrder Order { get; } = order;
}

/// <summary>What is known of an expert's elements in a sub-block; there until the same is asked for another sub-block.</summary>
/// <param name="mask">One bit for each element.</param>
/// <param name="divisors">What each element is divided by; null without divisors.</param>
internal readonly unsafe struct RowMask(ulong* mask, float* divisors)
{
    /// <summary>One bit for each element.</summary>
    public ulong* Mask { get; } = mask;

    /// <summary>What each element is divided by; null without divisors.</summary>
    public float* Divisors { get; } = divisors;
}

/// <summary>
/// Masks that go by the order of magnitudes inside each row, a run of neighbouring elements. Each worker holds the rows that
/// its sub-block touches, whole, for the first and the last of them reach beyond it.
/// </summary>
internal abstract unsafe class RowMasks
{
    /// <summary>Elements of short rows that are read in one go.</summary>
    private const int ReadAtOnce = 8192;

    /// <summary>Draws are made for whole runs of 64 elements.</summary>
    private const int DrawSlack = 128;

    private readonly MergePlan _plan;
    private readonly RowNeeds _needs;
    private readonly ConcurrentDictionary<Worker, Buffers> _buffers = new();

    protected RowMasks(MergePlan plan, RowNeeds needs)
    {
        _plan = plan;
        _needs = needs;
    }

    /// <summary>The length of a tensor's rows; a tensor of fewer than two dimensions is one. 0 where its rows are no runs.</summary>
    public static long LengthOf(TensorPlan tensor, RowAxis axis) =>
        tensor.Shape.Count < 2 ? tensor.ElementCount
        : axis == RowAxis.Last ? tensor.Shape[^1]
        : tensor.Shape.Skip(2).All(d => d == 1) ? tensor.Shape[1]
        : 0;

    /// <summary>What an expert's rows make of a sub-block.</summary>
    public RowMask Make(Worker worker, SubBlock part, MixGroup group, int expert)
    {
        var buffers = _buffers.GetOrAdd(worker, w => new Buffers(_plan, _needs, w.Elements));
        var window = buffers.Windows[(group.Index * _plan.Experts.Count) + expert];
        var length = LengthOf(part.Tensor, _needs.Axis);
        window.MoveTo(part, length);
        var end = Math.Min(part.Tensor.ElementCount, (part.Start + part.Length + length - 1) / length * length);
        while (window.End < end)
        {
            // Rows inside the sub-block are there already; only those that reach beyond it are read.
            var inside = window.End < part.Start ? 0 : (part.Start + part.Length - window.End) / length;
            var rows = Math.Min(ReadAtOnce / length, inside > 0 ? inside : (end - window.End) / length);
            var count = (int)(Math.Max(1, rows) * length);
            var row = buffers.Read(worker, part, group, expert, window.End, count);
            row.Length = (int)length;
            if (_needs.Draws)
                row.Draws = Draw(worker, row, window.End, count, buffers.Draws);
            for (var done = 0; done < count; done += row.Length)
            {
                Decide(row);
                window.Append(row);
                row.Deltas += length;
                row.Draws += _needs.Draws ? length : 0;
            }
        }

        return window.At(part.Start);
    }

    /// <summary>Decides about a row.</summary>
    protected abstract void Decide(Row row);

    /// <summary>Draws a number for each of so many elements of a row's tensor and expert; returns where the first is.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="row">Says for which group, tensor and expert.</param>
    /// <param name="start">The flat index of the first element.</param>
    /// <param name="count">The number of elements.</param>
    /// <param name="buffer">Room for them, and more than 64 besides.</param>
    protected virtual uint* Draw(Worker worker, Row row, long start, int count, uint* buffer) => buffer;

    /// <summary>The bytes that a worker takes for the rows of a part of a plan.</summary>
    protected static long WorkerBytes(MergePlan plan, MergePart part, RowNeeds needs, int elements, int elementBytes)
    {
        var longest = Longest(plan.Tensors.Where(t => t.Part == part.Index), needs.Axis);
        var chunk = Math.Max(longest, ReadAtOnce);
        return RowOrder.Bytes(longest) + (longest / 8) + (chunk * ((2 * elementBytes) + sizeof(float) + (needs.Draws ? sizeof(uint) : 0)))
            + (needs.Divisors ? longest * sizeof(float) : 0)
            + (needs.Groups * part.Experts.Count * Words(elements, longest) * (sizeof(ulong) + (needs.Divisors ? 64L * sizeof(float) : 0)));
    }

    private static long Longest(IEnumerable<TensorPlan> tensors, RowAxis axis) =>
        tensors.Where(t => t.Action == TensorAction.Merge).Select(t => LengthOf(t, axis)).Append(1).Max();

    /// <summary>Words of a window: a sub-block and the rest of its first and last rows.</summary>
    private static long Words(long elements, long longest) => ((elements + (2 * longest)) / 64) + 2;

    private static T* Pin<T>(T[] array)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));

    private static T[] Allocate<T>(long length)
        where T : unmanaged => GC.AllocateUninitializedArray<T>(checked((int)length), pinned: true);

    /// <summary>What a method needs of rows.</summary>
    /// <param name="Groups">The number of groups.</param>
    /// <param name="Axis">Along which dimension rows run.</param>
    /// <param name="Draws">Whether numbers are drawn.</param>
    /// <param name="Divisors">Whether each element has a divisor.</param>
    internal readonly record struct RowNeeds(int Groups, RowAxis Axis, bool Draws, bool Divisors);

    /// <summary>The masks of neighbouring rows, as one run of bits.</summary>
    private sealed class Window(long words, bool divides)
    {
        private readonly ulong[] _words = Allocate<ulong>(words);
        private readonly float[] _divisors = divides ? Allocate<float>(words * 64) : [];
        private int _tensor = -1;
        private long _start;

        /// <summary>The flat index behind the last row.</summary>
        public long End { get; private set; }

        /// <summary>What is known from an element on, a multiple of 64.</summary>
        public RowMask At(long element) =>
            new(Pin(_words) + ((element - _start) >> 6), _divisors.Length == 0 ? null : Pin(_divisors) + (element - _start));

        /// <summary>Forgets what lies before a sub-block; keeps the rows that begin there or later, or reach into it.</summary>
        public void MoveTo(SubBlock part, long length)
        {
            if (_tensor != part.Tensor.Index || part.Start < _start || part.Start > End)
            {
                (_tensor, End) = (part.Tensor.Index, part.Start / length * length);
                _start = End & ~63L;
                Array.Clear(_words);
                return;
            }

            var kept = (int)((End - part.Start + 63) >> 6);
            _words.AsSpan((int)((part.Start - _start) >> 6), kept).CopyTo(_words);
            _words.AsSpan(kept).Clear();
            if (_divisors.Length > 0)
                _divisors.AsSpan((int)(part.Start - _start), (int)(End - part.Start)).CopyTo(_divisors);
            _start = part.Start;
        }

        /// <summary>Adds what was decided about a row behind the others.</summary>
        public void Append(Row row)
        {
            var at = End - _start;
            fixed (ulong* target = &_words[at >> 6])
            {
                var shift = (int)(at & 63);
                for (var word = 0; word << 6 < row.Length; word++)
                {
                    target[word] |= row.Bits[word] << shift;
                    if (shift != 0)
                        target[word + 1] |= row.Bits[word] >> (64 - shift);
                }
            }

            if (_divisors.Length > 0)
                new ReadOnlySpan<float>(row.Divisors, row.Length).CopyTo(_divisors.AsSpan((int)at));
            End += row.Length;
        }
    }

    /// <summary>What one worker holds.</summary>
    private sealed class Buffers
    {
        private readonly byte[] _base;
        private readonly byte[] _expert;
        private readonly float[] _deltas;
        private readonly uint[] _draws;
        private readonly ulong[] _bits;
        private readonly float[] _divisors;
        private readonly RowOrder _order;
        private Row? _row;

        public Buffers(MergePlan plan, RowNeeds needs, int elements)
        {
            var longest = Longest(plan.Tensors, needs.Axis);
            var elementBytes = plan.Merged.SelectMany(t => t.Sources).Select(s => s.Type.BytesPerElement).DefaultIfEmpty(1).Max();
            var chunk = Math.Max(longest, ReadAtOnce);
            _base = Allocate<byte>(chunk * elementBytes);
            _expert = Allocate<byte>(chunk * elementBytes);
            _deltas = Allocate<float>(chunk);
            _draws = needs.Draws ? Allocate<uint>(chunk + DrawSlack) : [];
            _bits = Allocate<ulong>((longest + 63) / 64);
            _divisors = needs.Divisors ? Allocate<float>(longest) : [];
            _order = new RowOrder(checked((int)longest));
            Windows = [.. Enumerable.Range(0, needs.Groups * plan.Experts.Count).Select(_ => new Window(Words(elements, longest), needs.Divisors))];
        }

        /// <summary>A window for each group and expert.</summary>
        public Window[] Windows { get; }

        /// <summary>Room for draws.</summary>
        public uint* Draws => Pin(_draws);

        /// <summary>Reads neighbouring rows; returns the first.</summary>
        public Row Read(Worker worker, SubBlock part, MixGroup group, int expert, long start, int count)
        {
            Deltas.Compute(
                Source(worker, part, 0, part.Tensor.Base!, start, count, _base),
                new ExpertBlock(Source(worker, part, expert + 1, part.Tensor.Experts[expert], start, count, _expert)),
                start, count, Pin(_deltas));
            var row = _row ??= new Row(_order, group, part.Tensor);
            (row.Group, row.Tensor, row.Expert) = (group, part.Tensor, expert);
            row.Deltas = Pin(_deltas);
            row.Bits = Pin(_bits);
            row.Divisors = _divisors.Length == 0 ? null : Pin(_divisors);
            return row;
        }

        /// <summary>Elements of a source: of the sub-block, which the worker has read, or from the file.</summary>
        private static RawBlock Source(Worker worker, SubBlock part, int source, CheckpointTensor tensor, long start, int count, byte[] buffer)
        {
            if (start >= part.Start && start + count <= part.Start + part.Length)
                return worker.Blocks[source].From((nint)(start - part.Start));
            var format = Worker.FormatOf(tensor.Type);
            worker.Read(tensor, source, start * format.Size(), buffer.AsSpan(0, count * format.Size()));
            return new RawBlock(Pin(buffer), format);
        }
    }
}
