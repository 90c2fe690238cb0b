namespace Smelt.Recipes;

/// <summary>How Model Stock makes one cosine out of those between all pairs of task vectors.</summary>
public enum StockCosine
{
    /// <summary>The mean of the cosines; a product of norms below 1e-6 counts as 1e-6 (mergekit).</summary>
    Mean,

    /// <summary>The cosine of the mean angle; 1e-8 is added to a product of norms and to the ratio's divisor (FusionBench).</summary>
    MeanAngle,

    /// <summary>The mean over neighbours in the order of the experts; norms below 1e-6 count as 1e-6 (sd-mecha).</summary>
    Neighbours,
}

/// <summary>
/// Model Stock: from the base towards the mean of the experts, as far as the angle between their task vectors tells (Jang et
/// al. 2024, "Model Stock: All we need is just a few fine-tuned models"). With N experts and c the cosine between two task
/// vectors, t = N c / (1 + (N - 1) c) and out = t mean(x_i) + (1 - t) b. A divisor below 1e-6 makes t = 0.
/// </summary>
[Method("model_stock", "the base moved towards the experts' mean as far as their angles tell")]
public sealed record ModelStock : Recipe
{
    /// <summary>Whether each row (along the last dimension) has a ratio of its own instead of each tensor; false unless given.</summary>
    [Slot("whether each row has a ratio of its own instead of each tensor")]
    public bool? FilterWise { get; init; }

    /// <summary>How the cosines of pairs become one; their mean unless given.</summary>
    [Slot("how the cosines of pairs become one")]
    public StockCosine? Cosine { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override int FewestExperts => 2;

    /// <inheritdoc/>
    public override Recipe Resolve() => (ModelStock)base.Resolve() with
    {
        FilterWise = FilterWise ?? false,
        Cosine = Cosine ?? StockCosine.Mean,
    };
}
