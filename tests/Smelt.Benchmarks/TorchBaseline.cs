#if TORCH
using System.Diagnostics;
using Smelt.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Smelt.Benchmarks;

/// <summary>
/// The same merges written as tensor operations, a tensor at a time, the way merging tools on top of torch do it: the
/// baseline that needs no Python. Results are written through the same file layout, without hashes or journal.
/// </summary>
internal static class TorchBaseline
{
    private delegate Tensor Merge(Tensor baseline, Tensor[] experts);

    /// <summary>Measures the baseline and prints a table like that of the merges.</summary>
    public static void Run(Options options)
    {
        var folders = ModelMaker.Make(options.Shape, options.Experts, options.Root);
        Console.WriteLine($"torch operations: {options.Shape.Name}, {options.Experts} experts, {get_num_threads()} threads, best of {options.Runs}");
        Console.WriteLine("| work | s |\n|---|---|");
        (string Name, Merge Merge)[] rows =
        [
            ("averaging", (_, x) => Average(x)),
            ("task arithmetic", (b, x) => TaskArithmetic(b, x)),
            ("DARE-TIES, drop 0.8", (b, x) => Elect(b, [.. x.Select(e => Dare(e - b))])),
            ("TIES, trim of each tensor, density 0.2", (b, x) => Elect(b, [.. x.Select(e => Trim(e - b))])),
        ];
        foreach (var (name, merge) in rows.Where(r => options.Selects(r.Name)))
        {
            var best = Enumerable.Range(0, options.Runs).Min(_ => Once(folders, Path.Combine(options.Root, "torch-output"), merge));
            Console.WriteLine($"| {name} | {best:F3} |");
        }
    }

    private static double Once(string[] folders, string output, Merge merge)
    {
        var watch = Stopwatch.StartNew();
        var models = folders.Select(f => CheckpointFolder.Open(f)).ToArray();
        using (var reader = new CheckpointReader())
        using (var file = File.Create(output))
        {
            foreach (var tensor in models[0].Tensors)
            {
                using var scope = NewDisposeScope();
                var loaded = models.Select(m => Load(reader, m.Tensors.First(t => t.Name == tensor.Name))).ToArray();
                var merged = merge(loaded[0], loaded[1..]).to(ScalarType.BFloat16);
                file.Write(merged.bytes);
            }
        }

        var seconds = watch.Elapsed.TotalSeconds;
        File.Delete(output);
        return seconds;
    }

    private static Tensor Load(CheckpointReader reader, CheckpointTensor tensor)
    {
        var values = empty([.. tensor.Shape], ScalarType.BFloat16);
        reader.Read(tensor, 0, values.bytes);
        return values.to(ScalarType.Float32);
    }

    private static Tensor Average(Tensor[] experts) => stack(experts).mul(1f / experts.Length).sum(0);

    private static Tensor TaskArithmetic(Tensor baseline, Tensor[] experts) =>
        baseline + stack([.. experts.Select(e => e - baseline)]).sum(0).mul(0.4f);

    private static Tensor Trim(Tensor delta)
    {
        var k = Math.Max(1, (long)(0.2 * delta.numel()));
        var mask = zeros_like(delta);
        var (_, indices) = delta.abs().view(-1).topk((int)k);
        mask.view(-1).index_fill_(0, indices, 1f);
        return delta * mask;
    }

    private static Tensor Dare(Tensor delta) => delta * bernoulli(full_like(delta, 0.2f)) / 0.2f;

    private static Tensor Elect(Tensor baseline, Tensor[] deltas)
    {
        var all = stack(deltas);
        var sign = all.sum(0).sign();
        var agree = all.sign().eq(sign);
        var divisor = agree.sum(0).clamp(min: 1);
        return baseline + ((all * agree).sum(0) / divisor);
    }
}
#else
namespace Smelt.Benchmarks;

/// <summary>The baseline of torch operations is left out of this build.</summary>
internal static class TorchBaseline
{
    /// <summary>Says how to build it in.</summary>
    public static void Run(Options options) =>
        Console.Error.WriteLine($"Build with -p:Torch=true to compare {options.Shape.Name} models with torch operations; it fetches libtorch, about 200 MB.");
}
#endif
