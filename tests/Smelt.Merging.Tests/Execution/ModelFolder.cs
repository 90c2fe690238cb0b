using System.Runtime.InteropServices;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Merging.Tests.Execution;

/// <summary>A folder with a small model family, and a short way to merge it.</summary>
internal sealed class ModelFolder : IDisposable
{
    /// <summary>Sizes that straddle the edges of vectors and blocks.</summary>
    public static readonly long[] Sizes = [0, 1, 15, 16, 17, 4096, 65_535, 65_536, 65_537, 140_000];

    public ModelFolder() => Path = Directory.CreateTempSubdirectory("smelt-merge-").FullName;

    public string Path { get; }

    /// <summary>The sizes of the tensors of models that are written.</summary>
    public IReadOnlyList<long> TensorSizes { get; init; } = Sizes;

    /// <summary>The seed of mergekit's masks; null for those of the recipes.</summary>
    public MergekitSeed? Seed { get; init; }

    /// <summary>Writes a model of BF16 tensors; <paramref name="value"/> gives an element by tensor and index.</summary>
    public void Write(string name, Func<int, long, float> value, long maxShardSize = long.MaxValue, Func<int, string>? names = null)
    {
        var tensors = TensorSizes.Select((n, t) => new LayoutTensor(names?.Invoke(t) ?? $"t{t}.weight", TensorType.BF16, Shape(n))).ToArray();
        var layout = ShardLayout.Create(tensors, maxShardSize);
        var folder = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(folder);
        foreach (var file in layout.Files)
        {
            using var stream = File.Create(System.IO.Path.Combine(folder, file.Name));
            stream.Write(file.Header.Span);
        }

        if (layout.Index is { } index)
            File.WriteAllText(System.IO.Path.Combine(folder, ShardLayout.IndexName), index);
        for (var t = 0; t < tensors.Length; t++)
        {
            var bits = new ushort[TensorSizes[t]];
            for (var i = 0; i < bits.Length; i++)
                bits[i] = (ushort)(BitConverter.SingleToUInt32Bits(value(t, i)) >> 16);
            using var stream = File.OpenWrite(System.IO.Path.Combine(folder, layout[t].File.Name));
            stream.Position = layout[t].Offset;
            stream.Write(MemoryMarshal.AsBytes(bits.AsSpan()));
        }

        File.WriteAllText(System.IO.Path.Combine(folder, "config.json"), """{"model_type": "llama", "dtype": "bfloat16"}""");
    }

    /// <summary>Some tensors have rows, which blocks cut: short, long and of three dimensions.</summary>
    private static long[] Shape(long size) => size switch
    {
        4096 => [8, 8, 64],
        65_535 => [4369, 15],
        140_000 => [20, 7, 1000],
        _ => [size],
    };

    /// <summary>A base, three experts, their Fisher weights and Gram matrices, of seeded noise with many equal magnitudes, zeros and opposed signs.</summary>
    public void WriteFamily(long maxShardSize = long.MaxValue)
    {
        static float Noise(int model, int t, long i)
        {
            var x = (ulong)((model * 7919) + (t * 104_729)) + ((ulong)i * 0x9E3779B97F4A7C15UL);
            x ^= x >> 29;
            x *= 0xBF58476D1CE4E5B9UL;
            return (((x >> 40) % 4001) - 2000f) / 2000f;
        }

        Write("base", (t, i) => Noise(0, t, i) * 0.02f, maxShardSize);
        for (var model = 1; model <= 3; model++)
        {
            var m = model;
            Write($"e{m}", (t, i) => (Noise(0, t, i) * 0.02f) + (i % 7 == 0 ? 0 : Noise(m, t, i) * 0.001f), m == 2 ? maxShardSize : long.MaxValue);
        }

        WriteFisher(maxShardSize);
        WriteGrams();
    }

    /// <summary>Gram matrices of three experts' inputs, of the one layer whose tensor is a matrix.</summary>
    private void WriteGrams()
    {
        const int inputs = 15;
        var layout = ShardLayout.Create([new LayoutTensor("t6", TensorType.F32, [inputs, inputs])], long.MaxValue);
        for (var model = 1; model <= 3; model++)
        {
            var gram = new float[inputs * inputs];
            for (var i = 0; i < gram.Length; i++)
                gram[i] = (i / inputs == i % inputs ? 1 : 0.1f) + (0.01f * model * (i / inputs + 1) * (i % inputs + 1));
            File.WriteAllBytes(System.IO.Path.Combine(Path, $"g{model}.safetensors"), [.. layout.Files[0].Header.Span, .. MemoryMarshal.AsBytes(gram.AsSpan())]);
        }
    }

