namespace Smelt.Recipes;

/// <summary>What the methods that elect a sign for each element among their thinned task vectors have in common.</summary>
public abstract record ElectedRecipe : SparseRecipe
{
    /// <summary>How the sign of an element is elected. Paper: <see cref="Recipes.Election.Unweighted"/>, by the sum of the deltas; mergekit: <see cref="Recipes.Election.Sum"/>, of the weighted ones.</summary>
    [Slot("how the sign of an element is elected")]
    public Election? Election { get; init; }

    /// <summary>
    /// A safetensors file with the signs of <see cref="Recipes.Election.SignFile"/>: for every merged tensor one of its name
    /// and size, in BF16, F16 or F32, whose values' signs are elected. Given for that election alone.
    /// </summary>
    [Slot("a safetensors file whose values' signs are elected, for the election signFile")]
    public string? SignFile { get; init; }

    /// <summary>What happens where the election sums to zero. Paper: <see cref="Recipes.ZeroVote.Majority"/> of the whole model, <see cref="Recipes.ZeroVote.Negative"/> for signs from a file; mergekit: <see cref="Recipes.ZeroVote.Positive"/>.</summary>
    [Slot("what happens where an election sums to zero")]
    public ZeroVote? ZeroVote { get; init; }

    /// <summary>How agreeing deltas become one; their (normalised) sum, <see cref="Recipes.Combine.Sum"/>, unless given.</summary>
    [Slot("how agreeing deltas become one")]
    public Combine? Combine { get; init; }

    /// <summary>
    /// Whether only deltas of the elected sign are combined (without an election: only those that are not zero count in a
    /// mean). Otherwise all are, and the result takes the elected sign: 'mean', 'magnitude' and 'median' of the TIES repository.
    /// True with an election, false without and for <see cref="Recipes.Combine.Median"/>, unless given.
    /// </summary>
    [Slot("whether only deltas of the elected sign are combined, or all, the result taking that sign")]
    public bool? Disjoint { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (ElectedRecipe)base.Resolve() with
    {
        Election = Election ?? (IsMergekit ? Recipes.Election.Sum : Recipes.Election.Unweighted),
        ZeroVote = ZeroVote ?? (Election == Recipes.Election.SignFile ? Recipes.ZeroVote.Negative : IsMergekit ? Recipes.ZeroVote.Positive : Recipes.ZeroVote.Majority),
        Combine = Combine ?? Recipes.Combine.Sum,
        Disjoint = Disjoint ?? (Election != Recipes.Election.None && Combine != Recipes.Combine.Median),
    };
}
