namespace Smelt.Recipes;

/// <summary>
/// What the methods that thin out task vectors and elect signs have in common. The switches left open follow
/// <see cref="Profile"/>, which itself is <see cref="Recipes.Profile.Paper"/> unless given.
/// </summary>
public abstract record TrimmedRecipe : WeightedTaskVectorRecipe
{
    /// <summary>Sets all switches that are not given.</summary>
    [Slot("sets all switches that are not given")]
    public Profile? Profile { get; init; }

    /// <summary>The fraction of each task vector that is kept, 0 to 1.</summary>
    [Slot("the fraction of each task vector that is kept", Min = 0, Max = 1)]
    public Scalar? Density { get; init; }

    /// <summary>Over what a magnitude threshold is taken. Paper: the whole model; mergekit: each tensor.</summary>
    [Slot("over what a magnitude threshold is taken")]
    public TrimScope? Trim { get; init; }

    /// <summary>Which magnitudes are kept exactly. Paper: all at the threshold; mergekit: exactly trunc(density * n).</summary>
    [Slot("which magnitudes are kept exactly")]
    public Cut? Cut { get; init; }

    /// <summary>How many standard deviations from its mean a delta must lie to be kept, 0 and more; for <see cref="Recipes.Cut.Deviation"/> alone, which needs it.</summary>
    [Slot("how many standard deviations from its mean a delta must lie to be kept, for the cut deviation", Min = 0)]
    public Scalar? Deviations { get; init; }

    /// <summary>How the kept part is rescaled.</summary>
    [Slot("how the kept part is rescaled")]
    public Rescale? Rescale { get; init; }

    /// <summary>How the sign of an element is elected. Paper: sum of unweighted deltas; mergekit: of weighted ones.</summary>
    [Slot("how the sign of an element is elected")]
    public Election? Election { get; init; }

    /// <summary>
    /// A safetensors file with the signs of <see cref="Recipes.Election.SignFile"/>: for every merged tensor one of its name
    /// and size, in BF16, F16 or F32, whose values' signs are elected.
    /// </summary>
    [Slot("a safetensors file whose values' signs are elected, for the election signFile")]
    public string? SignFile { get; init; }

    /// <summary>What happens where the election sums to zero. Paper: the whole model's majority, negative for signs from a file; mergekit: positive.</summary>
    [Slot("what happens where an election sums to zero")]
    public ZeroVote? ZeroVote { get; init; }

    /// <summary>How agreeing deltas become one; their (normalised) sum unless given.</summary>
    [Slot("how agreeing deltas become one")]
    public Combine? Combine { get; init; }

    /// <summary>
    /// Whether only deltas of the elected sign are combined (without an election: only those that are not zero count in a
    /// mean). Otherwise all are, and the result takes the elected sign: 'mean' and 'magnitude' of the TIES repository. True
    /// with an election, false without, unless given.
    /// </summary>
    [Slot("whether only deltas of the elected sign are combined, or all, the result taking that sign")]
    public bool? Disjoint { get; init; }

    /// <summary>Whether switches left open are mergekit's.</summary>
    private protected bool IsMergekit => Profile == Recipes.Profile.Mergekit;

    /// <inheritdoc/>
    public override Recipe Resolve() => (TrimmedRecipe)base.Resolve() with
    {
        Profile = null,
        Trim = Trim ?? (IsMergekit ? TrimScope.Tensor : TrimScope.Model),
        Cut = Cut ?? (IsMergekit ? Recipes.Cut.Exact : Recipes.Cut.AtThreshold),
        Election = Election ?? (IsMergekit ? Recipes.Election.Sum : Recipes.Election.Unweighted),
        ZeroVote = ZeroVote ?? (Election == Recipes.Election.SignFile ? Recipes.ZeroVote.Negative : IsMergekit ? Recipes.ZeroVote.Positive : Recipes.ZeroVote.Majority),
        Combine = Combine ?? Recipes.Combine.Sum,
        Disjoint = Disjoint ?? Election != Recipes.Election.None,
    };
}
