namespace Smelt.SampleMethod;

/// <summary>What a delta beyond the limit becomes.</summary>
public enum Beyond
{
    /// <summary>The limit, with the delta's sign.</summary>
    TheLimit,

    /// <summary>Zero.</summary>
    Zero,
}

/// <summary>
/// Task arithmetic on task vectors whose outliers are clipped: out = b + lambda * sum_i w_i clip(d_i, limit * mean |d_i|), the mean
/// taken over the tensor; with <see cref="WeightedTaskVectorRecipe.Normalize"/> the sum is divided by the weights' sum.
/// </summary>
[Method("sample.clip", "task vectors with clipped outliers")]
public sealed record Clip : WeightedTaskVectorRecipe, IElementMethod
{
    /// <summary>The largest magnitude, in means of the tensor's magnitudes, 0 and more; 3 unless given.</summary>
    [Slot("the largest magnitude of a delta, in means of the tensor's magnitudes", Min = 0, Default = 3)]
    public Scalar? Limit { get; init; }

    /// <summary>What a delta beyond the limit becomes; the limit unless given.</summary>
    [Slot("what a delta beyond the limit becomes", Default = SampleMethod.Beyond.TheLimit)]
    public Beyond? Beyond { get; init; }

    /// <inheritdoc/>
    public override bool DividesByWeights => false;

    /// <inheritdoc/>
    public int Sums(int experts) => experts;

    /// <inheritdoc/>
    public void Measure(in TensorElements elements, Span<double> sums)
    {
        var origin = elements.Base;
        for (var i = 0; i < elements.Weights.Length; i++)
        {
            var expert = elements.Expert(i);
            for (var e = 0; e < elements.Length; e++)
                sums[i] += Math.Abs((double)expert[e] - origin[e]);
        }
    }

    /// <inheritdoc/>
    public void Merge(in TensorElements elements, Span<float> result)
    {
        result.Clear();
        var origin = elements.Base;
        var total = 0.0;
        for (var i = 0; i < elements.Weights.Length; i++)
        {
            var limit = (float)(Limit!.Value * elements.Sums[i] / elements.TensorLength);
            var weight = (float)elements.Weights[i];
            var expert = elements.Expert(i);
            for (var e = 0; e < elements.Length; e++)
            {
                var delta = expert[e] - origin[e];
                result[e] += weight * (Math.Abs(delta) <= limit ? delta : Beyond == SampleMethod.Beyond.Zero ? 0f : MathF.CopySign(limit, delta));
            }

            total += elements.Weights[i];
        }

        for (var e = 0; Normalize == true && e < elements.Length; e++)
            result[e] = (float)(result[e] / total);
    }
}
