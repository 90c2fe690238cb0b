using System.Numerics;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// What <see cref="Sparse"/> does, in one loop, for what most merges need: experts stored as the base is, masks with one divisor or ratio each,
/// experts written back, a magnitude trim, votes by sums, sums or means of what agrees. The bits are those of the long way.
/// </summary>
/// <remarks>
/// Deltas of four vectors of all experts are made, kept in a few lines of the first-level cache, voted on and combined before the next four. The
/// long way makes a chunk of each expert's deltas in a call of its own, whose cost is a third of the work.
/// </remarks>
internal static unsafe partial class FusedSparse
{
    /// <summary>Elements of which a mask has one word, and vectors come in fours: spans start and end at multiples of it.</summary>
    internal const int Group = 64;

    private const int AtOnce = 4;

    /// <summary>Whether the loop can do a merge.</summary>
    internal static bool Fits(RawBlock @base, ExpertBlock* experts, int count, in Election election)
    {
        if (@base.Format == FloatFormat.F64 || election.SignsAll || election.SkipsZeros
            || election.Vote is not (Vote.Sum or Vote.None) || election.Combine is not (Combine.Sum or Combine.Mean)
            || (election.Vote == Vote.None && (election.Combine == Combine.Mean || !election.Weighted)))
            return false;
        var first = experts[0];
        for (var i = 0; i < count; i++)
        {
            ref var expert = ref experts[i];
            if (expert.Values.Format != @base.Format || expert.Origin != Origin.Delta || expert.Floor >= 0 || expert.Divisors is not null
                || expert.Drop != Cut.None || expert.HasBand || (expert.Keep != Cut.All && expert.Keep.Bits >= Canonical.NaN - 1)
                || expert.Mask is null != first.Mask is null || !ConstantDivision.Suits(expert.Divisor)
                || expert.WriteBack != first.WriteBack || (expert.Mask is null && (expert.Divisor != 1 || expert.WriteBack)) || (expert.Ratio != 1 && (expert.Divisor != 1 || expert.WriteBack || expert.Keep != Cut.All)))
                return false;
        }

        return true;
    }

    /// <summary>The end of the span from element <paramref name="e"/> in which every expert compares with one magnitude.</summary>
    internal static nint EndOfSpan(ExpertBlock* experts, int count, long flatStart, nint e, nint n)
    {
        var flat = flatStart + e;
        var end = flatStart + n;
        for (var i = 0; i < count; i++)
        {
            if (experts[i].Keep.LastEqual >= flat)
                end = Math.Min(end, experts[i].Keep.LastEqual == long.MaxValue ? end : experts[i].Keep.LastEqual + 1);
            if (experts[i].KeepFrom > flat)
                end = Math.Min(end, experts[i].KeepFrom);
        }

        return (nint)(end - flatStart);
    }

    /// <summary>Merges the elements from <paramref name="e"/> up to <paramref name="end"/>, both multiples of <see cref="Group"/>; the rest is as in <see cref="Sparse.Run"/>.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(
        RawBlock @base, ExpertBlock* experts, int count, in Election election, long flatStart, nint e, nint end, float* mix, ElectionCounts* counts, OpenMarks* marks = null, ContestedList* contested = null)
    {
        var pipelines = stackalloc Pipeline[count];
        bool masks = experts[0].Mask is not null, cuts = false, scales = false, late = false, weighted = false;
        for (var i = 0; i < count; i++)
        {
            ref var expert = ref experts[i];
            pipelines[i] = new Pipeline
            {
                Values = expert.Values.Data,
                Mask = expert.Mask,
                Keep = (flatStart + e >= expert.KeepFrom ? Cut.All : expert.Keep).Below(flatStart + e),
                Division = i > 0 && expert.Divisor == experts[i - 1].Divisor ? pipelines[i - 1].Division : new ConstantDivision(expert.Divisor),
                Ratio = expert.Ratio,
                Weight = expert.Weight,
                Scale = election.Weighted ? expert.Weight : 1,
            };
            if (marks is not null)
                (pipelines[i].Low, pipelines[i].Span, pipelines[i].Top) = (marks->Ranges[i].Low, marks->Ranges[i].Span, marks->Tops is null ? int.MaxValue : marks->Tops[i]);
            cuts |= expert.Keep != Cut.All;
            scales |= expert.Ratio != 1;
            late |= !election.Weighted && expert.Weight != 1;
            weighted |= pipelines[i].Scale != 1;
        }

        var rows = stackalloc float[(count * (Group + 32)) + 16];
        var kernel = new Kernel
        {
            Base = @base.Data,
            Pipelines = pipelines,
            Count = count,
            Masks = masks,
            Cuts = cuts || !masks,
            Scales = scales,
            WritesBack = experts[0].WriteBack,
            Late = late,
            Weighted = weighted,
            Election = election,
            Rows = Sparse.Align(rows),
            Start = e,
            End = end,
            Mix = mix,
            Counts = counts,
            Contested = contested,
            Marks = marks is null ? null : marks->Bits,
            Above = marks is null ? null : marks->Above,
            Over = marks is null || marks->Tops is null ? null : marks->Over,
        };
        var elements = stackalloc nint[Group];
        var waiting = new WaitingColumns { Elements = elements };
        if (contested is not null)
        {
            var columns = stackalloc float[(count * Group) + 16];
            waiting.Rows = Sparse.Align(columns);
            kernel.Waiting = &waiting;
        }

        Simd.Run(ref kernel, @base.Format);
    }

    /// <summary>Columns of contested elements: their deltas in rows as those of the loop, and where they are.</summary>
    private struct WaitingColumns
    {
        internal float* Rows;
        internal nint* Elements;
        internal int Count;
    }

    /// <summary>What the loop needs of an <see cref="ExpertBlock"/>.</summary>
    private struct Pipeline
    {
        internal void* Values;
        internal ulong* Mask;
        internal int Keep;
        internal ConstantDivision Division;
        internal float Ratio;
        internal float Weight;
        internal float Scale;
        internal int Low;
        internal int Span;
        internal int Top;
    }

    /// <summary>How elections come out; see <see cref="ElectionCounts"/>.</summary>
    private struct Tally
    {
        internal long Positive;
        internal long Negative;
        internal long Contested;

        /// <summary>Adds those of a vector; returns which are contested. Where a vote is zero and a value is not, there are values of both signs, and so some that agree.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal uint Add<TSimd>(TSimd vote, TSimd agreeing)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            Positive += uint.PopCount(TSimd.PackGreater(vote, zero));
            Negative += uint.PopCount(TSimd.PackGreater(zero, vote));
            var contested = TSimd.PackEqual(vote, zero) & TSimd.PackGreater(agreeing, zero);
            Contested += uint.PopCount(contested);
            return contested;
        }
    }
}
