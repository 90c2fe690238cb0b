namespace Smelt.Recipes;

/// <summary>
/// One expert as it is, or times a factor (mergekit's passthrough): out = scale x, rounded once. Without a scale, tensors that keep their type keep
/// their bytes. For conversions of the number format, and for parts of larger merges.
/// </summary>
[Method("passthrough", "one expert as it is, or scaled")]
public sealed record Passthrough : Recipe
{
    /// <summary>The factor, any finite number; none unless given.</summary>
    [Slot("the factor")]
    public Scalar? Scale { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override int MostExperts => 1;
}
