namespace Smelt.Targets;

/// <summary>How one target stands to another: as the method of the name says.</summary>
internal enum Relation { DependsOn, Consumes, DependentFor, Before, After, Triggers, TriggeredBy }

/// <summary>A condition or a requirement with its text.</summary>
/// <param name="Test">What is asked.</param>
/// <param name="Text">The expression as written, without the arrow.</param>
internal sealed record Clause<T>(Func<T> Test, string Text)
{
    /// <summary>Takes <c>() =&gt;</c> off the text of a lambda.</summary>
    public static Clause<T> Of(Func<T> test, string text)
    {
        var trimmed = text.TrimStart();
        return new(test, trimmed.StartsWith("()", StringComparison.Ordinal) && trimmed.Split("=>", 2) is [_, var body] ? body.Trim() : trimmed);
    }

    /// <summary>Asks before anything runs, where a failure is one of the build's definition.</summary>
    public T Ask(string target)
    {
        try
        {
            return Test();
        }
        catch (Exception e)
        {
            throw new InvalidInputException([TargetRules.BadDefinition.At(target, $"asking for {Text} failed: {e.Message.ReplaceLineEndings(" ")}")]);
        }
    }
}

/// <summary>Collects what a target says of itself.</summary>
internal sealed class TargetDefinition(ISmeltBuild build) : ITargetDefinition
{
    public string? Text { get; private set; }
    public List<Func<Task>> Work { get; } = [];
    public List<(Relation Relation, Target Other)> Relations { get; } = [];
    public List<Clause<bool>> Conditions { get; } = [];
    public List<Clause<bool>> StaticConditions { get; } = [];
    public List<Clause<object?>> Requirements { get; } = [];
    public List<Func<IEnumerable<string>>> Inputs { get; } = [];
    public List<Func<IEnumerable<string>>> Products { get; } = [];
    public bool SkipsDependencies { get; private set; }
    public bool Proceeds { get; private set; }
    public bool Assured { get; private set; }

    /// <summary>The most parts of the target; null where it is whole.</summary>
    public int? Parts { get; private set; }
    public ITargetDefinition Description(string description) => Set(() => Text = description);

    public ITargetDefinition Executes(Action work) => Set(() => Work.Add(() =>
    {
        work();
        return Task.CompletedTask;
    }));

    public ITargetDefinition Executes(Func<Task> work) => Set(() => Work.Add(work));
    public ITargetDefinition DependsOn(params Target[] targets) => Relate(Relation.DependsOn, targets);
    public ITargetDefinition DependsOn<T>(params Func<T, Target>[] targets) => Relate(Relation.DependsOn, targets);
    public ITargetDefinition DependentFor(params Target[] targets) => Relate(Relation.DependentFor, targets);
    public ITargetDefinition DependentFor<T>(params Func<T, Target>[] targets) => Relate(Relation.DependentFor, targets);
    public ITargetDefinition Before(params Target[] targets) => Relate(Relation.Before, targets);
    public ITargetDefinition Before<T>(params Func<T, Target>[] targets) => Relate(Relation.Before, targets);
    public ITargetDefinition After(params Target[] targets) => Relate(Relation.After, targets);
    public ITargetDefinition After<T>(params Func<T, Target>[] targets) => Relate(Relation.After, targets);
    public ITargetDefinition Triggers(params Target[] targets) => Relate(Relation.Triggers, targets);
    public ITargetDefinition Triggers<T>(params Func<T, Target>[] targets) => Relate(Relation.Triggers, targets);
    public ITargetDefinition TriggeredBy(params Target[] targets) => Relate(Relation.TriggeredBy, targets);
    public ITargetDefinition TriggeredBy<T>(params Func<T, Target>[] targets) => Relate(Relation.TriggeredBy, targets);
    public ITargetDefinition OnlyWhen(Func<bool> condition, string text = "") => Set(() => Conditions.Add(Clause<bool>.Of(condition, text)));
    public ITargetDefinition OnlyWhenStatic(Func<bool> condition, string text = "") => Set(() => StaticConditions.Add(Clause<bool>.Of(condition, text)));
    public ITargetDefinition WhenSkipped(DependencyBehavior behavior) => Set(() => SkipsDependencies = behavior == DependencyBehavior.Skip);
    public ITargetDefinition Requires(Func<object?> requirement, string text = "") => Set(() => Requirements.Add(Clause<object?>.Of(requirement, text)));
    public ITargetDefinition Produces(params string[] files) => Produces(() => files);
    public ITargetDefinition Produces(Func<IEnumerable<string>> files) => Set(() => Products.Add(files));
    public ITargetDefinition Consumes(params string[] files) => Consumes(() => files);
    public ITargetDefinition Consumes(Func<IEnumerable<string>> files) => Set(() => Inputs.Add(files));
    public ITargetDefinition Consumes(params Target[] targets) => Relate(Relation.Consumes, targets);
    public ITargetDefinition Consumes<T>(params Func<T, Target>[] targets) => Relate(Relation.Consumes, targets);
    public ITargetDefinition ProceedAfterFailure() => Set(() => Proceeds = true);
    public ITargetDefinition AssuredAfterFailure() => Set(() => Assured = true);
    public ITargetDefinition Partition(int size = int.MaxValue) => Set(() => Parts = size);

    private TargetDefinition Relate<T>(Relation relation, Func<T, Target>[] targets) => build is T component
        ? Relate(relation, [.. targets.Select(t => t(component))])
        : throw new InvalidOperationException($"the build has no component {typeof(T).Name}");

    private TargetDefinition Relate(Relation relation, Target[] targets) => Set(() => Relations.AddRange(targets.Select(t => (relation, t))));

    private TargetDefinition Set(Action change)
    {
        change();
        return this;
    }
}
