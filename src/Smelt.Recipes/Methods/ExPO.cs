namespace Smelt.Recipes;

/// <summary>
/// ExPO, extrapolation from a weaker model through a stronger one (Zheng et al. 2024, "Weak-to-strong extrapolation expedites
/// alignment"): out = x + alpha (x - b), b the weaker model (say, after supervised fine-tuning) and x the stronger one made of
/// it (say, after preference training). Several experts are averaged by their weights first.
/// </summary>
/// <remarks>It is <see cref="TaskArithmetic"/> with Normalize and Lambda = 1 + alpha, but for rounding.</remarks>
[Method("expo", "extrapolation from the base through the experts' average")]
public sealed record ExPO : Recipe
{
    /// <summary>How far beyond the expert, any finite number: 0 is the expert itself, -1 the base. It must be given; the paper finds 0.1 to 0.5 by search.</summary>
    [Slot("how far beyond the expert, as a part of the way from the base", Required = true)]
    public Scalar? Alpha { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override bool DividesByWeights => true;
}
