namespace Smelt.Recipes;

/// <summary>
/// EMR-Merging: elect, mask and rescale (Huang et al. 2024). The unified task vector u has of every parameter the elected sign
/// and the largest magnitude among the deltas of that sign. The output is
/// out = b + u, and beside it, for each task, a mask of a
/// bit for each parameter (on where the delta has the elected sign) and one rescaler: <c>smelt apply</c> restores a task's
/// model b + rescaler * mask * u. A sum of zero elects negative.
/// </summary>
/// <remarks>The rescaler of task j is the sum over tensors of mean |d_j| by that of mean |mask_j u|.</remarks>
[Method("emr", "a unified task vector, with a mask and a rescaler for each task")]
public sealed record Emr : Recipe
{
    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override bool WritesMasks => true;
}
