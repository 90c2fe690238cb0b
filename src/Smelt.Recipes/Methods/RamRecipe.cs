namespace Smelt.Recipes;

/// <summary>What <see cref="Ram"/> and <see cref="RamPlus"/> have in common.</summary>
public abstract record RamRecipe : Recipe
{
    /// <summary>The magnitude up to which a delta counts as no change, 0 and more; 1e-5 unless given.</summary>
    [Slot("the magnitude up to which a delta counts as no change", Min = 0)]
    public Scalar? Epsilon { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override Recipe Resolve() => (RamRecipe)base.Resolve() with { Epsilon = Epsilon ?? 1e-5 };
}
