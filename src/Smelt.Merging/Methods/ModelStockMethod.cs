using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Model Stock: out = b + t mean(d_i) with t = N c / (1 + (N - 1) c), c the cosine between task vectors of a tensor or a row
/// (Jang et al. 2024, equation 5 and its form for N models). See <see cref="ModelStock"/>.
/// </summary>
internal sealed class ModelStockMethod(MergePlan plan) : SpanMethod(plan)
{
    private const double SmallestDivisor = 1e-6;
    private const double SmallestNorm = 1e-6;
    private const double AngleEpsilon = 1e-8;

    /// <inheritdoc/>
    protected override bool OfTaskVectors => true;

    /// <inheritdoc/>
    protected override VectorExtent Extent { get; } = ((ModelStock)plan.Points[0].Recipe).FilterWise == true ? VectorExtent.Row : VectorExtent.Tensor;

    /// <inheritdoc/>
    protected override void Solve(GramMatrix gram, TensorSettings settings, Span<double> coefficients)
    {
        var kind = ((ModelStock)settings.Recipe).Cosine!.Value;
        var n = gram.Count;
        var cosine = kind switch
        {
            StockCosine.Mean => MeanOfPairs(gram, (product, a, b) => Math.Clamp(product / Math.Max(a * b, SmallestNorm), -1, 1)),
            StockCosine.MeanAngle => PortableMath.Cos(MeanOfPairs(gram, (product, a, b) => PortableMath.Acos(Math.Clamp(product / ((a * b) + AngleEpsilon), -1, 1)))),
            _ => MeanOfNeighbours(gram),
        };
        var divisor = 1 + ((n - 1) * cosine) + (kind == StockCosine.MeanAngle ? AngleEpsilon : 0);
        var ratio = Math.Abs(divisor) < SmallestDivisor ? 0 : n * cosine / divisor;
        coefficients.Fill(ratio / n);
    }

    private static double MeanOfPairs(GramMatrix gram, Func<double, double, double, double> value)
    {
        var sum = 0.0;
        for (var i = 0; i < gram.Count; i++)
        {
            for (var j = i + 1; j < gram.Count; j++)
                sum += value(gram[i, j], gram.Norm(i), gram.Norm(j));
        }

        return sum / (gram.Count * (gram.Count - 1) / 2);
    }

    private static double MeanOfNeighbours(GramMatrix gram)
    {
        var sum = 0.0;
        for (var i = 1; i < gram.Count; i++)
            sum += gram[i, i - 1] / (Math.Max(gram.Norm(i), SmallestNorm) * Math.Max(gram.Norm(i - 1), SmallestNorm));
        return sum / (gram.Count - 1);
    }
}
