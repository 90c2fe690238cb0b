using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Spherical linear interpolation between the base a and one expert c: θ the angle between them, out = (sin((1 - t) θ) a +
/// sin(t θ) c) / sin θ; linear where |cos θ| is above a threshold. See <see cref="Slerp"/>.
/// </summary>
internal sealed class SlerpMethod(MergePlan plan) : SpanMethod(plan)
{
    /// <summary>Norms up to this count as 1 (mergekit).</summary>
    private const double SmallestNorm = 1e-8;

    /// <inheritdoc/>
    protected override bool OfTaskVectors => false;

    /// <inheritdoc/>
    protected override void Solve(GramMatrix gram, TensorSettings settings, Span<double> coefficients)
    {
        var recipe = (Slerp)settings.Recipe;
        var t = recipe.T!.Value;
        var (a, c) = (Divisor(gram.Norm(0)), Divisor(gram.Norm(1)));
        var cosine = Math.Clamp(gram[0, 1] / (a * c), -1, 1);
        var spherical = Math.Abs(cosine) <= recipe.LinearAbove!.Value && Sphere.TryInterpolate(cosine, t, out coefficients[0], out coefficients[1]);
        if (!spherical)
        {
            (coefficients[0], coefficients[1]) = (1 - t, t);
        }
        else if (recipe.InterpolateNorms == true)
        {
            var length = ((1 - t) * a) + (t * c);
            coefficients[0] *= length / a;
            coefficients[1] *= length / c;
        }
    }

    private static double Divisor(double norm) => norm <= SmallestNorm ? 1 : norm;
}
