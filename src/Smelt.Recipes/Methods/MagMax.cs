namespace Smelt.Recipes;

/// <summary>
/// MagMax: of every parameter the delta of the largest magnitude; of equal ones the later expert's (Marczak et al. 2024).
/// out = b + lambda * max(d). The paper's script for independently trained experts, and FusionBench, use lambda 0.5.
/// </summary>
[Method("magmax", "of every parameter the delta of the largest magnitude")]
public sealed record MagMax : TaskVectorRecipe
{
    /// <inheritdoc/>
    public override bool UsesWeights => false;
}
