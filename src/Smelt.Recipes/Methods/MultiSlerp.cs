namespace Smelt.Recipes;

/// <summary>
/// Barycentric interpolation of any number of experts on a sphere (mergekit's multislerp): unit vectors u_i = v_i / (|v_i| +
/// eps), their weighted mean m on the sphere, the weighted mean T of their tangents u_i - (u_i·m) m at m, and out = (m cos q +
/// T sin(q) / q) Σ w_i |v_i| with q = |T| + eps. With a base, v_i = x_i - b and the base is added again; without one, v_i = x_i.
/// </summary>
/// <remarks>Where |m| is below eps the result is Σ w_i v_i; mergekit does so for two experts and fails for more.</remarks>
[Method("multislerp", "the barycentric interpolation of experts on a sphere")]
public sealed record MultiSlerp : Recipe
{
    /// <summary>Whether weights are divided by their sum first; true unless given.</summary>
    [Slot("whether weights are divided by their sum first")]
    public bool? NormalizeWeights { get; init; }

    /// <summary>What keeps divisors from zero, 1e-30 to 1; 1e-8 unless given.</summary>
    [Slot("what keeps divisors from zero", Min = 1e-30, Max = 1)]
    public Scalar? Epsilon { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesBase => Base is not null;

    /// <inheritdoc/>
    public override bool DividesByWeights => NormalizeWeights != false;

    /// <inheritdoc/>
    public override Recipe Resolve() => (MultiSlerp)base.Resolve() with
    {
        NormalizeWeights = NormalizeWeights ?? true,
        Epsilon = Epsilon ?? 1e-8,
    };
}
