using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Smelt.Tests;

/// <summary>
/// Seeded mutations of texts and bytes. A reader must say of every one of them, within a second and with memory in
/// proportion to its size, that it is right or what is wrong.
/// </summary>
internal static class Fuzz
{
    private static readonly byte[][] Extremes =
        [.. new[] { "0", "-1", "18446744073709551615", "18446744073709551616", "9223372036854775807", "1e999", "-0.0", "1.5", "null", "[]", "{}", "\"\"", "\"../..\"", "\"\\ud800\"", "[[[[[[[[", "NaN", "true" }.Select(Encoding.UTF8.GetBytes)];

    private static readonly TimeSpan LongestTime = TimeSpan.FromSeconds(1);

    /// <summary>Mutations in a test run; a million by build/fuzz.sh.</summary>
    public static int Cases => Number("SMELT_FUZZ_CASES", 10_000);

    /// <summary>The seed of the first mutation.</summary>
    public static int Seed => Number("SMELT_FUZZ_SEED", 1);

    /// <summary>Feeds mutations of the samples to a reader, which throws nothing but <see cref="InvalidInputException"/>.</summary>
    /// <param name="samples">Right inputs.</param>
    /// <param name="read">The reader.</param>
    /// <param name="bytesPerByte">Bytes that may be allocated for each byte of input, beyond a megabyte.</param>
    public static void Run(IReadOnlyList<byte[]> samples, Action<byte[]> read, int bytesPerByte)
    {
        foreach (var sample in samples)
            read(sample);
        var cases = Cases;
        for (var i = 0; i < cases; i++)
        {
            var seed = unchecked(Seed + (i * 7919));
            var input = Mutate(new Random(seed), samples);
            var (allocated, time) = Feed(input, read, seed);
            Assert.True(allocated <= (1 << 20) + ((long)bytesPerByte * input.Length), $"seed {seed}: {allocated} bytes were allocated for {input.Length}");

            // A machine may be busy elsewhere for a second, but not twice on the same input.
            Assert.True(time < LongestTime || Feed(input, read, seed).Time < LongestTime, $"seed {seed}: {time.TotalSeconds:F1} s");
        }
    }

    private static (long Allocated, TimeSpan Time) Feed(byte[] input, Action<byte[]> read, int seed)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        try
        {
            read(input);
        }
        catch (InvalidInputException)
        {
            // The verdict that most of them deserve.
        }
        catch (Exception e)
        {
            Assert.Fail($"seed {seed}: {e.GetType().Name}: {e.Message}\n{e.StackTrace}");
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before, watch.Elapsed);
    }

    private static byte[] Mutate(Random random, IReadOnlyList<byte[]> samples)
    {
        var bytes = samples[random.Next(samples.Count)].ToList();
        for (var i = random.Next(1, 5); i > 0 && bytes.Count > 0; i--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, Extremes[random.Next(Extremes.Length)]);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 60), bytes.Count - at)));
                    break;
                case 5:
                    var other = samples[random.Next(samples.Count)];
                    bytes.InsertRange(at, other.Skip(random.Next(other.Length)).Take(random.Next(60)));
                    break;
                case 6:
                    ReplaceNumber(random, bytes, at);
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>Puts an extreme value in the place of the next number.</summary>
    private static void ReplaceNumber(Random random, List<byte> bytes, int at)
    {
        var start = bytes.FindIndex(at, b => b is >= (byte)'0' and <= (byte)'9');
        if (start < 0)
            return;
        var end = bytes.FindIndex(start, b => b is < (byte)'0' or > (byte)'9');
        bytes.RemoveRange(start, (end < 0 ? bytes.Count : end) - start);
        bytes.InsertRange(start, Extremes[random.Next(Extremes.Length)]);
    }

    private static int Number(string name, int fallback) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;
}
