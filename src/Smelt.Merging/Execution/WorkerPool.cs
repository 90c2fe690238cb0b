using System.Runtime.ExceptionServices;

namespace Smelt.Merging.Execution;

/// <summary>
/// A fixed number of workers that share out numbered items, in rising order, one phase after another. Threads are started
/// once; the calling thread is one of the workers.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _start = new(0);
    private readonly SemaphoreSlim _finished = new(0);
    private readonly CancellationToken _cancellation;
    private Action<int, long>? _body;
    private readonly Lock _failureLock = new();
    private Exception? _failure;
    private long _failedItem;
    private long _next;
    private long _end;
    private bool _stop;

    public WorkerPool(int workers, CancellationToken cancellation)
    {
        _cancellation = cancellation;
        _threads = new Thread[workers - 1];
        var width = Kernels.Simd.Width;
        for (var i = 0; i < _threads.Length; i++)
        {
            var worker = i + 1;
            _threads[i] = new Thread(() => Loop(worker, width)) { IsBackground = true, Name = $"smelt-{worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>The number of workers.</summary>
    public int Count => _threads.Length + 1;

    /// <summary>
    /// Calls <paramref name="body"/> with (worker, item) for each item from <paramref name="first"/> up to
    /// <paramref name="end"/>. After a failure or a cancellation no further item is handed out; then it is thrown here.
    /// Of several failures it is that of the first item, which is the same for every number of workers.
    /// </summary>
    public void Run(long first, long end, Action<int, long> body)
    {
        _body = body;
        _next = first;
        _end = end;
        Wake();
        Work(0);
        foreach (var _ in _threads)
            _finished.Wait(CancellationToken.None);
        if (_failure is { } failure)
        {
            _failure = null;
            ExceptionDispatchInfo.Throw(failure);
        }

        _cancellation.ThrowIfCancellationRequested();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop = true;
        Wake();
        foreach (var thread in _threads)
            thread.Join();
        _start.Dispose();
        _finished.Dispose();
    }

    /// <summary>Starts the other workers; a semaphore refuses to be released no times.</summary>
    private void Wake()
    {
        if (_threads.Length > 0)
            _start.Release(_threads.Length);
    }

    private void Loop(int worker, int width)
    {
        Kernels.Simd.Width = width;
        while (true)
        {
            _start.Wait();
            if (_stop)
                return;
            Work(worker);
            _finished.Release();
        }
    }

    private void Work(int worker)
    {
        long item = 0;
        try
        {
            while (Volatile.Read(ref _failure) is null && !_cancellation.IsCancellationRequested)
            {
                item = Interlocked.Increment(ref _next) - 1;
                if (item >= _end)
                    return;
                _body!(worker, item);
            }
        }
        catch (Exception failure)
        {
            lock (_failureLock)
            {
                if (_failure is null || item < _failedItem)
                    (_failure, _failedItem) = (failure, item);
            }
        }
    }
}
