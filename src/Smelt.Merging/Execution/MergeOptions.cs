namespace Smelt.Merging.Execution;

/// <summary>How a merge runs. None of it changes a bit of the output.</summary>
public sealed record MergeOptions
{
    /// <summary>The smallest memory limit: 64 MiB.</summary>
    public const long SmallestMemory = 64L << 20;

    /// <summary>What the inputs have to be; null where no lock file says so.</summary>
    public Planning.InputLock? Lock { get; init; }

    /// <summary>The folder of the output; with several sweep points the folder that holds one folder for each.</summary>
    public required string Output { get; init; }

    /// <summary>The number of worker threads; all cores unless given.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>The memory that the merge may take, in bytes, at least <see cref="SmallestMemory"/>.</summary>
    public long MaxMemory { get; init; } = 512L << 20;

    /// <summary>Whether an existing output of Smelt is replaced, at the commit.</summary>
    public bool Force { get; init; }

    /// <summary>Whether norms of task vectors and conflicts of signs are measured on the way.</summary>
    public bool Statistics { get; init; }

    /// <summary>Whether files and folders are flushed to the disk before the commit; off only where a power failure doesn't matter.</summary>
    public bool Durable { get; init; } = true;
}

/// <summary>What a merge made.</summary>
public sealed record MergeResult
{
    /// <summary>The plan that was carried out.</summary>
    public required Planning.MergePlan Plan { get; init; }

    /// <summary>The folder of each sweep point, in the order of the plan's points.</summary>
    public required IReadOnlyList<string> Folders { get; init; }

    /// <summary>Bytes read from inputs and written to outputs by this run.</summary>
    public required long BytesMoved { get; init; }

    /// <summary>Blocks that an interrupted run had already finished.</summary>
    public required long ResumedBlocks { get; init; }

    /// <summary>The time that it took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Measurements over all merged tensors; null unless asked for.</summary>
    public required TaskVectorStatistics? Statistics { get; init; }
}

/// <summary>Measurements of the experts' task vectors over all merged tensors.</summary>
/// <param name="Norms">The L2 norm of each expert's task vector, in fp64.</param>
/// <param name="Conflicts">Elements in which two non-zero deltas have different signs.</param>
/// <param name="Contested">Elements in which at least two deltas are not zero.</param>
public sealed record TaskVectorStatistics(IReadOnlyList<double> Norms, long Conflicts, long Contested);
