using System.Runtime.InteropServices;
using CsCheck;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Merging.Tests.Execution;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Planning;

/// <summary>A mixture whose experts have matrices of their own is merged like the same one with fused experts.</summary>
public sealed class ExpertLayoutTests : IDisposable
{
    private const int Experts = 3;
    private const int Hidden = 40;
    private const int Inner = 700;

    private readonly ModelFolder _folder = new();

    public ExpertLayoutTests()
    {
        for (var model = 0; model < 3; model++)
        {
            Write($"apart{model}", model, "block_sparse_moe", ["w1", "w3", "w2"]);
            Write($"qwen{model}", model, "mlp", ["gate_proj", "up_proj", "down_proj"]);
            Write($"fused{model}", model, null, []);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_fused_view_has_the_names_shapes_and_bytes_of_a_fused_model()
    {
        var want = CheckpointFolder.Open(Path.Combine(_folder.Path, "fused1"));
        foreach (var name in new[] { "apart1", "qwen1" })
        {
            var view = ExpertLayouts.Fused(CheckpointFolder.Open(Path.Combine(_folder.Path, name)))!;
            Assert.Equal(want.Tensors.Select(t => (t.Name, string.Join(",", t.Shape), t.Type)).Order(), view.Tensors.Select(t => (t.Name, string.Join(",", t.Shape), t.Type)).Order());
            Assert.All(want.Tensors, t => Assert.Equal(Bytes(t, 0, (int)t.ByteLength), Bytes(view.TryGet(t.Name, out var own) ? own : null!, 0, (int)t.ByteLength)));
        }

        Assert.Null(ExpertLayouts.Fused(want));
    }

    [Fact]
    public void Any_run_of_bytes_is_read_across_the_parts()
    {
        var view = ExpertLayouts.Fused(CheckpointFolder.Open(Path.Combine(_folder.Path, "apart0")))!;
        Assert.True(view.TryGet("model.layers.0.mlp.experts.gate_up_proj", out var tensor));
        var all = Bytes(tensor, 0, (int)tensor.ByteLength);
        Gen.Select(Gen.Int[0, all.Length], Gen.Int[0, all.Length]).Sample((a, b) =>
            Bytes(tensor, Math.Min(a, b), Math.Abs(a - b)).AsSpan().SequenceEqual(all.AsSpan(Math.Min(a, b), Math.Abs(a - b))));
    }

    [Theory]
    [InlineData("apart")]
    [InlineData("qwen")]
    public void A_fused_merge_is_that_of_fused_models_bit_for_bit(string layout)
    {
        foreach (var merge in new Func<string, Recipe>[] { Ties, m => new Della { Base = Folder(m + 0), Experts = [Folder(m + 1), Folder(m + 2)], Density = 0.5, Epsilon = 0.2, Seed = 3 } })
        {
            var expected = ModelFolder.Bytes(_folder.Merge(merge("fused"), "a", force: true));
            // Random masks go by the models' names.
            var recipe = merge(layout) with { MoeLayout = MoeLayout.Fused };
            var output = _folder.Merge(recipe, "b", force: true);
            Assert.Contains(CheckpointFolder.Open(output).Tensors, t => t.Name == "model.layers.0.mlp.experts.down_proj");
            if (merge("x") is not IRandomDrop)
                Assert.Equal(expected, ModelFolder.Bytes(output));
            Assert.Equal(ModelFolder.Bytes(output), ModelFolder.Bytes(_folder.Merge(recipe, "c", threads: 1, memory: 64L << 20, force: true)));
        }
    }

    [Fact]
    public void Layouts_that_differ_are_fused_and_said()
    {
        var mixed = Ties("fused") with { Experts = [Folder("apart1"), Folder("qwen2")] };
        var warning = Assert.Single(_folder.Plan(mixed).Warnings);
        Assert.Equal("SM7046", warning.Id);
        Assert.Contains("apart1 in one for each expert", warning.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Plan(mixed with { MoeLayout = MoeLayout.Fused }).Warnings);
        Assert.Equal(ModelFolder.Bytes(_folder.Merge(Ties("fused"), "a")), ModelFolder.Bytes(_folder.Merge(mixed, "b")));
    }

    [Fact]
    public void Alike_inputs_keep_their_names_and_a_layout_that_must_stay_is_not_mixed()
    {
        Assert.Contains(_folder.Plan(Ties("apart")).Tensors, t => t.Name == "model.layers.0.block_sparse_moe.experts.2.w3.weight");
        var refused = Assert.Throws<InvalidInputException>(() => _folder.Plan(Ties("apart") with { Experts = [Folder("fused1")], MoeLayout = MoeLayout.PerExpert }));
        Assert.Contains(refused.Problems, p => p.Id == "SM7003" || p.Message.Contains("lacks", StringComparison.Ordinal));
    }

    [Fact]
    public void Experts_that_do_not_fit_together_stay_apart()
    {
        var folder = Path.Combine(_folder.Path, "odd");
        Directory.CreateDirectory(folder);
        Save(folder, [("model.layers.0.mlp.experts.0.gate_proj.weight", [2, 3], 1), ("model.layers.0.mlp.experts.0.up_proj.weight", [2, 3], 2), ("model.layers.0.mlp.experts.1.down_proj.weight", [3, 2], 3)]);
        Assert.Null(ExpertLayouts.Fused(CheckpointFolder.Open(folder)));
        Save(folder, [("a.mlp.experts.0.gate_proj.weight", [2, 3], 1), ("a.mlp.experts.0.up_proj.weight", [4, 3], 2), ("a.mlp.experts.0.down_proj.weight", [3, 2], 3)]);
        Assert.Null(ExpertLayouts.Fused(CheckpointFolder.Open(folder)));
        Save(folder, [("a.mlp.experts.0.gate_proj.weight", [2, 3], 1), ("a.mlp.experts.99999999999.up_proj.weight", [2, 3], 2), ("a.mlp.experts.x.down_proj.weight", [3, 2], 3)]);
        Assert.Null(ExpertLayouts.Fused(CheckpointFolder.Open(folder)));
    }

    [Fact]
    public void Odd_names_stay_as_they_are()
    {
        var folder = Path.Combine(_folder.Path, "odd");
        Directory.CreateDirectory(folder);
        (string, long[], int)[] Expert(string number) =>
            [($"a.block_sparse_moe.experts.{number}.w1.weight", [2, 3], 1), ($"a.block_sparse_moe.experts.{number}.w3.weight", [2, 3], 2), ($"a.block_sparse_moe.experts.{number}.w2.weight", [3, 2], 3)];
        Save(folder, Expert("00"));
        Assert.Null(ExpertLayouts.Fused(CheckpointFolder.Open(folder)));
        Save(folder, [.. Expert("0"), .. Expert("00")]);
        Assert.Null(ExpertLayouts.Fused(CheckpointFolder.Open(folder)));
        Save(folder, [.. Expert("0"), .. Expert("2147483647")]);
        Assert.Null(ExpertLayouts.Fused(CheckpointFolder.Open(folder)));
        Save(folder, [.. Expert("0"), ("a.block_sparse_moe.gate.weight", [1, 3], 4), ("a.mlp.gate.weight", [1, 3], 5)]);
        Assert.Null(ExpertLayouts.Fused(CheckpointFolder.Open(folder)));
        Save(folder, [.. Expert("0"), ("a.mlp.experts.down_proj", [1, 3, 2], 4)]);
        Assert.Null(ExpertLayouts.Fused(CheckpointFolder.Open(folder)));
        Save(folder, Expert("0"));
        Assert.Equal(["a.mlp.experts.gate_up_proj", "a.mlp.experts.down_proj"], ExpertLayouts.Fused(CheckpointFolder.Open(folder))!.Tensors.Select(t => t.Name));
    }

    [Fact]
    public void The_inputs_of_a_fused_merge_are_verified()
    {
        var output = _folder.Merge(Ties("apart") with { MoeLayout = MoeLayout.Fused }, "out");
        var before = Verify(output);
        Assert.Empty(before.Problems);
        var file = Path.Combine(_folder.Path, "apart2", "model.safetensors");
        using (var stream = File.Open(file, FileMode.Open))
        {
            stream.Position = stream.Length - 5;
            stream.WriteByte(77);
        }

        Assert.Contains(Verify(output).Problems, p => p.Id == "SM7017");
    }

    private VerificationResult Verify(string output) => Verification.Run(output, inputs: true, _folder.Path, threads: 2, new ProgressCounter(), CancellationToken.None);

    private static Ties Ties(string layout) => new() { Base = Folder(layout + 0), Experts = [Folder(layout + 1), Folder(layout + 2)], Density = 0.3, Trim = TrimScope.Tensor };

    /// <summary>A layer of a mixture, the same numbers in every layout; fused where <paramref name="module"/> is null.</summary>
    private void Write(string name, int model, string? module, string[] weights)
    {
        var folder = Path.Combine(_folder.Path, name);
        Directory.CreateDirectory(folder);
        const string Layer = "model.layers.0";
        var tensors = new List<(string Name, long[] Shape, int Seed)> { ($"{Layer}.{module ?? "mlp"}.gate.weight", [Experts, Hidden], 900 + model), ($"{Layer}.input_layernorm.weight", [Hidden], 800 + model) };
        if (module is null)
        {
            tensors.Add(($"{Layer}.mlp.experts.gate_up_proj", [Experts, 2 * Inner, Hidden], model));
            tensors.Add(($"{Layer}.mlp.experts.down_proj", [Experts, Hidden, Inner], 500 + model));
        }

        for (var e = 0; module is not null && e < Experts; e++)
        {
            tensors.Add(($"{Layer}.{module}.experts.{e}.{weights[0]}.weight", [Inner, Hidden], model + (1000 * ((2 * e) + 1))));
            tensors.Add(($"{Layer}.{module}.experts.{e}.{weights[1]}.weight", [Inner, Hidden], model + (1000 * ((2 * e) + 2))));
            tensors.Add(($"{Layer}.{module}.experts.{e}.{weights[2]}.weight", [Hidden, Inner], 500 + model + (1000 * (e + 1))));
        }

        Save(folder, [.. tensors]);
    }

    /// <summary>Writes tensors of seeded noise; a seed of N thousands continues that of its rest at the Nth matrix of an expert.</summary>
    private static void Save(string folder, (string Name, long[] Shape, int Seed)[] tensors)
    {
        var layout = ShardLayout.Create(tensors.Select(t => new LayoutTensor(t.Name, TensorType.F32, t.Shape)), long.MaxValue);
        using var stream = File.Create(Path.Combine(folder, layout.Files[0].Name));
        stream.Write(layout.Files[0].Header.Span);
        for (var t = 0; t < tensors.Length; t++)
        {
            var values = new float[tensors[t].Shape.Aggregate(1L, (a, b) => a * b)];
            var first = Math.Max(0, (tensors[t].Seed / 1000) - 1) * (long)Inner * Hidden;
            for (var i = 0; i < values.Length; i++)
                values[i] = Noise(tensors[t].Seed % 1000, first + i);
            stream.Position = layout[t].Offset;
            stream.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        }
    }

    private static float Noise(int seed, long i)
    {
        var x = ((ulong)seed * 0x9E3779B97F4A7C15UL) + ((ulong)i * 0xBF58476D1CE4E5B9UL);
        x ^= x >> 29;
        x *= 0x94D049BB133111EBUL;
        return (((x >> 40) % 4001) - 2000f) / 2000f;
    }

    private static byte[] Bytes(CheckpointTensor tensor, long offset, int length)
    {
        var bytes = new byte[length];
        using var reader = new CheckpointReader();
        reader.Read(tensor, offset, bytes);
        return bytes;
    }
}
