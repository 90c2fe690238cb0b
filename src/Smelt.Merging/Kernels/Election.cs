namespace Smelt.Merging.Kernels;

/// <summary>What decides the sign of a merged parameter.</summary>
internal enum Vote
{
    /// <summary>No election: every delta agrees.</summary>
    None,

    /// <summary>The sign of the sum of the voting values.</summary>
    Sum,

    /// <summary>The sign that more voting values have; zeros abstain.</summary>
    Count,

    /// <summary>The sign of the value that is largest beside its own expert's <see cref="ExpertBlock.Norm"/>; the first on ties.</summary>
    NormFraction,

    /// <summary>The sign of the sum of sign(v) (v / norm)², with each expert's <see cref="ExpertBlock.Norm"/>.</summary>
    NormMass,

    /// <summary>The signs of values that are given beside the experts.</summary>
    Given,
}

/// <summary>What is elected where a vote comes out as exactly zero.</summary>
internal enum ZeroVote
{
    /// <summary>Positive values are kept.</summary>
    Positive,

    /// <summary>Negative values are kept.</summary>
    Negative,

    /// <summary>Nothing is kept; the mix is +0.</summary>
    Nothing,
}

/// <summary>What is made of the values that agree with the elected sign.</summary>
internal enum Combine
{
    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>Their sum, divided by the sum of their weights: with weights of 1 the mean of the agreeing, non-zero values.</summary>
    Mean,

    /// <summary>The one of the largest magnitude; of equal ones that of the first expert. Experts in reverse order let the last one win.</summary>
    Max,

    /// <summary>The median of all values, the lower one of an even number, whatever their signs.</summary>
    Median,
}

/// <summary>How the sparse task vectors of N experts become one mix.</summary>
internal readonly record struct Election
{
    /// <summary>What decides the sign.</summary>
    internal Vote Vote { get; init; }

    /// <summary>
    /// Whether the values w * d vote, and agree by their sign; otherwise d votes and agrees, and its weight counts only in the combination.
    /// </summary>
    internal bool Weighted { get; init; }

    /// <summary>What a vote of zero elects.</summary>
    internal ZeroVote ZeroVote { get; init; }

    /// <summary>How agreeing values are combined.</summary>
    internal Combine Combine { get; init; }

    /// <summary>Whether all values are combined, whatever their signs, and the result takes the elected sign.</summary>
    internal bool SignsAll { get; init; }

    /// <summary>Whether, without an election, the weights of zeros count nothing in a mean.</summary>
    internal bool SkipsZeros { get; init; }
}

/// <summary>How the elections of some elements came out; sums of such counts do not depend on order.</summary>
/// <param name="Positive">Elements that elected +.</param>
/// <param name="Negative">Elements that elected -.</param>
/// <param name="Contested">Elements whose vote is exactly zero although some voting value is not.</param>
internal readonly record struct ElectionCounts(long Positive, long Negative, long Contested)
{
    /// <summary>Positive minus negative elected signs, of no more than a block.</summary>
    public int Balance => (int)(Positive - Negative);

    /// <summary>The counts of both.</summary>
    public static ElectionCounts operator +(ElectionCounts a, ElectionCounts b) =>
        new(a.Positive + b.Positive, a.Negative + b.Negative, a.Contested + b.Contested);
}
