namespace Quick;

/// <summary>The plain average of the experts.</summary>
[Recipe("average")]
public static partial class AverageOfExperts
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new Average
    {
        Base = Family.Base,
        Experts = [.. Family.Experts],
    };
}

/// <summary>The base plus 0.4 times the sum of the task vectors.</summary>
[Recipe("task-arithmetic")]
public static partial class SumOfTaskVectors
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new TaskArithmetic
    {
        Base = Family.Base,
        Experts = [.. Family.Experts],
        Lambda = 0.4,
    };
}

/// <summary>TIES as its paper has it: the largest 20 % of each task vector over the whole model.</summary>
[Recipe("ties")]
public static partial class TrimmedByMagnitude
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new Ties
    {
        Base = Family.Base,
        Experts = [.. Family.Experts],
        Density = 0.2,
        Lambda = 1.0,
    };
}

/// <summary>DARE with TIES at two scales: one recipe, two outputs.</summary>
[Recipe("dare-ties")]
public static partial class ThinnedAtRandom
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new DareTies
    {
        Base = Family.Base,
        Experts = [.. Family.Experts],
        Density = 0.2,
        Lambda = Sweep(0.5, 1.0),
        Seed = 42,
    };
}
