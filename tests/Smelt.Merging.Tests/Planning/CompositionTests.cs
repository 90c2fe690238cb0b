using System.Text.Json;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Merging.Tests.Methods;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Planning;

/// <summary>Stacks, modules, gradients, stages and tensors that some inputs lack, by the values that come out.</summary>
public sealed class CompositionTests : IDisposable
{
    private const string Embedding = "model.embed_tokens.weight";
    private const string Norm = "model.norm.weight";
    private const string Head = "lm_head.weight";
    private readonly MatrixModels _models = Family(4);

    public void Dispose() => _models.Dispose();

    private static string Mlp(int layer) => $"model.layers.{layer}.mlp.weight";

    private static MatrixModels Family(int layers)
    {
        var shapes = Enumerable.Range(0, layers).Select(i => (Mlp(i), new long[] { 3, 5 }));
        var models = new MatrixModels([(Embedding, [7, 3]), .. shapes, (Norm, [3]), (Head, [7, 3])]);
        foreach (var (name, i) in new[] { "base", "a", "b" }.Select((n, i) => (n, i)))
        {
            models.WriteNoise(name, i + 1);
            models.WriteConfig(name, $$"""{"num_hidden_layers": {{layers}}, "layer_types": [{{string.Join(", ", Enumerable.Range(0, layers).Select(l => $"\"{l}\""))}}], "hidden_size": {{layers}}, "dtype": "float32"}""");
        }

        return models;
    }

    private static float[] Mixed(float[] x, float[] y, double wx, double wy) =>
        [.. x.Zip(y, (a, b) => (((float)wx * a) + ((float)wy * b)) / ((float)wx + (float)wy))];

    private static void Close(float[] expected, float[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - 1e-6f, pair.First + 1e-6f));

