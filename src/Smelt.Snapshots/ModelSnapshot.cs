using System.Globalization;
using System.Text;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;

namespace Smelt.Snapshots;

/// <summary>
/// The snapshot of a model: for each tensor its type, shape, hash, extremes, mean and L2 norm, and the hash of the
/// configuration that made it. A few kilobytes stand for any number of gigabytes, and say where a model differs.
/// </summary>
public static class ModelSnapshot
{
    private const string Head = "smelt-snapshot 1";
    private const int ShownTensors = 10;

    /// <summary>The snapshot of a checkpoint.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="configurationHash">The SHA-256 of the configuration that made it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidInputException">It can't be read.</exception>
    public static string Of(string folder, string configurationHash, CancellationToken cancellation)
    {
        var checkpoint = CheckpointFolder.Open(folder);
        var hashes = Verification.HashAll(checkpoint, Environment.ProcessorCount, new ProgressCounter(), cancellation).ToDictionary(h => h.Name, h => h.Hash, StringComparer.Ordinal);
        var lines = new string[checkpoint.Tensors.Count];
        using var reader = new CheckpointReader();
        Parallel.For(0, lines.Length, new ParallelOptions { CancellationToken = cancellation }, i =>
        {
            var tensor = checkpoint.Tensors[i];
            lines[i] = string.Create(CultureInfo.InvariantCulture, $"tensor {tensor.Name.Replace(" ", "\\x20", StringComparison.Ordinal)} {tensor.Type.Name} [{string.Join(",", tensor.Shape)}] {hashes[tensor.Name]:x32}{Statistics(reader, tensor)}\n");
        });
        return new StringBuilder(Head).Append('\n').Append("configuration ").Append(configurationHash).Append('\n').AppendJoin("", lines.Order(StringComparer.Ordinal)).ToString();
    }

    /// <summary>Says how two snapshots differ, tensor by tensor.</summary>
    public static string Differences(string verified, string received)
    {
        var (old, now) = (Parse(verified), Parse(received));
        var found = new List<string>();
        if (old.GetValueOrDefault("configuration") is var was && now.GetValueOrDefault("configuration") is var value && was != value)
            found.Add($"  the configuration is {value}, and {was} was verified");
        found.AddRange(old.Keys.Except(now.Keys, StringComparer.Ordinal).Select(n => $"  {n} is gone"));
        found.AddRange(now.Keys.Except(old.Keys, StringComparer.Ordinal).Select(n => $"  {n} is new: {now[n]}"));
        found.AddRange(old.Keys.Intersect(now.Keys, StringComparer.Ordinal).Where(n => n != "configuration" && old[n] != now[n]).Select(n => $"  {n}: {Change(old[n], now[n])}"));
        var shown = found.Take(ShownTensors).ToList();
        if (found.Count > ShownTensors)
            shown.Add($"  ... and {found.Count - ShownTensors} more differences");
        return string.Join("\n", shown);
    }

    private static Dictionary<string, string> Parse(string text) => text.Split('\n').Select(l => l.Split(' ', 3))
        .Where(p => p.Length > 1 && p[0] is "tensor" or "configuration")
        .GroupBy(p => p[0] == "tensor" ? p[1] : "configuration", StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.First() is [_, _, var rest] ? rest : g.First()[1], StringComparer.Ordinal);

    /// <summary>What changed between two lines of a tensor: each fact with its old and its new value.</summary>
    private static string Change(string verified, string received)
    {
        var (old, now) = (verified.Split(' '), received.Split(' '));
        if (old.Length != now.Length)
            return $"{verified} became {received}";
        string[] names = ["type", "shape", "hash", "min", "max", "mean", "norm", "not finite"];
        return string.Join("; ", old.Zip(now).Select((pair, i) => (pair.First, pair.Second, Name: i < names.Length ? names[i] : "fact"))
            .Where(f => f.First != f.Second && f.Name != "hash")
            .Select(f => $"{f.Name} {f.First} became {f.Second}")
            .DefaultIfEmpty("other bytes with the same extremes, mean and norm"));
    }

    private static string Statistics(CheckpointReader reader, CheckpointTensor tensor)
    {
        if (!tensor.Type.IsMergeable || tensor.ElementCount == 0)
            return "";
        const int chunk = 1 << 16;
        var size = tensor.Type.BytesPerElement;
        var bytes = new byte[chunk * size];
        var (min, max, sum, squares, odd) = (double.PositiveInfinity, double.NegativeInfinity, 0.0, 0.0, 0L);
        for (long start = 0; start < tensor.ElementCount; start += chunk)
        {
            var count = (int)Math.Min(chunk, tensor.ElementCount - start);
            reader.Read(tensor, start * size, bytes.AsSpan(0, count * size));
            for (var i = 0; i < count; i++)
            {
                var value = Value(bytes.AsSpan(i * size), tensor.Type);
                if (!double.IsFinite(value))
                {
                    odd++;
                    continue;
                }

                (min, max) = (Math.Min(min, value), Math.Max(max, value));
                sum += value;
                squares += value * value;
            }
        }

        var finite = tensor.ElementCount - odd;
        return string.Create(CultureInfo.InvariantCulture, $" {min:G9} {max:G9} {(finite == 0 ? 0 : sum / finite):G9} {Math.Sqrt(squares):G9} {odd}");
    }

    private static double Value(ReadOnlySpan<byte> bytes, TensorType type) =>
        type == TensorType.BF16 ? BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(bytes) << 16)
        : type == TensorType.F16 ? (double)BitConverter.ToHalf(bytes)
        : type == TensorType.F32 ? BitConverter.ToSingle(bytes)
        : BitConverter.ToDouble(bytes);
}
