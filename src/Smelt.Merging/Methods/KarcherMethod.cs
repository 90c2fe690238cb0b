using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>The Riemannian mean of the experts' directions, times the mean of their lengths. See <see cref="Karcher"/>.</summary>
internal sealed class KarcherMethod(MergePlan plan) : SpanMethod(plan)
{
    /// <summary>Sine of an angle below which a vector opposite to the mean has no direction to pull it in.</summary>
    private const double SmallestSine = 1e-8;

    /// <inheritdoc/>
    protected override bool OfTaskVectors => false;

    /// <inheritdoc/>
    protected override void Solve(GramMatrix gram, TensorSettings settings, Span<double> coefficients)
    {
        coefficients.Clear();
        var recipe = (Karcher)settings.Recipe;
        var tolerance = recipe.Tolerance!.Value;
        var n = gram.Count;
        Span<double> norms = stackalloc double[n];
        var (directions, length, first) = (0, 0.0, -1);
        for (var i = n - 1; i >= 0; i--)
        {
            norms[i] = gram.Norm(i);
            length += norms[i] / n;
            if (norms[i] == 0)
                continue;
            directions++;
            first = i;
        }

        if (directions == 0)
            return;

        // The mean u as coefficients of the vectors themselves: a unit vector u_i is v_i / |v_i|.
        var u = coefficients;
        for (var i = 0; i < n; i++)
            u[i] = norms[i] == 0 ? 0 : 1 / (norms[i] * directions);
        if (gram.Norm(u) < tolerance)
        {
            u.Clear();
            u[first] = 1 / norms[first];
        }

        Scale(u, 1 / gram.Norm(u));
        Span<double> tangent = stackalloc double[n];
        for (var iteration = 0; iteration < recipe.MaxIterations!.Value; iteration++)
        {
            MeanTangent(gram, norms, u, 1.0 / directions, tolerance, tangent);
            var angle = gram.Norm(tangent);
            if (angle < tolerance || angle == 0)
                break;
            for (var i = 0; i < n; i++)
                u[i] = (PortableMath.Cos(angle) * u[i]) + (PortableMath.Sin(angle) / angle * tangent[i]);
            var norm = gram.Norm(u);
            if (norm == 0)
                break;
            Scale(u, 1 / norm);
        }

        Scale(u, length);
    }

    /// <summary>T = Σ alpha θ_i / sin θ_i (u_i - cos θ_i u), over the directions at least the tolerance away.</summary>
    private static void MeanTangent(GramMatrix gram, ReadOnlySpan<double> norms, ReadOnlySpan<double> u, double alpha, double tolerance, Span<double> tangent)
    {
        tangent.Clear();
        var along = 0.0;
        for (var i = 0; i < gram.Count; i++)
        {
            if (norms[i] == 0)
                continue;
            var cosine = Math.Clamp(gram.Dot(i, u) / norms[i], -1, 1);
            var angle = PortableMath.Acos(cosine);
            var sine = PortableMath.Sin(angle);
            if (angle < tolerance || sine < SmallestSine)
                continue;
            tangent[i] = alpha * angle / sine / norms[i];
            along += alpha * angle / sine * cosine;
        }

        for (var i = 0; i < gram.Count; i++)
            tangent[i] -= along * u[i];
    }

    private static void Scale(Span<double> values, double factor)
    {
        foreach (ref var value in values)
            value *= factor;
    }
}
