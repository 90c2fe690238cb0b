namespace Smelt.Merging.Execution;

/// <summary>Counts the bytes that a merge reads and writes; whoever shows progress looks at it from another thread.</summary>
public sealed class ProgressCounter
{
    private long _done;
    private long _total;
    private long _moved;

    /// <summary>What is going on, in a few words.</summary>
    public string Phase { get; set; } = "starting";

    /// <summary>Bytes that are done, those of an interrupted run included.</summary>
    public long Done => Volatile.Read(ref _done);

    /// <summary>Bytes to read and write altogether; an estimate where a pass may be needed again.</summary>
    public long Total => Volatile.Read(ref _total);

    /// <summary>Bytes that this run itself has read and written.</summary>
    public long Moved => Volatile.Read(ref _moved);

    /// <summary>Begins with the number of bytes ahead.</summary>
    internal void Start(long total) => Volatile.Write(ref _total, total);

    /// <summary>Adds bytes read or written now.</summary>
    internal void Add(long bytes)
    {
        Interlocked.Add(ref _done, bytes);
        Interlocked.Add(ref _moved, bytes);
    }

    /// <summary>Adds bytes that need not be done again.</summary>
    internal void Skip(long bytes) => Interlocked.Add(ref _done, bytes);
}
