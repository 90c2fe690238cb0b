namespace Smelt.Recipes;

/// <summary>
/// RegMean (Jin et al. 2023, "Dataless knowledge fusion by merging weights of language models"): the linear layer whose outputs
/// are nearest to those of every expert on that expert's own inputs X_i. With G_i = X_i^T X_i and W_i of shape [out, in]:
/// out = W, W^T = (Σ G_i)^-1 Σ G_i W_i^T. Tensors without Gram matrices are averaged.
/// </summary>
/// <remarks>
/// Each expert's <see cref="Expert.Statistics"/> holds a Gram matrix [in, in] for each linear layer under the layer's name, without
/// <c>.weight</c>. The sum is taken and solved in fp64 by a Cholesky factorisation; a sum that can't be inverted is an error.
/// </remarks>
[Method("regmean", "linear layers fitted to the experts' outputs on their own data")]
public sealed record RegMean : Recipe
{
    /// <summary>What the off-diagonal elements of Gram matrices are multiplied by, 0 to 1; 0.9 unless given, the paper's usual value.</summary>
    [Slot("what the off-diagonal elements of Gram matrices are multiplied by", Min = 0, Max = 1)]
    public Scalar? NonDiagonalRatio { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override bool UsesStatistics => true;

    /// <inheritdoc/>
    public override Recipe Resolve() => (RegMean)base.Resolve() with { NonDiagonalRatio = NonDiagonalRatio ?? 0.9 };
}
