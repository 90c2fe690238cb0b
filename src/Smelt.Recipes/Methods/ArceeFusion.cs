namespace Smelt.Recipes;

/// <summary>
/// Takes only the expert's most important changes (mergekit's arcee_fusion): the importance of an element is |x - b| times
/// its row's divergence KL(softmax(x) || softmax(b)), softmax along the last dimension and 1e-8 added to each probability;
/// elements whose importance is at least median + 1.5 (upper quartile - lower quartile) of their tensor are the
/// expert's, out = x, the others the base's, out = b.
/// </summary>
/// <remarks>
/// Quantile q of n elements is the one at sorted position trunc(q (n - 1)). All elements count; mergekit samples a million
/// of a larger tensor. The output has the base's type; mergekit writes fp32.
/// </remarks>
[Method("arcee_fusion", "the base with one expert's most important changes")]
public sealed record ArceeFusion : Recipe
{
    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override int MostExperts => 1;
}
