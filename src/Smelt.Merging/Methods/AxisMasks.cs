using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Graded masks of tensors whose ranked rows run along a dimension in the middle, as mergekit's do in stacks of experts:
/// their elements lie apart, so whole tensors' masks are made in a pass of their own, a strip of neighbouring rows at a time,
/// and held until the tensor is merged.
/// </summary>
internal sealed unsafe class AxisMasks
{
    /// <summary>Rows of a strip: the bits of neighbouring elements then lie in two words.</summary>
    private const int MostRows = 64;

    /// <summary>Elements of a strip, unless one row has more.</summary>
    private const long MostElements = 1 << 20;

    /// <summary>Room behind draws.</summary>
    private const int DrawSlack = 128;

    private readonly MergePlan _plan;
    private readonly IReadOnlyList<MixGroup> _groups;
    private readonly RandomMasks _random;
    private readonly bool _second;
    private readonly Dictionary<(int Tensor, int Group, int Expert), ulong[]> _masks = [];
    private readonly ConcurrentDictionary<Worker, Buffers> _buffers = new();

    public AxisMasks(MergePlan plan, IReadOnlyList<MixGroup> groups, RandomMasks random)
    {
        (_plan, _groups, _random) = (plan, groups, random);
        _second = ((IGradedDrop)groups[0].Recipe).Rows == RowAxis.Second;
        Any = plan.Merged.Any(Has);
    }

    /// <summary>Whether a plan has such tensors.</summary>
    public bool Any { get; }

    /// <summary>The bytes that a worker takes for a part of a plan.</summary>
    public static long WorkerBytes(MergePlan plan, MergePart part) => Buffers.Bytes(Tensors(plan, part));

    /// <summary>The bytes of masks that are held at a time for a part of a plan: those of tensors merged together.</summary>
    public static long SharedBytes(MergePlan plan, MergePart part, int threads)
    {
        var largest = 0L;
        foreach (var tensor in Tensors(plan, part))
            largest = Math.Max(largest, tensor.ElementCount);
        return largest == 0 ? 0 : (largest + (MergeExecutor.BlocksOfWave(threads) * BlockMap.Elements)) / 8 * part.Experts.Count * MethodProgram.CountGroups(part.Points);
    }

    /// <summary>Whether a tensor's rows lie apart.</summary>
    public bool Has(TensorPlan tensor) => _second && RowMasks.LengthOf(tensor, RowAxis.Second) == 0 && tensor.ElementCount > 0;

    /// <summary>The mask of an expert for a sub-block.</summary>
    public ulong* Of(SubBlock part, MixGroup group, int expert) => Pin(_masks[(part.Tensor.Index, group.Index, expert)]) + (part.Start >> 6);

    /// <summary>Makes the masks of the tensors from <paramref name="first"/> up to <paramref name="end"/>, and forgets those of others.</summary>
    public void Prepare(PassContext context, int first, int end)
    {
        _masks.Clear();
        if (!Any || _random.AreGiven)
            return;
        context.Progress.Phase = "ranking";
        var strips = new List<Strip>();
        foreach (var tensor in _plan.MergedIn(first, end).Where(Has))
        {
            for (var expert = 0; expert < _plan.Experts.Count; expert++)
            {
                foreach (var group in _groups.Where(g => IsRanked(g, tensor, expert)))
                    _masks.Add((tensor.Index, group.Index, expert), GC.AllocateArray<ulong>(checked((int)((tensor.ElementCount + 63) / 64)), pinned: true));
                strips.AddRange(Strips(tensor, expert));
            }
        }

        context.Pool.Run(0, strips.Count, (worker, i) => Make(context.Workers[worker], strips[(int)i]));
    }

    private static IEnumerable<TensorPlan> Tensors(MergePlan plan, MergePart part) =>
        part.Points[0].Recipe is IGradedDrop { Rows: RowAxis.Second }
            ? plan.Tensors.Where(t => t.Part == part.Index && t.Action == TensorAction.Merge && t.ElementCount > 0 && RowMasks.LengthOf(t, RowAxis.Second) == 0)
            : [];

    /// <summary>Elements from one of a row to the next.</summary>
    private static long Stride(TensorPlan tensor) => tensor.Shape.Skip(2).Aggregate(1L, (a, b) => a * b);

    /// <summary>Rows of a strip.</summary>
    private static int Width(TensorPlan tensor) => (int)Math.Min(Stride(tensor), Math.Clamp(MostElements / tensor.Shape[1], 1, MostRows));

    /// <summary>Whether there is something to decide: neither all nor nothing is kept.</summary>
    private static bool IsRanked(MixGroup group, TensorPlan tensor, int expert) => tensor.Settings[group.First].Densities[expert] is > 0 and < 1;

    private static IEnumerable<Strip> Strips(TensorPlan tensor, int expert)
    {
        var (stride, width) = (Stride(tensor), Width(tensor));
        for (var slab = 0L; slab < tensor.Shape[0]; slab++)
        {
            for (var column = 0L; column < stride; column += width)
                yield return new Strip(tensor, expert, (slab * tensor.Shape[1] * stride) + column, (int)Math.Min(width, stride - column), stride);
        }
    }