    /// <summary>Fisher weights for three experts, some of them zero.</summary>
    private void WriteFisher(long maxShardSize)
    {
        for (var model = 1; model <= 3; model++)
        {
            var m = model;
            Write($"f{m}", (t, i) => (i + t) % 5 == m ? 0 : ((i * m) % 17) * 1e-6f, maxShardSize);
        }
    }

    /// <summary>Writes a file of masks with a bit for each element, <c>masks.safetensors</c>.</summary>
    public void WriteMasks()
    {
        var layout = ShardLayout.Create(Sizes.Select((n, t) => new LayoutTensor($"t{t}.weight", TensorType.U8, [(n + 7) / 8])), long.MaxValue);
        var bytes = new byte[layout.TotalFileBytes];
        new Random(5).NextBytes(bytes);
        layout.Files[0].Header.Span.CopyTo(bytes);
        File.WriteAllBytes(System.IO.Path.Combine(Path, "masks.safetensors"), bytes);
    }

    /// <summary>
    /// Three experts whose tensors are, by turns: the base itself (no task vector), the base and one magnitude (all equal),
    /// noise with NaN, infinities, denormals and zeros of both signs in it.
    /// </summary>
    public void WriteSpecials()
    {
        float[] values = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e-40f, -1e-40f, -0f, 0f, float.MaxValue];
        var checkpoint = CheckpointFolder.Open(System.IO.Path.Combine(Path, "base"));
        using var reader = new CheckpointReader();
        var bits = Enumerable.Range(0, Sizes.Length).Select(t =>
        {
            checkpoint.TryGet($"t{t}.weight", out var tensor);
            var bytes = new byte[tensor!.ByteLength];
            reader.Read(tensor, 0, bytes);
            return MemoryMarshal.Cast<byte, ushort>(bytes).ToArray();
        }).ToArray();
        for (var model = 1; model <= 3; model++)
        {
            var m = model;
            Write($"special{m}", (t, i) =>
            {
                var b = BitConverter.UInt32BitsToSingle((uint)bits[t][i] << 16);
                return (t % 3) switch
                {
                    0 => b,
                    1 => b + (i % 2 == 0 ? 0.25f : -0.25f),
                    _ => i % 97 == m ? values[(i / 97) % values.Length] : b + ((i + m) % 5 * 0.001f),
                };
            });
        }
    }

    /// <summary>Merges until so many bytes were moved, then stops it; whether it was done before.</summary>
    public bool MergeUntil(Recipe recipe, string output, long bytes, MergeOptions? options = null)
    {
        using var stop = new CancellationTokenSource();
        var progress = new ProgressCounter();
        using var ended = new ManualResetEventSlim();
        var watcher = new Thread(() =>
        {
            while (!ended.IsSet && progress.Moved < bytes)
                Thread.Yield();
            stop.Cancel();
        });
        watcher.Start();
        try
        {
            var folder = System.IO.Path.Combine(Path, output);
            MergeExecutor.Run(Plan(recipe), (options ?? new MergeOptions { Output = folder, Threads = 2 }) with { Output = folder, Durable = false }, progress, stop.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            ended.Set();
            watcher.Join();
        }
    }

    public MergePlan Plan(Recipe recipe)
    {
        var plan = Planner.Plan("test", recipe, ConfigurationWriter.Write("test", recipe), Path);
        return Seed is { } seed ? plan.WithMergekitSeed(seed) : plan;
    }

    public string Merge(Recipe recipe, string output, int threads = 2, long memory = 512L << 20, bool force = false, CancellationToken cancellation = default)
    {
        var folder = System.IO.Path.Combine(Path, output);
        MergeExecutor.Run(Plan(recipe), new MergeOptions { Output = folder, Threads = threads, MaxMemory = memory, Durable = false, Force = force }, new ProgressCounter(), cancellation);
        return folder;
    }

    /// <summary>The bytes of all tensors of a checkpoint, in order, and those of its masks.</summary>
    public static byte[] Bytes(string folder)
    {
        var masks = System.IO.Path.Combine(folder, MaskOutputs.Folder);
        byte[] own = Directory.Exists(masks) ? [.. Directory.GetFiles(masks).Order(StringComparer.Ordinal).SelectMany(TensorBytes)] : [];
        var tasks = System.IO.Path.Combine(folder, "tasks.json");
        return [.. TensorBytes(folder), .. own, .. File.Exists(tasks) ? File.ReadAllBytes(tasks) : []];
    }

    private static byte[] TensorBytes(string path)
    {
        var checkpoint = CheckpointFolder.Open(path);
        using var reader = new CheckpointReader();
        return [.. checkpoint.Tensors.OrderBy(t => t.Name, StringComparer.Ordinal).SelectMany(t =>
        {
            var bytes = new byte[t.ByteLength];
            reader.Read(t, 0, bytes);
            return bytes;
        })];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
