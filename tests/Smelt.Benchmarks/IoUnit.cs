using System.Diagnostics;

namespace Smelt.Benchmarks;

/// <summary>
/// The unit U: the time to read all inputs with plain reads on all cores into reused 1 MiB buffers and to overwrite a
/// preallocated output of the right size.
/// </summary>
internal static class IoUnit
{
    private const int Buffer = 1 << 20;

    /// <summary>Measures U, once, in seconds.</summary>
    public static double Measure(IReadOnlyList<string> inputs, string output, long outputBytes, bool cold = false)
    {
        using (var file = File.OpenHandle(output, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.None, outputBytes))
            Overwrite(file, outputBytes);
        if (cold)
            PageCache.Drop(inputs);
        var seconds = Once(inputs, output, outputBytes);
        File.Delete(output);
        return seconds;
    }

    /// <summary>Seconds to write new files, all of one size, on all cores; they are removed again.</summary>
    public static double MeasureWrites(string output, int files, long bytes)
    {
        var handles = Enumerable.Range(0, files).Select(i => File.OpenHandle($"{output}.{i}", FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose)).ToArray();
        var work = handles.SelectMany((_, i) => Pieces(bytes).Select(offset => (i, offset))).ToArray();
        var seconds = OnAllCores(work, (buffer, file, offset) => RandomAccess.Write(handles[file], buffer.AsSpan(0, (int)Math.Min(Buffer, bytes - offset)), offset));
        foreach (var handle in handles)
            handle.Dispose();
        return seconds;
    }

    private static double Once(IReadOnlyList<string> inputs, string output, long outputBytes)
    {
        var handles = inputs.Select(i => File.OpenHandle(i)).ToArray();
        using var target = File.OpenHandle(output, FileMode.Open, FileAccess.Write);
        var work = handles.SelectMany((h, i) => Pieces(RandomAccess.GetLength(h)).Select(offset => (i, offset)))
            .Concat(Pieces(outputBytes).Select(offset => (-1, offset))).ToArray();
        var seconds = OnAllCores(work, (buffer, file, offset) =>
        {
            if (file >= 0)
                RandomAccess.Read(handles[file], buffer, offset);
            else
                RandomAccess.Write(target, buffer.AsSpan(0, (int)Math.Min(Buffer, outputBytes - offset)), offset);
        });
        foreach (var handle in handles)
            handle.Dispose();
        return seconds;
    }

    private static double OnAllCores((int File, long Offset)[] work, Action<byte[], int, long> body)
    {
        var next = -1;
        var watch = Stopwatch.StartNew();
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            var buffer = new byte[Buffer];
            for (int i; (i = Interlocked.Increment(ref next)) < work.Length;)
                body(buffer, work[i].File, work[i].Offset);
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        return watch.Elapsed.TotalSeconds;
    }

    private static void Overwrite(Microsoft.Win32.SafeHandles.SafeFileHandle file, long bytes)
    {
        var buffer = new byte[Buffer];
        foreach (var offset in Pieces(bytes))
            RandomAccess.Write(file, buffer.AsSpan(0, (int)Math.Min(Buffer, bytes - offset)), offset);
    }

    private static IEnumerable<long> Pieces(long bytes)
    {
        for (long offset = 0; offset < bytes; offset += Buffer)
            yield return offset;
    }
}
