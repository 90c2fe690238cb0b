using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Barycentric interpolation on a sphere: the tangents at the normalised weighted mean m of the unit vectors u_i =
/// v_i / (|v_i| + eps) are averaged, and m moves along their mean. See <see cref="MultiSlerp"/>.
/// </summary>
internal sealed class MultiSlerpMethod(MergePlan plan) : SpanMethod(plan)
{
    /// <inheritdoc/>
    protected override bool OfTaskVectors { get; } = plan.Points[0].Recipe.UsesBase;

    /// <inheritdoc/>
    protected override void Solve(GramMatrix gram, TensorSettings settings, Span<double> coefficients)
    {
        var recipe = (MultiSlerp)settings.Recipe;
        var epsilon = recipe.Epsilon!.Value;
        var divisor = recipe.NormalizeWeights == true ? settings.Weights.Sum() : 1;
        Span<double> mean = stackalloc double[gram.Count];
        Span<double> tangent = stackalloc double[gram.Count];
        var length = 0.0;
        for (var i = 0; i < gram.Count; i++)
        {
            coefficients[i] = settings.Weights[i] / divisor;
            mean[i] = coefficients[i] / (gram.Norm(i) + epsilon);
            length += coefficients[i] * gram.Norm(i);
        }

        // Unit vectors that cancel have no mean direction: the weighted sum stands.
        var norm = gram.Norm(mean);
        if (norm < epsilon)
            return;

        // Before it is normalised, the mean is also the sum of the weighted unit vectors, and Σ w_i u_i·m its norm.
        for (var i = 0; i < gram.Count; i++)
        {
            tangent[i] = mean[i];
            mean[i] /= norm;
        }

        var along = 0.0;
        for (var i = 0; i < gram.Count; i++)
            along += tangent[i] * gram.Dot(i, mean);
        for (var i = 0; i < gram.Count; i++)
            tangent[i] -= along * mean[i];
        var angle = gram.Norm(tangent) + epsilon;
        for (var i = 0; i < gram.Count; i++)
            coefficients[i] = length * ((mean[i] * PortableMath.Cos(angle)) + (tangent[i] * PortableMath.Sin(angle) / angle));
    }
}
