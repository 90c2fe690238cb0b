namespace Smelt.Recipes;

/// <summary>
/// Spherical linear interpolation from the base to one expert, each tensor as one vector (Shoemake 1985, "Animating
/// rotation with quaternion curves"): out = (sin((1 - t) θ) b + sin(t θ) x) / sin θ, θ the angle between b and x. Vectors
/// that are nearly parallel or antiparallel are interpolated linearly: out = (1 - t) b + t x.
/// </summary>
/// <remarks>
/// A norm of at most 1e-8 counts as 1 (mergekit). Coefficients multiply the tensors as they are; with
/// <see cref="InterpolateNorms"/> they multiply unit vectors, and the length is (1 - t) |b| + t |x|.
/// </remarks>
[Method("slerp", "the spherical interpolation from the base to one expert")]
public sealed record Slerp : Recipe
{
    /// <summary>How far to go from the base (0) to the expert (1); any finite number, beyond 0 to 1 it extrapolates; must be given.</summary>
    [Slot("how far to go from the base (0) to the expert (1)", Required = true)]
    public Scalar? T { get; init; }

    /// <summary>The magnitude of the cosine above which the interpolation is linear, 0 to 1; 0.9995 unless given.</summary>
    [Slot("the magnitude of the cosine above which the interpolation is linear", Min = 0, Max = 1)]
    public Scalar? LinearAbove { get; init; }

    /// <summary>Whether the length is interpolated linearly, apart from the direction; false unless given.</summary>
    [Slot("whether the length is interpolated linearly, apart from the direction")]
    public bool? InterpolateNorms { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override int MostExperts => 1;

    /// <inheritdoc/>
    public override Recipe Resolve() => (Slerp)base.Resolve() with
    {
        LinearAbove = LinearAbove ?? 0.9995,
        InterpolateNorms = InterpolateNorms ?? false,
    };
}
