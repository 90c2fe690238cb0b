using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>The TIES family: sparse task vectors, an election of signs, a combination of those that agree.</summary>
/// <remarks>
/// A chunk of every expert's deltas is made first, then voted on, then combined, all in the first-level cache.
/// Experts are added in the order given; the base and the experts may each have their own format.
/// </remarks>
internal static unsafe class Sparse
{
    /// <summary>mix[e] = the combination of the experts' deltas at e, for e in [0, <paramref name="n"/>).</summary>
    /// <param name="base">The base's elements.</param>
    /// <param name="experts">The experts, <paramref name="count"/> of them, 1 to <see cref="Mix.MaxInputs"/>.</param>
    /// <param name="count">Number of experts.</param>
    /// <param name="election">How signs are elected and agreeing values combined.</param>
    /// <param name="flatStart">Flat index, in the tensor, of the sub-block's first element: what a <see cref="Cut"/> compares with.</param>
    /// <param name="n">Elements of this sub-block.</param>
    /// <param name="mix">Where the result goes; NaNs are canonical. A NaN among the kept deltas of an element makes its mix NaN.</param>
    /// <param name="counts">Where the outcome of the elections is added, as by <see cref="CountVotes"/>; null does not count.</param>
    /// <param name="given">The votes of the sub-block's elements where they are <see cref="Vote.Given"/>; else null.</param>
    /// <param name="contested">Where contested elements are added; null adds none.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(
        RawBlock @base, ExpertBlock* experts, int count, in Election election, long flatStart, nint n, float* mix, ElectionCounts* counts = null, float* given = null, ContestedList* contested = null)
    {
        var buffer = stackalloc float[((count + 2) * Simd.Stride) + 16];
        var rows = Align(buffer);
        var weights = stackalloc float[count];
        var norms = stackalloc float[count];
        for (var i = 0; i < count; i++)
            (weights[i], norms[i]) = (experts[i].Weight, experts[i].Norm);

        var widened = rows + (count * Simd.Stride);
        var votes = widened + Simd.Stride;
        var fits = FusedSparse.Fits(@base, experts, count, election);
        nint length;
        for (nint e = 0; e < n; e += length)
        {
            length = Math.Min(n - e, Simd.Chunk);
            if (fits)
            {
                var end = FusedSparse.EndOfSpan(experts, count, flatStart, e, n);
                var span = (end - e) & -(nint)FusedSparse.Group;
                if (span > 0)
                {
                    FusedSparse.Run(@base, experts, count, election, flatStart, e, e + span, mix, counts, null, contested);
                    length = span;
                    continue;
                }

                length = Math.Min(n - e, FusedSparse.Group);
            }

            Fill(@base, experts, count, election.Weighted, flatStart, e, length, rows, widened);
            if (election.Vote != Vote.None)
            {
                Ballot.Elect(rows, count, election.Vote, norms, given + e, length, votes);
                if (counts is not null)
                    *counts += Ballot.Count(rows, count, votes, length);
            }

            Combination.Resolve(rows, weights, count, votes, election, length, mix + e);
            if (contested is not null && election.Vote != Vote.None)
                AddContested(@base, experts, rows, weights, count, votes, election, flatStart, e, length, mix, contested);
        }
    }

    /// <summary>Adds the elements of a chunk whose vote is zero and whose mix depends on what zero votes elect.</summary>
    private static void AddContested(
        RawBlock @base, ExpertBlock* experts, float* rows, float* weights, int count, float* votes, in Election election, long flatStart, nint e, nint length, float* mix, ContestedList* contested)
    {
        if (new ReadOnlySpan<float>(votes, (int)length).IndexOf(0) < 0)
            return;

        // A combination may leave its rows sorted or weighted.
        Fill(@base, experts, count, election.Weighted, flatStart, e, length, rows, rows + (count * Simd.Stride));
        var others = stackalloc float[Simd.Chunk];
        var other = election with { ZeroVote = election.ZeroVote == ZeroVote.Positive ? ZeroVote.Negative : ZeroVote.Positive };
        Combination.Resolve(rows, weights, count, votes, other, length, others);
        for (nint i = 0; i < length; i++)
        {
            if (votes[i] == 0 && BitConverter.SingleToInt32Bits(others[i]) != BitConverter.SingleToInt32Bits(mix[e + i]))
                contested->Add(e + i, others[i]);
        }
    }

    /// <summary>Counts how the elections of a sub-block come out, for the whole model's majority sign; the parameters are those of <see cref="Run"/>.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static ElectionCounts CountVotes(RawBlock @base, ExpertBlock* experts, int count, in Election election, long flatStart, nint n, float* given = null)
    {
        var buffer = stackalloc float[((count + 2) * Simd.Stride) + 16];
        var rows = Align(buffer);
        var norms = stackalloc float[count];
        for (var i = 0; i < count; i++)
            norms[i] = experts[i].Norm;

        var widened = rows + (count * Simd.Stride);
        var votes = widened + Simd.Stride;
        var counts = default(ElectionCounts);
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            Fill(@base, experts, count, election.Weighted, flatStart, e, length, rows, widened);
            Ballot.Elect(rows, count, election.Vote, norms, given + e, length, votes);
            counts += Ballot.Count(rows, count, votes, length);
        }

        return counts;
    }

    /// <summary>
    /// Makes rows of what agrees among the experts' deltas, 0 for what does not, for at most <see cref="Simd.Chunk"/>
    /// elements of a sub-block from <paramref name="e"/> on; the other parameters are those of <see cref="Run"/>.
    /// </summary>
    /// <param name="base">The base's elements.</param>
    /// <param name="experts">The experts.</param>
    /// <param name="count">Number of experts.</param>
    /// <param name="election">How signs are elected.</param>
    /// <param name="flatStart">Flat index of the sub-block's first element.</param>
    /// <param name="e">The first element, in the sub-block.</param>
    /// <param name="length">Number of elements.</param>
    /// <param name="rows">Room for <paramref name="count"/> + 1 rows, <see cref="Simd.Stride"/> floats apart.</param>
    /// <param name="counts">Where the outcome of the elections is added; null does not count.</param>
    /// <param name="given">Given votes of the sub-block, or null.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Agreeing(
        RawBlock @base, ExpertBlock* experts, int count, in Election election, long flatStart, nint e, nint length, float* rows, ElectionCounts* counts, float* given)
    {
        var votes = stackalloc float[Simd.Chunk];
        var norms = stackalloc float[count];
        for (var i = 0; i < count; i++)
            norms[i] = experts[i].Norm;

        Fill(@base, experts, count, election.Weighted, flatStart, e, length, rows, rows + (count * Simd.Stride));
        if (election.Vote == Vote.None)
            return;
        Ballot.Elect(rows, count, election.Vote, norms, given + e, length, votes);
        if (counts is not null)
            *counts += Ballot.Count(rows, count, votes, length);
        Combination.KeepAgreeing(rows, count, votes, election.ZeroVote, length);
    }

    /// <summary>Makes rows of the experts' deltas, <see cref="Simd.Stride"/> floats apart, for the elements <paramref name="e"/> to <paramref name="e"/> + <paramref name="length"/> - 1 of a sub-block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Fill(
        RawBlock @base, ExpertBlock* experts, int count, bool weighted, long flatStart, nint e, nint length, float* rows, float* widened)
    {
        Widen.ToSingle(@base.From(e), length, widened);
        for (var i = 0; i < count; i++)
        {
            var scale = weighted ? experts[i].Weight : 1;
            Deltas.Compute(widened, experts[i], e, flatStart, length, scale, rows + (i * Simd.Stride));
        }
    }

    /// <summary>The first cache line inside <paramref name="buffer"/>.</summary>
    internal static float* Align(float* buffer) => (float*)(((nint)buffer + 63) & ~(nint)63);
}
