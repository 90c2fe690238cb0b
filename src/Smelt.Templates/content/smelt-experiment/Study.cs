namespace SmeltExperiment;

/// <summary>Which method, and how many experts? Every arm merges every subset of the pool.</summary>
[Experiment("study")]
public static class Study
{
    /// <summary>The grid.</summary>
    public static Experiment Define() => new()
    {
        Pools = [Pool("tiny", Folder("models/base"), Folder("models/expert-a"), Folder("models/expert-b"))],
        Arms =
        [
            Arm("average", new Average()),
            Arm("task-arithmetic", new TaskArithmetic { Lambda = Sweep(0.5, 1.0) }),
            Arm("ties", new Ties { Density = 0.2 }),
        ],
    };
}
