namespace Smelt.Merging.Kernels;

/// <summary>What of an expert is thinned.</summary>
internal enum Origin
{
    /// <summary>x - b.</summary>
    Delta,

    /// <summary>x; b is subtracted once it is thinned, and it counts as written back.</summary>
    Weights,

    /// <summary>x, from which nothing is subtracted.</summary>
    WeightsAlone,
}

/// <summary>
/// One expert's elements of a sub-block and how its task vector becomes a sparse one. The steps, in this order, each optional:
/// d = x - b, unless <see cref="Origin"/> says otherwise; d = 0 unless its magnitude exceeds <see cref="Floor"/>; d = 0 where the mask drops it; d = d / <see cref="Divisor"/>, or its own of <see cref="Divisors"/>; d = (b + d) - b when <see cref="WriteBack"/>;
/// d = 0 unless it is in the top of <see cref="Keep"/> and not in the top of <see cref="Drop"/>; d = 0 inside the band of
/// <see cref="Center"/> and <see cref="Spread"/>; d = d * <see cref="Ratio"/>.
/// </summary>
/// <param name="values">The expert's elements as stored.</param>
internal unsafe struct ExpertBlock(RawBlock values)
{
    /// <summary>The expert's elements as stored; the format may differ from the base's.</summary>
    internal RawBlock Values = values;

    /// <summary>Whether it is x - b that is thinned.</summary>
    internal Origin Origin = Origin.Delta;

    /// <summary>Drop by magnitude, before the rescale: the fp32 pattern that the magnitudes of kept elements exceed; below 0 all are kept.</summary>
    internal int Floor = -1;

    /// <summary>Bit e % 64 of word e / 64 tells whether element e of the sub-block is kept; null keeps all.</summary>
    internal ulong* Mask = null;

    /// <summary>What kept deltas are divided by: the density of DARE's inverse rescale; 1 divides nothing.</summary>
    internal float Divisor = 1;

    /// <summary>What each element of the sub-block is divided by, besides; null divides nothing.</summary>
    internal float* Divisors = null;

    /// <summary>Whether the sparse expert is written back as base + delta in fp32 and its delta taken again, as MergeLM does.</summary>
    internal bool WriteBack;

    /// <summary>Magnitude trim: what is kept.</summary>
    internal Cut Keep = Cut.All;

    /// <summary>Outlier trim: what is dropped, though <see cref="Keep"/> would keep it.</summary>
    internal Cut Drop = Cut.None;

    /// <summary>Elements from this flat index on are kept whatever <see cref="Keep"/> says.</summary>
    internal long KeepFrom = long.MaxValue;

    /// <summary>The centre of the band that <see cref="Spread"/> drops.</summary>
    internal float Center;

    /// <summary>Trim by value: d is dropped unless |d - <see cref="Center"/>| is larger than this; below 0 nothing is.</summary>
    internal float Spread = -1;

    /// <summary>What kept deltas are multiplied by: the ratio of the L1 rescale; 1 multiplies nothing.</summary>
    internal float Ratio = 1;

    /// <summary>The weight w of this expert in the mix.</summary>
    internal float Weight = 1;

    /// <summary>The norm of the expert's whole sparse task vector, by which some elections measure its deltas; not zero.</summary>
    internal float Norm = 1;

    /// <summary>Whether no step changes d = x - b.</summary>
    internal readonly bool IsPlain => Origin == Origin.Delta && Floor < 0 && Mask is null && Divisor == 1 && Divisors is null && !WriteBack && Keep == Cut.All && Drop == Cut.None && !HasBand && Ratio == 1;

    /// <summary>Whether a band is dropped; a NaN for its width drops all.</summary>
    internal readonly bool HasBand => !(Spread < 0);

    /// <summary>The same pipeline from element <paramref name="e"/> of the sub-block on, a multiple of 64.</summary>
    internal readonly ExpertBlock From(nint e) => this with { Values = Values.From(e), Mask = Mask is null ? null : Mask + (e >> 6), Divisors = Divisors is null ? null : Divisors + e };
}
