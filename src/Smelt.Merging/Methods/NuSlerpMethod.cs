using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Spherical interpolation of two experts, or of their task vectors, at t = w_1 / (w_0 + w_1), of whole tensors, rows or
/// columns. See <see cref="NuSlerp"/>.
/// </summary>
internal sealed class NuSlerpMethod(MergePlan plan) : SpanMethod(plan)
{
    /// <summary>A sum of weights of smaller magnitude means the middle (mergekit).</summary>
    private const double SmallestWeight = 1e-6;

    /// <summary>Norms below this count as this (mergekit).</summary>
    private const double SmallestNorm = 1e-7;

    /// <inheritdoc/>
    protected override bool OfTaskVectors { get; } = plan.Points[0].Recipe.UsesBase;

    /// <inheritdoc/>
    protected override VectorExtent Extent { get; } = (NuSlerp)plan.Points[0].Recipe switch
    {
        { Flatten: true } => VectorExtent.Tensor,
        { ColumnWise: true } => VectorExtent.Column,
        _ => VectorExtent.Row,
    };

    /// <inheritdoc/>
    protected override void Solve(GramMatrix gram, TensorSettings settings, Span<double> coefficients)
    {
        var sum = settings.Weights[0] + settings.Weights[1];
        var t = Math.Abs(sum) < SmallestWeight ? 0.5 : settings.Weights[1] / sum;
        var norms = Math.Max(gram.Norm(0), SmallestNorm) * Math.Max(gram.Norm(1), SmallestNorm);
        if (!Sphere.TryInterpolate(Math.Clamp(gram[0, 1] / norms, -1, 1), t, out coefficients[0], out coefficients[1]))
            (coefficients[0], coefficients[1]) = (1 - t, t);
    }
}
