namespace Smelt.Recipes;

/// <summary>
/// Task arithmetic: out = b + lambda * sum w_i (x_i - b) (Ilharco et al. 2023, "Editing models with task arithmetic"). A
/// negative weight forgets a task. With <see cref="WeightedTaskVectorRecipe.Normalize"/> the sum is divided by the sum of the
/// weights. Defaults: Lambda 1, Normalize false.
/// </summary>
[Method("task_arithmetic", "the base plus the scaled sum of the task vectors")]
public sealed record TaskArithmetic : WeightedTaskVectorRecipe
{
    /// <inheritdoc/>
    public override Recipe Resolve() => (TaskArithmetic)base.Resolve() with { Normalize = Normalize ?? false };
}
