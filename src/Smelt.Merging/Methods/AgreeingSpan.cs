using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// What sd-mecha's extended TIES makes of the agreeing deltas p_i by their inner products: the ratio of Model Stock for each
/// row, or the coefficients of their geometric median over each tensor.
/// </summary>
internal sealed unsafe class AgreeingSpan
{
    private const double SmallestNorm = 1e-6;
    private const double SmallestDivisor = 1e-6;
    private const double SmallestDistance = 1e-6;
    private const int MostIterations = 100;

    private readonly MergePlan _plan;
    private readonly (MixGroup Group, GramPass Pass)[] _groups;
    private readonly Dictionary<(int Group, int Tensor), float[]> _factors = [];

    /// <param name="plan">The plan.</param>
    /// <param name="groups">The groups that need it.</param>
    /// <param name="load">Makes the agreeing deltas of a group.</param>
    public AgreeingSpan(MergePlan plan, IEnumerable<MixGroup> groups, Func<MixGroup, LoadVectors> load)
    {
        _plan = plan;
        _groups = [.. groups.Select(g => (g, new GramPass(plan, load(g))))];
    }

    /// <summary>Whether what agrees is combined by its geometric median.</summary>
    public static bool IsMedian(Recipe recipe) => recipe is Ties { Combine: Recipes.Combine.GeometricMedian };

    /// <summary>Whether what agrees is scaled by the ratio of Model Stock.</summary>
    public static bool IsStock(Recipe recipe) => recipe is Ties { Stock: true, Combine: not Recipes.Combine.GeometricMedian };

    /// <summary>The coefficients of the deltas in the median of a tensor, or the ratio of each of its rows.</summary>
    public float[] Of(MixGroup group, TensorPlan tensor) => _factors[(group.Index, tensor.Index)];

    /// <summary>Measures the tensors from <paramref name="first"/> up to <paramref name="end"/>.</summary>
    public void Measure(PassContext context, int first, int end)
    {
        _factors.Clear();
        var tensors = _plan.MergedIn(first, end).ToArray();
        foreach (var (group, pass) in _groups)
        {
            context.Progress.Phase = "measuring angles";
            var median = IsMedian(group.Recipe);
            var extent = median ? VectorExtent.Tensor : VectorExtent.Row;
            foreach (var tensor in tensors)
                _factors.Add((group.Index, tensor.Index), new float[median ? _plan.Experts.Count : VectorLayout.Of(tensor, extent).Vectors]);
            pass.Run(context, tensors, extent, ofTaskVectors: true, (tensor, _, vector, products, count) =>
            {
                var factors = Of(group, tensor);
                var pairs = InnerProducts.Pairs(count);
                if (median)
                    SolveMedian(new GramMatrix(products, count), factors);
                for (var v = 0; !median && v < products.Length / pairs; v++)
                    factors[vector + v] = Ratio(new GramMatrix(products.Slice(v * pairs, pairs), count));
            });
        }
    }

    /// <summary>Scales the rows of a sub-block's mix by their ratios.</summary>
    public void Scale(Worker worker, SubBlock part, MixGroup group)
    {
        var layout = VectorLayout.Of(part.Tensor, VectorExtent.Row);
        var width = layout.Extent == VectorExtent.Row ? layout.Width : part.Tensor.ElementCount;
        var ratios = Of(group, part.Tensor);
        for (var done = 0; done < part.Length;)
        {
            var row = (part.Start + done) / width;
            var length = (int)Math.Min(part.Length - done, ((row + 1) * width) - part.Start - done);
            Scaling.Run(worker.Mix + done, ratios[row], length);
            done += length;
        }
    }

    /// <summary>t = N c / (1 + (N - 1) c), c the mean cosine of neighbours; 1 for a single delta, 0 where it has no end.</summary>
    private static float Ratio(GramMatrix gram)
    {
        var n = gram.Count;
        if (n == 1)
            return 1;
        var cosine = 0.0;
        for (var i = 1; i < n; i++)
            cosine += gram[i, i - 1] / (Math.Max(gram.Norm(i), SmallestNorm) * Math.Max(gram.Norm(i - 1), SmallestNorm));
        cosine /= n - 1;
        var divisor = 1 + ((n - 1) * cosine);
        return Math.Abs(divisor) < SmallestDivisor ? 0 : (float)(n * cosine / divisor);
    }

    /// <summary>
    /// Weiszfeld's iteration for the point with the least sum of distances to p_i: each point is weighted by 1 over its
    /// distance to the last median, which inner products give. The median is Σ c_i p_i.
    /// </summary>
    private static void SolveMedian(GramMatrix gram, Span<float> coefficients)
    {
        var n = gram.Count;
        Span<double> c = stackalloc double[n];
        Span<double> distances = stackalloc double[n];
        c.Fill(1.0 / n);
        var objective = Distances(gram, c, distances);
        for (var iteration = 0; iteration < MostIterations; iteration++)
        {
            var last = objective;
            var total = 0.0;
            for (var i = 0; i < n; i++)
                total += c[i] = 1 / Math.Max(distances[i], SmallestDistance);
            for (var i = 0; i < n; i++)
                c[i] /= total;
            objective = Distances(gram, c, distances);
            if (objective == last)
                break;
        }

        for (var i = 0; i < n; i++)
            coefficients[i] = (float)c[i];
    }

    /// <summary>The distances of the points to Σ c_i p_i, and their sum.</summary>
    private static double Distances(GramMatrix gram, ReadOnlySpan<double> c, Span<double> distances)
    {
        var length = gram.Norm(c);
        var sum = 0.0;
        for (var i = 0; i < gram.Count; i++)
            sum += distances[i] = Math.Sqrt(Math.Max(0, gram[i, i] - (2 * gram.Dot(i, c)) + (length * length)));
        return sum;
    }
}