    [Fact]
    public void A_stack_takes_layers_as_they_are_and_what_lies_outside_from_its_ends()
    {
        var result = _models.Run(Stack(From(Folder("a"), 0..3), From(Folder("b"), 1..2), From(Folder("b"), 1..)));
        var (merged, a, b) = (_models.Read(result), _models.Values("a"), _models.Values("b"));
        Assert.Equal([Embedding, .. Enumerable.Range(0, 7).Select(Mlp), Norm, Head], merged.Keys.Order(StringComparer.Ordinal).OrderBy(n => n == Embedding ? 0 : n == Norm ? 2 : n == Head ? 3 : 1));
        Assert.Equal(a[Embedding], merged[Embedding]);
        Assert.Equal(b[Norm], merged[Norm]);
        Assert.Equal(b[Head], merged[Head]);
        (Dictionary<string, float[]> From, int Layer)[] origins = [(a, 0), (a, 1), (a, 2), (b, 1), (b, 1), (b, 2), (b, 3)];
        for (var i = 0; i < origins.Length; i++)
            Assert.Equal(origins[i].From[Mlp(origins[i].Layer)], merged[Mlp(i)]);

        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(result.Folders[0], "config.json")));
        Assert.Equal(7, config.RootElement.GetProperty("num_hidden_layers").GetInt32());
        Assert.Equal(["0", "1", "2", "1", "1", "2", "3"], config.RootElement.GetProperty("layer_types").EnumerateArray().Select(e => e.GetString()!));
        Assert.Equal(4, config.RootElement.GetProperty("hidden_size").GetInt32());
    }

    [Fact]
    public void A_slice_merges_layers_of_different_numbers()
    {
        var slice = new Average { Experts = [new(Folder("a")) { Weight = Gradient(0, 1), Layers = 0..2 }, new(Folder("b")) { Weight = 0.5, Layers = 2..4 }] };
        var merged = _models.Merge(new Stack { Slices = [slice, slice with { Experts = [new(Folder("base")) { Layers = 3..4 }] }] });
        var (a, b, c) = (_models.Values("a"), _models.Values("b"), _models.Values("base"));
        Close(b[Mlp(2)], merged[Mlp(0)]);
        Close(Mixed(a[Mlp(1)], b[Mlp(3)], 1, 0.5), merged[Mlp(1)]);
        Assert.Equal(c[Mlp(3)], merged[Mlp(2)]);
        Assert.False(merged.ContainsKey(Mlp(3)));
        Close(b[Embedding], merged[Embedding]);
        Assert.Equal(c[Norm], merged[Norm]);
    }

    [Fact]
    public void Layers_alone_make_a_shallower_model()
    {
        var merged = _models.Merge(new TaskArithmetic { Base = Folder("base"), Experts = [Folder("a")], Layers = 1..3, Lambda = 0.5 });
        var (c, a) = (_models.Values("base"), _models.Values("a"));
        Assert.Equal(5, merged.Count);
        Close([.. c[Mlp(2)].Zip(a[Mlp(2)], (x, y) => x + (0.5f * (y - x)))], merged[Mlp(1)]);
        Close([.. c[Head].Zip(a[Head], (x, y) => x + (0.5f * (y - x)))], merged[Head]);
    }

    [Fact]
    public void A_gradient_joins_its_values_by_straight_lines_over_the_layers()
    {
        var merged = _models.Merge(new Slerp { Base = Folder("a"), Experts = [Folder("b")], LinearAbove = 0, T = Gradient(0, 1, 0.5), Tensors = [On("**.layers.3.**") with { T = Gradient(0.25, 0.75) }] });
        var (a, b) = (_models.Values("a"), _models.Values("b"));
        double[] depths = [0, 2.0 / 3, 1 - (0.5 / 3), 0.75];
        for (var i = 0; i < depths.Length; i++)
            Close([.. a[Mlp(i)].Zip(b[Mlp(i)], (x, y) => (float)(((1 - depths[i]) * x) + (depths[i] * y)))], merged[Mlp(i)]);
        Assert.Equal(a[Embedding], merged[Embedding]);
        Assert.Equal(a[Head], merged[Head]);
    }

    [Fact]
    public void Modules_merge_each_tensor_by_the_first_part_that_matches()
    {
        var merged = _models.Merge(new Modules
        {
            Parts =
            [
                Part("**.embed_*.**", new Average { Experts = [Folder("a"), new(Folder("b")) { Weight = 3 }] }),
                Part("**.layers.**", Stack(From(Folder("a"), 1..2), From(Folder("b"), 1..4))),
                Part("**", new TaskArithmetic { Base = Folder("base"), Experts = [Folder("a")], Lambda = 2 }),
            ],
        });
        var (a, b, c) = (_models.Values("a"), _models.Values("b"), _models.Values("base"));
        Close(Mixed(a[Embedding], b[Embedding], 1, 3), merged[Embedding]);
        Assert.Equal(a[Mlp(1)], merged[Mlp(0)]);
        Assert.Equal(b[Mlp(3)], merged[Mlp(3)]);
        Close([.. c[Norm].Zip(a[Norm], (x, y) => x + (2 * (y - x)))], merged[Norm]);
    }

    [Fact]
    public void Tensors_of_no_part_come_from_the_base_or_are_refused()
    {
        var modules = new Modules { Parts = [Part("**.layers.**", new Average { Experts = [Folder("a"), Folder("b")] })] };
        var refused = Assert.Throws<InvalidInputException>(() => _models.Merge(modules));
        Assert.Contains("SM7019", refused.Message);
        Assert.Contains(Embedding, refused.Message);
        var merged = _models.Merge(modules with { Base = Folder("base") });
        Assert.Equal(_models.Values("base")[Embedding], merged[Embedding]);
        Close(Mixed(_models.Values("a")[Mlp(2)], _models.Values("b")[Mlp(2)], 1, 1), merged[Mlp(2)]);
    }

    [Fact]
    public void A_stage_equals_its_recipe_merged_by_itself()
    {
        var first = new Average { Experts = [Folder("a"), Folder("b")], Dtype = DType.BF16 };
        Recipe Second(Model model) => new Ties { Base = Folder("base"), Experts = [model, Folder("a")], Density = 0.5, Dtype = DType.F32 };
        var alone = _models.Run(first).Folders[0];
        var staged = _models.Run(Second(From(new Passthrough { Experts = [From(first)] }, "mean")));
        Assert.Equal(_models.Read(_models.Run(Second(Folder(alone)))), _models.Read(staged));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(staged.Folders[0])!, ".*"));
    }

    [Fact]
    public void A_stage_that_fails_leaves_nothing_and_says_so_before_anything_is_read()
    {
        var refused = Assert.Throws<InvalidInputException>(() => _models.Merge(new Average { Experts = [From(new Average { Experts = [Folder("none"), Folder("a")] }), Folder("also-none")] }));
        Assert.Contains("also-none", refused.Message);
        Assert.Equal(2, refused.Problems.Count);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_models.Path, "*out*"));
    }

    [Fact]
    public void Tensors_that_some_lack_are_refused_joined_or_left_out()
    {
        using var small = Family(3);
        var recipe = new Average { Experts = [new(Folder("a")) { Weight = 3 }, Folder(Path.Combine(small.Path, "b")), new(Folder("b")) { Weight = 2 }] };
        Assert.Contains(Mlp(3), Assert.Throws<InvalidInputException>(() => _models.Merge(recipe)).Message);
        var (a, b, c) = (_models.Values("a"), small.Values("b"), _models.Values("b"));
        foreach (var order in new[] { recipe, recipe with { Experts = [recipe.Experts[1], recipe.Experts[0], recipe.Experts[2]] } })
        {
            var union = _models.Merge(order with { Missing = MissingTensors.Union });
            Close(Mixed(a[Mlp(3)], c[Mlp(3)], 3, 2), union[Mlp(3)]);
            Close([.. Enumerable.Range(0, 15).Select(i => ((3 * a[Mlp(0)][i]) + b[Mlp(0)][i] + (2 * c[Mlp(0)][i])) / 6)], union[Mlp(0)]);
            Assert.False(_models.Merge(order with { Missing = MissingTensors.Intersection }).ContainsKey(Mlp(3)));
        }
    }

    [Theory]
    [InlineData("SM7018", "the layers are 2..9, but a has 4 layers")]
    public void Layers_that_are_not_there_are_refused(string rule, string message)
    {
        var refused = Assert.Throws<InvalidInputException>(() => _models.Merge(Stack(From(Folder("a"), 2..9), From(Folder("b"), 0..2))));
        Assert.Contains(rule, refused.Message);
        Assert.Contains(message, refused.Message);
    }

    [Fact]
    public void Every_point_of_a_sweep_inside_a_slice_is_the_merge_alone()
    {
        Recipe Of(Scalar lambda) => Stack(From(Folder("a"), 0..1), new TaskArithmetic { Base = Folder("base"), Experts = [Folder("b")], Lambda = lambda, Layers = 1..4 });
        var swept = _models.Run(Of(Sweep(0.3, 0.7)));
        Assert.Equal(["slices.1.lambda=0.3", "slices.1.lambda=0.7"], swept.Folders.Select(Path.GetFileName));
        Assert.Equal(_models.Merge(Of(0.3)), _models.Read(swept));
        Assert.Equal(_models.Merge(Of(0.7)), _models.Read(swept, 1));
    }
}