    private static T* Pin<T>(T[] array)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));

    private void Make(Worker worker, Strip strip)
    {
        var buffers = _buffers.GetOrAdd(worker, _ => new Buffers(_plan.Merged.Where(Has)));
        var (tensor, expert) = (strip.Tensor, strip.Expert);
        var length = (int)tensor.Shape[1];
        for (var r = 0; r < length; r++)
            buffers.Read(worker, strip, r);
        foreach (var group in _groups.Where(g => IsRanked(g, tensor, expert)))
        {
            for (var r = 0; r < length; r++)
                new ReadOnlySpan<uint>(_random.Draw(worker, tensor, group, expert, strip.At(r), strip.Width, buffers.Line), strip.Width).CopyTo(buffers.DrawsOf(strip, r));
            var settings = tensor.Settings[group.First];
            buffers.Decide(strip, length, settings.Densities[expert], settings.Epsilons[expert]);
            var words = _masks[(tensor.Index, group.Index, expert)];
            for (var r = 0; r < length; r++)
                Add(words, strip.At(r), buffers.Kept[r]);
        }
    }

    /// <summary>Adds bits from a place on; strips beside this one add to the same words.</summary>
    private static void Add(ulong[] words, long at, ulong bits)
    {
        var (word, shift) = (at >> 6, (int)(at & 63));
        Interlocked.Or(ref words[word], bits << shift);
        if (shift != 0 && bits >> (64 - shift) is not 0 and var rest)
            Interlocked.Or(ref words[word + 1], rest);
    }

    /// <summary>Some neighbouring rows of an expert's tensor.</summary>
    /// <param name="Tensor">The tensor.</param>
    /// <param name="Expert">The expert.</param>
    /// <param name="Start">The flat index of the first element of the first row.</param>
    /// <param name="Width">The number of rows.</param>
    /// <param name="Stride">Elements from one of a row to the next.</param>
    private sealed record Strip(TensorPlan Tensor, int Expert, long Start, int Width, long Stride)
    {
        /// <summary>The flat index of an element of the first row.</summary>
        public long At(int element) => Start + (element * Stride);
    }

    /// <summary>What one worker holds: the elements of a strip, those of all its rows at one place side by side.</summary>
    private sealed class Buffers
    {
        private readonly byte[] _base;
        private readonly byte[] _expert;
        private readonly float[] _deltas;
        private readonly uint[] _draws;
        private readonly float[] _row;
        private readonly uint[] _rowDraws;
        private readonly ulong[] _rowBits;
        private readonly uint[] _line = Allocate<uint>(MostRows + DrawSlack);
        private readonly RowOrder _order;
        private readonly KeepTable _table;

        public Buffers(IEnumerable<TensorPlan> tensors)
        {
            var longest = tensors.Max(t => t.Shape[1]);
            var elements = tensors.Max(t => t.Shape[1] * Width(t));
            _base = Allocate<byte>(MostRows * sizeof(double));
            _expert = Allocate<byte>(MostRows * sizeof(double));
            _deltas = Allocate<float>(elements);
            _draws = Allocate<uint>(elements);
            _row = Allocate<float>(longest);
            _rowDraws = Allocate<uint>(longest);
            _rowBits = Allocate<ulong>((longest + 63) / 64);
            Kept = new ulong[longest];
            _order = new RowOrder(checked((int)longest));
            _table = new KeepTable((int)longest);
        }

        /// <summary>For each place the bits of the rows that keep their element there.</summary>
        public ulong[] Kept { get; }

        /// <summary>Room for the draws of one place.</summary>
        public uint* Line => Pin(_line);

        /// <summary>The bytes of the buffers for some tensors.</summary>
        public static long Bytes(IEnumerable<TensorPlan> tensors)
        {
            var (longest, elements) = (0L, 0L);
            foreach (var tensor in tensors)
                (longest, elements) = (Math.Max(longest, tensor.Shape[1]), Math.Max(elements, tensor.Shape[1] * Width(tensor)));
            return longest == 0 ? 0 : (8 * elements) + (17 * longest) + 4096 + RowOrder.Bytes(longest) + KeepTable.Bytes(longest);
        }

        /// <summary>The draws of one place.</summary>
        public Span<uint> DrawsOf(Strip strip, int place) => _draws.AsSpan(place * strip.Width, strip.Width);

        /// <summary>Reads the deltas of one place.</summary>
        public void Read(Worker worker, Strip strip, int place)
        {
            var (origin, values) = (strip.Tensor.Base!, strip.Tensor.Experts[strip.Expert]);
            Deltas.Compute(
                new RawBlock(Read(worker, origin, 0, strip, place, _base), Worker.FormatOf(origin.Type)),
                new ExpertBlock(new RawBlock(Read(worker, values, strip.Expert + 1, strip, place, _expert), Worker.FormatOf(values.Type))),
                strip.At(place), strip.Width, Pin(_deltas) + (place * strip.Width));
        }

        /// <summary>Decides about all rows.</summary>
        public void Decide(Strip strip, int length, double density, double epsilon)
        {
            _table.Set(length, density, epsilon);
            Array.Clear(Kept, 0, length);
            for (var row = 0; row < strip.Width; row++)
            {
                for (var place = 0; place < length; place++)
                {
                    _row[place] = _deltas[(place * strip.Width) + row];
                    _rowDraws[place] = _draws[(place * strip.Width) + row];
                }

                _order.Load(Pin(_row), length);
                _table.Write(_order, Pin(_rowDraws), length, Pin(_rowBits), null);
                for (var place = 0; place < length; place++)
                    Kept[place] |= (_rowBits[place >> 6] >> (place & 63) & 1) << row;
            }
        }

        private static T[] Allocate<T>(long length)
            where T : unmanaged => GC.AllocateUninitializedArray<T>(checked((int)length), pinned: true);

        private static byte* Read(Worker worker, CheckpointTensor tensor, int source, Strip strip, int place, byte[] buffer)
        {
            var size = Worker.FormatOf(tensor.Type).Size();
            worker.Read(tensor, source, strip.At(place) * size, buffer.AsSpan(0, strip.Width * size));
            return Pin(buffer);
        }
    }
}
