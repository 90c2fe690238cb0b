using System.Runtime.CompilerServices;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>A question: how many of the largest magnitudes of an expert's vector hold a share of the sum of its squares.</summary>
/// <param name="Key">Tells deltas apart that are made in different ways.</param>
/// <param name="Expert">The expert.</param>
/// <param name="Extent">The tensors of the vector.</param>
/// <param name="Group">A group whose pipeline makes the deltas.</param>
internal sealed record ShareQuestion(int Key, int Expert, TrimExtent Extent, MixGroup Group)
{
    /// <summary>For each share asked for the number of elements.</summary>
    public Dictionary<double, long> Ranks { get; } = [];
}

/// <summary>
/// Finds for shares p the smallest number of largest magnitudes whose squares sum to at least p of all. Two passes: squares
/// are summed by the upper half of the magnitude's pattern, exactly, in integers, so that no order shows; then the elements
/// of the one class in which a share is reached are counted by the lower half.
/// </summary>
internal sealed unsafe class ShareRanks(ITrimmed method)
{
    private const int HalfBits = 16;
    private const int Classes = 1 << 15;
    private const int FractionBits = 23;

    /// <summary>Answers questions.</summary>
    public void Find(PassContext context, IReadOnlyList<ShareQuestion> questions)
    {
        if (questions.Count == 0)
            return;
        context.Progress.Phase = "finding shares";
        var own = questions.Where(q => !q.Extent.IsModel).ToArray();
        context.Pool.Run(0, own.Length, (worker, i) => Answer(own[i], counts =>
        {
            var tensor = own[i].Extent.Tensors[0];
            for (var start = 0L; start < tensor.ElementCount; start += BlockMap.Elements)
                Count(context, context.Workers[worker], own[i], new Block(-1, tensor, start, (int)Math.Min(BlockMap.Elements, tensor.ElementCount - start)), counts);
        }));
        foreach (var question in questions.Where(q => q.Extent.IsModel))
        {
            Answer(question, counts =>
            {
                var (first, end) = question.Extent.Range;
                var parts = context.Workers.Select(_ => counts.Empty()).ToArray();
                context.Pool.Run(context.Blocks.FirstOf(first), context.Blocks.FirstOf(end), (worker, index) =>
                {
                    var block = context.Blocks[index];
                    if (block.Tensor.Action == TensorAction.Merge)
                        Count(context, context.Workers[worker], question, block, parts[worker]);
                });
                foreach (var part in parts)
                    counts.Add(part);
            });
        }
    }

    private static void Answer(ShareQuestion question, Action<Tally> countAll)
    {
        var classes = new Tally(-1);
        countAll(classes);
        var total = 0.0;
        for (var c = Classes - 1; c >= 0; c--)
            total += classes.SquaresOf(c);
        foreach (var share in question.Ranks.Keys.ToArray())
            question.Ranks[share] = RankOf(share * total, classes, countAll);
    }

    /// <summary>The number of largest magnitudes whose squares reach a sum.</summary>
    private static long RankOf(double wanted, Tally classes, Action<Tally> countAll)
    {
        var (sum, above) = (0.0, 0L);
        var c = Classes - 1;
        for (; c > 0 && sum + classes.SquaresOf(c) < wanted; c--)
            (sum, above) = (sum + classes.SquaresOf(c), above + classes.Counts[c]);

        var members = new Tally(c);
        countAll(members);
        for (var low = members.Counts.Length - 1; low >= 0; low--)
        {
            var count = members.Counts[low];
            var square = Square((uint)((c << HalfBits) | low));
            if (count > 0 && square > 0 && sum + (square * count) >= wanted)
                return above + Math.Clamp((long)Math.Ceiling((wanted - sum) / square), 1, count);
            (sum, above) = (sum + (square * count), above + count);
        }

        return Math.Max(1, above);
    }

    /// <summary>The square of a magnitude by its pattern; infinity and NaN count as numbers of their exponent.</summary>
    private static double Square(uint bits) => Scale(bits >> FractionBits) * Significand(bits) * Significand(bits);

    private static ulong Significand(uint bits) => (bits & ((1u << FractionBits) - 1)) | (bits >> FractionBits == 0 ? 0 : 1u << FractionBits);

    /// <summary>The square of the unit of a significand.</summary>
    private static double Scale(uint exponent) => Math.ScaleB(1, 2 * (Math.Max((int)exponent, 1) - 127 - FractionBits));

    private void Count(PassContext context, Worker worker, ShareQuestion question, Block block, Tally tally)
    {
        for (var offset = 0; offset < block.Length; offset += worker.Elements)
        {
            var part = new SubBlock(block.Tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
            context.Progress.Add(worker.ReadExpert(part, question.Expert));
            Deltas.Compute(worker.Blocks[0], method.Untrimmed(worker, part, question.Group, question.Expert), part.Start, part.Length, worker.Mix);
            MagnitudeBits.Of(worker.Mix, part.Length, (uint*)worker.Mix);
            tally.Add((uint*)worker.Mix, part.Length);
        }
    }

    /// <summary>Magnitudes counted by their upper half, with their squares, or those of one class by their lower half.</summary>
    private sealed class Tally(int members)
    {
        public long[] Counts { get; } = new long[members < 0 ? Classes : 1 << HalfBits];

        private readonly UInt128[] _squares = new UInt128[members < 0 ? Classes : 0];

        public Tally Empty() => new(members);

        public double SquaresOf(int c) => (double)_squares[c] * Scale((uint)c >> (FractionBits - HalfBits));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Add(uint* bits, int n)
        {
            for (var e = 0; e < n; e++)
            {
                var c = (int)(bits[e] >> HalfBits);
                if (members >= 0)
                {
                    if (c == members)
                        Counts[bits[e] & ((1 << HalfBits) - 1)]++;
                    continue;
                }

                Counts[c]++;
                var significand = Significand(bits[e]);
                _squares[c] += significand * significand;
            }
        }

        public void Add(Tally other)
        {
            for (var c = 0; c < Counts.Length; c++)
                Counts[c] += other.Counts[c];
            for (var c = 0; c < _squares.Length; c++)
                _squares[c] += other._squares[c];
        }
    }
}
