namespace Smelt.Recipes;

/// <summary>
/// Takes the expert's elements where they are near the base's (mergekit's nearswap): out = w x + (1 - w) b with w =
/// min(t / max(|b - x|, 1e-6), 1). An element at most t away is swapped, one far away moves by t.
/// </summary>
[Method("nearswap", "the base moved to one expert by at most t in each element")]
public sealed record NearSwap : Recipe
{
    /// <summary>The largest change of an element, 0 and more; must be given.</summary>
    [Slot("the largest change of an element", Min = 0, Required = true)]
    public Scalar? T { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override int MostExperts => 1;
}
