using System.Diagnostics;
using Smelt.Merging.Execution;

namespace Smelt.Tool.Output;

/// <summary>
/// Shows how far a merge is, from a timer: on a terminal one line that is rewritten, elsewhere a line every two seconds,
/// so that a merge shorter than that leaves none.
/// </summary>
internal sealed class ProgressReporter : IDisposable
{
    private const string EraseLine = "\r\u001b[K";
    private static readonly TimeSpan LivePeriod = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan PlainPeriod = TimeSpan.FromSeconds(2);

    private readonly Terminal _terminal;
    private readonly string _title;
    private readonly ProgressCounter _counter;
    private readonly RateMeter _meter = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private readonly Timer _timer;
    private bool _disposed;

    public ProgressReporter(Terminal terminal, string title, ProgressCounter counter)
    {
        _terminal = terminal;
        _title = title;
        _counter = counter;
        _meter.Add(TimeSpan.Zero, counter.Moved);
        var period = terminal.Live ? LivePeriod : PlainPeriod;
        _timer = new Timer(_ => Show(), null, period, period);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            _disposed = true;
            if (_terminal.Live)
                _terminal.Error.Write(EraseLine);
        }
    }

    private void Show()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            var rate = _meter.Add(_watch.Elapsed, _counter.Moved);
            var line = $"{_title}: {ProgressText.Line(_counter.Phase, _counter.Done, _counter.Total, rate)}";
            if (_terminal.Live)
                _terminal.Error.Write(EraseLine + line[..Math.Min(line.Length, _terminal.LiveWidth - 1)]);
            else
                _terminal.Error.WriteLine(line);
        }
    }
}
