using System.Runtime.InteropServices;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Merging.Tests.Methods;

/// <summary>Models of fp32 matrices and a short way to merge them, for tests that look at values.</summary>
internal sealed class MatrixModels : IDisposable
{
    /// <summary>The folder that the models lie in.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("smelt-span-").FullName;
    private readonly Dictionary<string, long[]> _shapes;

    /// <param name="shapes">The tensors of every model.</param>
    public MatrixModels(params (string Name, long[] Shape)[] shapes) => _shapes = shapes.ToDictionary(s => s.Name, s => s.Shape);

    /// <summary>Writes a model.</summary>
    public void Write(string model, Func<string, float[]> values, TensorType? type = null)
    {
        var stored = type ?? TensorType.F32;
        var layout = ShardLayout.Create(_shapes.Select(s => new LayoutTensor(s.Key, stored, s.Value)), long.MaxValue);
        var folder = System.IO.Path.Combine(Path, model);
        Directory.CreateDirectory(folder);
        var file = layout.Files.Single();
        using var stream = File.Create(System.IO.Path.Combine(folder, file.Name));
        stream.Write(file.Header.Span);
        foreach (var (name, i) in _shapes.Keys.Select((n, i) => (n, i)))
        {
            stream.Position = layout[i].Offset;
            var floats = values(name);
            stream.Write(stored == TensorType.U8 ? floats.Select(f => (byte)f).ToArray().AsSpan()
                : stored == TensorType.F64 ? MemoryMarshal.AsBytes(floats.Select(f => f / 3.0).ToArray().AsSpan())
                : stored == TensorType.All["I32"] ? MemoryMarshal.AsBytes(floats.Select(f => (int)(1000 * f)).ToArray().AsSpan())
                : MemoryMarshal.AsBytes(floats.AsSpan()));
        }
    }

    /// <summary>Writes the config.json of a model.</summary>
    public void WriteConfig(string model, string text) => File.WriteAllText(System.IO.Path.Combine(Path, model, "config.json"), text);

    /// <summary>The values of an output's fp32 tensors.</summary>
    public Dictionary<string, float[]> Read(MergeResult result, int point = 0) => Read(System.IO.Path.Combine(Path, result.Folders[point]));

    /// <summary>Writes tensors of bytes.</summary>
    public void WriteBytes(string folder, IReadOnlyDictionary<string, byte[]> tensors)
    {
        var ordered = tensors.ToArray();
        var layout = ShardLayout.Create(ordered.Select(t => new LayoutTensor(t.Key, TensorType.U8, [t.Value.Length])), long.MaxValue);
        Directory.CreateDirectory(System.IO.Path.Combine(Path, folder));
        var file = layout.Files.Single();
        using var stream = File.Create(System.IO.Path.Combine(Path, folder, file.Name));
        stream.Write(file.Header.Span);
        for (var i = 0; i < ordered.Length; i++)
        {
            stream.Position = layout[i].Offset;
            stream.Write(ordered[i].Value);
        }
    }

    /// <summary>Writes a model of seeded normal noise.</summary>
    public void WriteNoise(string model, int seed, float scale = 1, string? around = null)
    {
        var center = around is null ? null : Read(System.IO.Path.Combine(Path, around));
        Write(model, name => Noise(seed, name, _shapes[name].Aggregate(1L, (a, b) => a * b), scale, center?[name]));
    }

    /// <summary>Merges, and reads the result.</summary>
    public Dictionary<string, float[]> Merge(Recipe recipe, int threads = 2) => Read(Run(recipe, threads).Folders[0]);

    /// <summary>Merges with the masks that mergekit draws from a seed, and reads the result.</summary>
    public Dictionary<string, float[]> Merge(Recipe recipe, MergekitSeed seed) => Read(Run(recipe, seed: seed).Folders[0]);

    /// <summary>Merges.</summary>
    public MergeResult Run(Recipe recipe, int threads = 2, MergekitSeed? seed = null)
    {
        var output = System.IO.Path.Combine(Path, "out-" + Guid.NewGuid().ToString("N"));
        var plan = Planner.Plan("test", recipe, ConfigurationWriter.Write("test", recipe), Path);
        plan = seed is null ? plan : plan.WithMergekitSeed(seed);
        return MergeExecutor.Run(plan, new MergeOptions { Output = output, Threads = threads, Durable = false }, new ProgressCounter(), CancellationToken.None);
    }

    /// <summary>The folder of a model.</summary>
    public string PathOf(string model) => System.IO.Path.Combine(Path, model);

    /// <summary>The values of a model's fp32 tensors.</summary>
    public Dictionary<string, float[]> Values(string model) => Read(System.IO.Path.Combine(Path, model));

    /// <summary>The bytes of all tensors of a model or an output, in order of their names.</summary>
    public byte[] Bytes(string folder) => Execution.ModelFolder.Bytes(System.IO.Path.Combine(Path, folder));

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static Dictionary<string, float[]> Read(string folder)
    {
        var checkpoint = CheckpointFolder.Open(folder);
        using var reader = new CheckpointReader();
        return checkpoint.Tensors.ToDictionary(t => t.Name, t =>
        {
            var values = new float[t.ElementCount];
            reader.Read(t, 0, MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        });
    }

    private static float[] Noise(int seed, string name, long n, float scale, float[]? center)
    {
        var random = new Random((seed * 7919) + name.Sum(c => c));
        var values = new float[n];
        for (var i = 0; i < n; i++)
            values[i] = (center?[i] ?? 0) + (scale * (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())));
        return values;
    }
}
