namespace Smelt.Recipes;

/// <summary>
/// What the methods have in common that look for the parameters which matter to each task in a multi-task vector t (Wang et
/// al. 2024, "Localizing task information for improved model merging and compression"). t is what <see cref="Ties"/> would
/// make with the same switches; unless they are given it is the plain sum of the task vectors: density 1, no election.
/// </summary>
/// <remarks>The task mask of expert i is on where |b - x_i| &gt; <see cref="MaskLambda"/> |b + t - x_i|.</remarks>
public abstract record MultiTaskRecipe : TrimmedRecipe
{
    /// <summary>How much nearer the multi-task model must be to an expert for the expert's mask to be on, 0 and more; 0.4 unless given. Smaller: more parameters.</summary>
    [Slot("the factor of the multi-task model's distance in a task mask", Min = 0)]
    public Scalar? MaskLambda { get; init; }

    /// <summary>What a task mask compares; <see cref="MaskComparison.Models"/> unless given.</summary>
    [Slot("what a task mask compares")]
    public MaskComparison? Compare { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (MultiTaskRecipe)base.Resolve() with
    {
        Density = Density ?? 1,
        Election = Election ?? Recipes.Election.None,
        Disjoint = Disjoint ?? Election is not (null or Recipes.Election.None),
        Rescale = Rescale ?? Recipes.Rescale.None,
        Normalize = Normalize ?? false,
        MaskLambda = MaskLambda ?? 0.4,
        Compare = Compare ?? MaskComparison.Models,
    };
}

/// <summary>
/// TALL masks: the multi-task model, out = b + lambda t, and beside it one mask of a bit for each parameter and task. <c>smelt
/// apply</c> restores a task's model b + mask (lambda t) of them (Wang et al. 2024). See <see cref="MultiTaskRecipe"/>.
/// Defaults: Density 1, Election None, Disjoint false, Normalize false, Rescale None.
/// </summary>
[Method("tall_masks", "the sum of task vectors, with a mask for each task")]
public sealed record TallMasks : MultiTaskRecipe
{
    /// <inheritdoc/>
    public override bool WritesMasks => true;
}

/// <summary>
/// Consensus merging: of the multi-task vector only the parameters stay that matter to several tasks (Wang et al. 2024,
/// "Consensus TA" and, with the switches of TIES, "Consensus TIES"). out = b + lambda t where at least
/// <see cref="AtLeast"/> task masks are on, else b. See <see cref="MultiTaskRecipe"/>.
/// Defaults: Density 1, Election None, Disjoint false, Normalize false, Rescale None.
/// </summary>
[Method("consensus", "the sum of task vectors, where it matters to several tasks")]
public sealed record Consensus : MultiTaskRecipe
{
    /// <summary>How many task masks must be on for a parameter to stay, a whole number; 2 unless given, 0 keeps all.</summary>
    [Slot("how many task masks must be on for a parameter to stay", Min = 0, Integer = true)]
    public Scalar? AtLeast { get; init; }

    /// <summary>Whether the mask of what stays is written beside the weights; false unless given.</summary>
    [Slot("whether the mask of what stays is written beside the weights")]
    public bool? SaveMask { get; init; }

    /// <inheritdoc/>
    public override bool WritesMasks => SaveMask == true;

    /// <inheritdoc/>
    public override Recipe Resolve() => (Consensus)base.Resolve() with { AtLeast = AtLeast ?? 2, SaveMask = SaveMask ?? false };
}
