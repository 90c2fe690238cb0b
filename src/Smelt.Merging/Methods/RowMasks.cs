using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>A row of an expert's task vector, and where its mask goes.</summary>
internal sealed unsafe class Row
{
    /// <summary>The group.</summary>
    public required MixGroup Group { get; set; }

    /// <summary>The tensor.</summary>
    public required TensorPlan Tensor { get; set; }

    /// <summary>The expert.</summary>
    public int Expert { get; set; }

    /// <summary>The flat index of the row's first element.</summary>
    public long Start { get; set; }

    /// <summary>The number of elements.</summary>
    public int Length { get; set; }

    /// <summary>The deltas.</summary>
    public float* Deltas { get; set; }

    /// <summary>Where the mask goes: one bit for each element, the first in bit 0.</summary>
    public ulong* Bits { get; set; }

    /// <summary>Orders magnitudes.</summary>
    public required RowOrder Order { get; init; }
}

/// <summary>
/// Masks that go by the order of magnitudes inside each row, along the last dimension. Each worker holds the rows that its
/// sub-block touches, whole, for the first and the last of them reach beyond it.
/// </summary>
/// <param name="plan">The plan.</param>
/// <param name="groups">The number of groups.</param>
/// <param name="decide">Writes the mask of a row.</param>
internal sealed unsafe class RowMasks(MergePlan plan, int groups, Action<Row> decide)
{
    /// <summary>Elements of short rows that are read in one go.</summary>
    private const int ReadAtOnce = 8192;

    private readonly ConcurrentDictionary<Worker, Buffers> _buffers = new();

    /// <summary>The length of a tensor's rows; a tensor of fewer than two dimensions is one.</summary>
    public static long LengthOf(TensorPlan tensor) => tensor.Shape.Count < 2 ? tensor.ElementCount : tensor.Shape[^1];

    /// <summary>The bytes that a worker takes for the rows of a part of a plan; 0 for methods without rows.</summary>
    public static long WorkerBytes(MergePlan plan, MergePart part, int elements, int elementBytes)
    {
        if (part.Points[0].Recipe is not IOutlierTrim { Trim: TrimScope.Row })
            return 0;
        var longest = Longest(plan.Tensors.Where(t => t.Part == part.Index));
        var windows = (long)MethodProgram.CountGroups(part.Points) * part.Experts.Count * Words(elements, longest) * sizeof(ulong);
        return RowOrder.Bytes(longest) + windows + (Math.Max(longest, ReadAtOnce) * ((2 * elementBytes) + sizeof(float))) + (longest / 8);
    }

    /// <summary>The mask of an expert for a sub-block; it is there until the same is asked for another sub-block.</summary>
    public ulong* Make(Worker worker, SubBlock part, MixGroup group, int expert)
    {
        var buffers = _buffers.GetOrAdd(worker, w => new Buffers(plan, groups, w.Elements));
        var window = buffers.Windows[(group.Index * plan.Experts.Count) + expert];
        var length = LengthOf(part.Tensor);
        window.MoveTo(part, length);
        var end = Math.Min(part.Tensor.ElementCount, (part.Start + part.Length + length - 1) / length * length);
        while (window.End < end)
        {
            var rows = Math.Clamp(ReadAtOnce / length, 1, (end - window.End) / length);
            var deltas = buffers.Read(worker, part.Tensor, expert, window.End, (int)(rows * length));
            for (var i = 0; i < rows; i++, deltas += length)
            {
                var row = buffers.Row(group, part.Tensor, expert, window.End, (int)length, deltas);
                decide(row);
                window.Append(row.Bits, (int)length);
            }
        }

        return window.At(part.Start);
    }

    private static long Longest(IEnumerable<TensorPlan> tensors) =>
        tensors.Where(t => t.Action == TensorAction.Merge).Select(LengthOf).DefaultIfEmpty(1).Max();

    /// <summary>Words of a window: a sub-block and the rest of its first and last rows.</summary>
    private static long Words(long elements, long longest) => ((elements + (2 * longest)) / 64) + 2;

    private static T* Pin<T>(T[] array)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));

    private static T[] Allocate<T>(long length)
        where T : unmanaged => GC.AllocateUninitializedArray<T>(checked((int)length), pinned: true);

    /// <summary>The masks of neighbouring rows, as one run of bits.</summary>
    private sealed class Window(long words)
    {
        private readonly ulong[] _words = Allocate<ulong>(words);
        private int _tensor = -1;
        private long _start;

        /// <summary>The flat index behind the last row.</summary>
        public long End { get; private set; }

        /// <summary>The mask from an element on, a multiple of 64 from the first.</summary>
        public ulong* At(long element) => Pin(_words) + ((element - _start) >> 6);

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
            _start = part.Start;
        }

        /// <summary>Adds the bits of a row behind the others.</summary>
        public void Append(ulong* bits, int count)
        {
            var at = End - _start;
            fixed (ulong* target = &_words[at >> 6])
            {
                var shift = (int)(at & 63);
                for (var word = 0; word << 6 < count; word++)
                {
                    target[word] |= bits[word] << shift;
                    if (shift != 0)
                        target[word + 1] |= bits[word] >> (64 - shift);
                }
            }

            End += count;
        }
    }

    /// <summary>What one worker holds.</summary>
    private sealed class Buffers
    {
        private readonly byte[] _base;
        private readonly byte[] _expert;
        private readonly float[] _deltas;
        private readonly ulong[] _bits;
        private readonly RowOrder _order;
        private Row? _row;

        public Buffers(MergePlan plan, int groups, int elements)
        {
            var longest = Longest(plan.Tensors);
            var elementBytes = plan.Merged.SelectMany(TensorHashes.Sources).Select(s => s.Type.BytesPerElement).DefaultIfEmpty(1).Max();
            var chunk = Math.Max(longest, ReadAtOnce);
            _base = Allocate<byte>(chunk * elementBytes);
            _expert = Allocate<byte>(chunk * elementBytes);
            _deltas = Allocate<float>(chunk);
            _bits = Allocate<ulong>((longest + 63) / 64);
            _order = new RowOrder((int)longest);
            Windows = [.. Enumerable.Range(0, groups * plan.Experts.Count).Select(_ => new Window(Words(elements, longest)))];
        }

        /// <summary>A window for each group and expert.</summary>
        public Window[] Windows { get; }

        /// <summary>Reads neighbouring rows; returns their deltas.</summary>
        public float* Read(Worker worker, TensorPlan tensor, int expert, long start, int count)
        {
            var (origin, values) = (Worker.FormatOf(tensor.Base!.Type), Worker.FormatOf(tensor.Experts[expert].Type));
            worker.Read(tensor.Base, 0, start * origin.Size(), _base.AsSpan(0, count * origin.Size()));
            worker.Read(tensor.Experts[expert], expert + 1, start * values.Size(), _expert.AsSpan(0, count * values.Size()));
            Deltas.Compute(new RawBlock(Pin(_base), origin), new ExpertBlock(new RawBlock(Pin(_expert), values)), start, count, Pin(_deltas));
            return Pin(_deltas);
        }

        /// <summary>A row.</summary>
        public Row Row(MixGroup group, TensorPlan tensor, int expert, long start, int length, float* deltas)
        {
            var row = _row ??= new Row { Group = group, Tensor = tensor, Order = _order };
            (row.Group, row.Tensor, row.Expert, row.Start, row.Length) = (group, tensor, expert, start, length);
            row.Deltas = deltas;
            row.Bits = Pin(_bits);
            return row;
        }
    }
}
