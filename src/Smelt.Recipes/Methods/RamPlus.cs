namespace Smelt.Recipes;

/// <summary>
/// RAM+ (mergekit's ramplus_tl): as <see cref="Ram"/>, and what only expert i changed is scaled: out = b + d_i (1 + r min(s_i /
/// max(u_i, epsilon), alpha)), s_i and u_i the numbers of elements of the tensor that it changed with others and alone.
/// </summary>
[Method("ramplus_tl", "RAM with an expert's own changes scaled up by what it shares")]
public sealed record RamPlus : RamRecipe
{
    /// <summary>How strongly own changes are scaled up, any finite number; 0.1 unless given.</summary>
    [Slot("how strongly own changes are scaled up")]
    public Scalar? R { get; init; }

    /// <summary>The cap on the ratio of shared to own changes, 0 and more; 0.2 unless given.</summary>
    [Slot("the cap on the ratio of shared to own changes", Min = 0)]
    public Scalar? Alpha { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (RamPlus)base.Resolve() with { R = R ?? 0.1, Alpha = Alpha ?? 0.2 };
}
