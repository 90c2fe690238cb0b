namespace Smelt.Tool.Output;

/// <summary>The rate of the last few seconds, from samples of a growing count.</summary>
internal sealed class RateMeter
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private readonly Queue<(TimeSpan Time, long Bytes)> _samples = new();

    /// <summary>Adds a sample and gives the rate in bytes per second; 0 from a single sample.</summary>
    /// <param name="time">The time since the start, not before that of the last sample.</param>
    /// <param name="bytes">Bytes moved since the start.</param>
    public double Add(TimeSpan time, long bytes)
    {
        _samples.Enqueue((time, bytes));
        while (_samples.Count > 2 && time - _samples.Peek().Time > Window)
            _samples.Dequeue();
        var (first, moved) = _samples.Peek();
        return time > first ? (bytes - moved) / (time - first).TotalSeconds : 0;
    }
}
