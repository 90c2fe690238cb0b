using System.Runtime.ExceptionServices;

namespace Smelt.Checkpoints;

/// <summary>
/// A few pieces of work at once, on threads of their own: starting the runtime's pool takes longer than reading the headers
/// of a model.
/// </summary>
public static class Concurrently
{
    /// <summary>Calls <paramref name="body"/> with 0 to <paramref name="count"/> - 1, on as many threads as there are cores.</summary>
    /// <exception cref="Exception">What a call threw; that of the lowest number where several did. All calls are made.</exception>
    public static void For(int count, Action<int> body)
    {
        var failures = new ExceptionDispatchInfo?[count];
        var next = 0;
        void Work()
        {
            for (var i = Interlocked.Increment(ref next) - 1; i < count; i = Interlocked.Increment(ref next) - 1)
            {
                try
                {
                    body(i);
                }
                catch (Exception e)
                {
                    failures[i] = ExceptionDispatchInfo.Capture(e);
                }
            }
        }

        var threads = new Thread[Math.Max(0, Math.Min(Environment.ProcessorCount, count) - 1)];
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Work) { IsBackground = true };
            threads[i].Start();
        }

        Work();
        foreach (var thread in threads)
            thread.Join();
        foreach (var failure in failures)
            failure?.Throw();
    }
}
