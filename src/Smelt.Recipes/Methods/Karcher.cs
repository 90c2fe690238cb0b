namespace Smelt.Recipes;

/// <summary>
/// The Karcher (Riemannian) mean of the experts' directions on the sphere, scaled to the mean of their lengths (Karcher 1977,
/// "Riemannian center of mass and mollifier smoothing"). From the normalised mean of the unit vectors u_i on, each iteration
/// takes the mean tangent T = Σ θ_i / sin θ_i (u_i - cos θ_i u) / N and moves along it: u = cos|T| u + sin|T| T / |T|.
/// out = u times the mean length.
/// </summary>
/// <remarks>
/// All experts count alike. Iterations take place on the matrix of inner products, so their number costs nothing. Zero
/// vectors have no direction and only shorten the mean length (mergekit also drops those shorter than the tolerance).
/// </remarks>
[Method("karcher", "the Riemannian mean of the experts' directions")]
public sealed record Karcher : Recipe
{
    /// <summary>The most iterations, 0 to 1,000,000; 10 unless given.</summary>
    [Slot("the most iterations", Min = 0, Max = 1_000_000, Integer = true)]
    public Scalar? MaxIterations { get; init; }

    /// <summary>The length of the mean tangent, and the angle to an expert, below which nothing moves, 0 to 1; 1e-5 unless given.</summary>
    [Slot("the length of the mean tangent below which the iteration stops", Min = 0, Max = 1)]
    public Scalar? Tolerance { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override Recipe Resolve() => (Karcher)base.Resolve() with
    {
        MaxIterations = MaxIterations ?? 10,
        Tolerance = Tolerance ?? 1e-5,
    };
}
