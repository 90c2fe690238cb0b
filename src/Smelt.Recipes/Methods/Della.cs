namespace Smelt.Recipes;

/// <summary>A recipe that drops elements at random, small ones more often than large ones.</summary>
public interface IGradedDrop : IRandomDrop
{
    /// <summary>
    /// How far the keep probability lies from the density at either end: the smallest element of a row is kept with
    /// density - epsilon, the largest with density + epsilon. 0 to 0.5, 0.15 unless given; both ends lie between 0 and 1.
    /// </summary>
    Scalar? Epsilon { get; }

    /// <summary>Along which dimension rows run in which magnitudes are ranked. Paper: the <see cref="RowAxis.Last"/>; mergekit: the <see cref="RowAxis.Second"/>.</summary>
    RowAxis? Rows { get; }
}

/// <summary>
/// DELLA: drop elements of each task vector at random, small ones more often, rescale the rest, then elect signs and combine
/// as TIES does (Deep, Bhardwaj and Poria 2024, "DELLA-Merging: Reducing Interference in Model Merging through
/// Magnitude-Based Sampling"). An element of rank r, 0 for the smallest magnitude, among the n of its row is kept with
/// probability density - epsilon + 2 epsilon r / (n - 1); of equal magnitudes the lowest index has the lowest rank, and the
/// only element of a row is kept with the density.
/// out = b + lambda * sum over agreeing of w_i d_i / sum over agreeing of w_i, over the thinned d_i.
/// Defaults: Density 0.5, Rescale Inverse, each kept element divided by its own probability (paper), or 1, L1, the norm kept
/// (mergekit); Election Sum, ZeroVote Positive, Normalize true.
/// </summary>
/// <remarks>A density of 0 keeps nothing and one of 1 everything, whatever epsilon is. Random numbers are those of <see cref="DareTies"/>.</remarks>
[Method("della", "task vectors thinned at random by magnitude and rescaled, with elected signs")]
public sealed record Della : ElectedRecipe, IGradedDrop
{
    /// <inheritdoc/>
    [Slot("how far the keep probability lies from the density at either end", Min = 0, Max = 0.5)]
    public Scalar? Epsilon { get; init; }

    /// <inheritdoc/>
    [Slot("along which dimension rows run in which magnitudes are ranked")]
    public RowAxis? Rows { get; init; }

    /// <inheritdoc/>
    [Slot("the seed of the random masks", Min = 0, Max = 9007199254740991, Integer = true)]
    public Scalar? Seed { get; init; }

    /// <inheritdoc/>
    [Slot("a safetensors file with masks to use instead of random ones: U8 tensors EXPERT/TENSOR, 1 = kept")]
    public string? MaskFile { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (Della)base.Resolve() with
    {
        Density = Density ?? (IsMergekit ? 1 : 0.5),
        Epsilon = Epsilon ?? 0.15,
        Rows = Rows ?? (IsMergekit ? RowAxis.Second : RowAxis.Last),
        Rescale = Rescale ?? (IsMergekit ? Recipes.Rescale.L1 : Recipes.Rescale.Inverse),
        Election = Election ?? Recipes.Election.Sum,
        ZeroVote = ZeroVote ?? (Election == Recipes.Election.SignFile ? Recipes.ZeroVote.Negative : Recipes.ZeroVote.Positive),
        Normalize = Normalize ?? true,
        Seed = Seed ?? 0,
    };
}
