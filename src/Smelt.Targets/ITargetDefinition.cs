using System.Runtime.CompilerServices;

namespace Smelt.Targets;

/// <summary>A step of a build, declared as a property: <c>Target Merge => _ => _.DependsOn(Plan).Executes(() => ...);</c></summary>
/// <param name="definition">What the target adds its definition to.</param>
/// <returns>The same definition.</returns>
public delegate ITargetDefinition Target(ITargetDefinition definition);

/// <summary>Whether the dependencies of a target that is skipped run.</summary>
public enum DependencyBehavior
{
    /// <summary>They run.</summary>
    Execute,

    /// <summary>They don't, unless another target needs them.</summary>
    Skip,
}

/// <summary>What a target says of itself; every method returns the same definition.</summary>
public interface ITargetDefinition
{
    /// <summary>Says in one line what the target does, for <c>--help</c> and <c>--plan</c>.</summary>
    ITargetDefinition Description(string description);

    /// <summary>Adds work; several pieces run in the order in which they were added.</summary>
    ITargetDefinition Executes(Action work);

    /// <summary>Adds asynchronous work, which is waited for.</summary>
    ITargetDefinition Executes(Func<Task> work);

    /// <summary>These targets run first, and are part of every plan that this one is part of.</summary>
    ITargetDefinition DependsOn(params Target[] targets);
    /// <summary>The targets of a component run first, and are part of every plan that this one is part of.</summary>
    ITargetDefinition DependsOn<T>(params Func<T, Target>[] targets);

    /// <summary>The other direction of <see cref="DependsOn(Target[])"/>: those targets depend on this one.</summary>
    ITargetDefinition DependentFor(params Target[] targets);
    /// <summary>The other direction of <see cref="DependsOn{T}(Func{T, Target}[])"/>.</summary>
    ITargetDefinition DependentFor<T>(params Func<T, Target>[] targets);

    /// <summary>Runs before those targets where they are part of the plan; does not bring them into it.</summary>
    ITargetDefinition Before(params Target[] targets);
    /// <summary>Runs before targets of a component where they are part of the plan.</summary>
    ITargetDefinition Before<T>(params Func<T, Target>[] targets);

    /// <summary>Runs after those targets where they are part of the plan; does not bring them into it.</summary>
    ITargetDefinition After(params Target[] targets);
    /// <summary>Runs after targets of a component where they are part of the plan.</summary>
    ITargetDefinition After<T>(params Func<T, Target>[] targets);

    /// <summary>Brings those targets into every plan that this one is part of, after it.</summary>
    ITargetDefinition Triggers(params Target[] targets);
    /// <summary>Brings targets of a component into every plan that this one is part of, after it.</summary>
    ITargetDefinition Triggers<T>(params Func<T, Target>[] targets);

    /// <summary>The other direction of <see cref="Triggers(Target[])"/>.</summary>
    ITargetDefinition TriggeredBy(params Target[] targets);
    /// <summary>The other direction of <see cref="Triggers{T}(Func{T, Target}[])"/>.</summary>
    ITargetDefinition TriggeredBy<T>(params Func<T, Target>[] targets);

    /// <summary>Skips the target where the condition does not hold when its turn comes; the condition's text is the reason shown.</summary>
    ITargetDefinition OnlyWhen(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string text = "");

    /// <summary>Skips the target where the condition does not hold before anything has run; a plan shows it.</summary>
    ITargetDefinition OnlyWhenStatic(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string text = "");

    /// <summary>Whether dependencies run where <see cref="OnlyWhenStatic"/> or <c>--skip</c> skips the target; they do by default.</summary>
    ITargetDefinition WhenSkipped(DependencyBehavior behavior);

    /// <summary>Demands a value or a condition, before anything runs: null, false and what is empty are refused. A parameter (<c>() => Output</c>) or any condition.</summary>
    ITargetDefinition Requires(Func<object?> requirement, [CallerArgumentExpression(nameof(requirement))] string text = "");

    /// <summary>
    /// The files that the target makes: files, folders with all in them, or patterns with <c>*</c>, <c>**</c> and <c>?</c>,
    /// relative to the root folder. A file named without wildcards that is missing after the target ran is its failure.
    /// </summary>
    ITargetDefinition Produces(params string[] files);

    /// <summary>Files that the target makes, known only when it has run.</summary>
    ITargetDefinition Produces(Func<IEnumerable<string>> files);

    /// <summary>
    /// The files that the target reads, named as in <see cref="Produces(string[])"/>. A target that consumes something is
    /// skipped while the content of it, the parameters and what the target produced are what they were.
    /// </summary>
    ITargetDefinition Consumes(params string[] files);

    /// <summary>Files that the target reads, known only when its turn comes.</summary>
    ITargetDefinition Consumes(Func<IEnumerable<string>> files);

    /// <summary>Reads what those targets produce, and depends on them.</summary>
    ITargetDefinition Consumes(params Target[] targets);
    /// <summary>Reads what targets of a component produce, and depends on them.</summary>
    ITargetDefinition Consumes<T>(params Func<T, Target>[] targets);

    /// <summary>The plan goes on where this target fails, with the targets that depend on it; the build has failed all the same.</summary>
    ITargetDefinition ProceedAfterFailure();

    /// <summary>Runs even where targets before it failed.</summary>
    ITargetDefinition AssuredAfterFailure();

    /// <summary>Divides the target: <c>--partition 2/4</c> runs the second of four parts, which <see cref="ISmeltBuild.Partition"/> tells; at most <paramref name="size"/> parts make sense.</summary>
    ITargetDefinition Partition(int size = int.MaxValue);
}
