namespace Smelt.Recipes;

/// <summary>
/// A grid of merges that are compared: every arm (a recipe without experts) on every subset of the experts of every pool,
/// at every point of the arm's sweeps. The grid is known before anything runs, and each of its merges can be run, stopped
/// and gone on with by itself.
/// </summary>
public sealed record Experiment
{
    /// <summary>The most merges that a grid may have unless it says otherwise.</summary>
    public const int DefaultMaxMerges = 10_000;

    /// <summary>The bases with their experts, at least one; all with as many experts in the same order, so that subsets mean the same.</summary>
    [Slot("the bases with their experts", Required = true)]
    public Sequence<ExpertPool> Pools { get; init; } = Sequence<ExpertPool>.Empty;

    /// <summary>The recipes that are compared, at least one; base and experts come from the pools.</summary>
    [Slot("the recipes that are compared, without base and experts", Required = true)]
    public Sequence<Arm> Arms { get; init; } = Sequence<Arm>.Empty;

    /// <summary>Which experts are merged together; all of them unless given.</summary>
    [Slot("which experts are merged together; all unless given")]
    public ExpertSubsets? Subsets { get; init; }

    /// <summary>The most merges that the grid may have, a guard against a slip; 10,000 unless given.</summary>
    [Slot("the most merges that the grid may have", Min = 1, Integer = true)]
    public Scalar? MaxMerges { get; init; }
}

/// <summary>A base and the experts made of it.</summary>
/// <param name="Name">The name, part of folder names.</param>
public sealed record ExpertPool(string Name)
{
    /// <summary>The base that the experts were trained from.</summary>
    [Slot("the base that the experts were trained from")]
    public Model? Base { get; init; }

    /// <summary>The experts.</summary>
    [Slot("the experts", Required = true)]
    public Sequence<Expert> Experts { get; init; } = Sequence<Expert>.Empty;
}

/// <summary>One of the recipes that an experiment compares.</summary>
/// <param name="Name">The name, part of folder names.</param>
/// <param name="Recipe">The recipe, with sweeps if wanted, without base and experts.</param>
public sealed record Arm(string Name, Recipe Recipe);
