using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Merging.Tests.Execution;
using Smelt.Merging.Tests.Kernels;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>Random masks that mergekit draws: one stream for the whole output, in the order of its tensors' names.</summary>
public class MergekitSeedTests
{
    private static readonly MergekitSeed Seed = new(42);

    private static MatrixModels Models(Smelt.Checkpoints.TensorType? type = null)
    {
        // The order in the files is not that of names, and blocks end inside the stream.
        var models = new MatrixModels(("layer.2", [70_001]), ("layer.10", [37, 23]), ("head", []), ("empty", [0, 4]), ("layer.1", [65_536]));
        models.WriteNoise("base", 1, 0.1f);
        for (var i = 1; i <= 3; i++)
            models.WriteNoise($"e{i}", i + 1, 0.01f * i, around: "base");
        if (type is not null)
        {
            foreach (var model in new[] { "base", "e1", "e2", "e3" })
            {
                var values = models.Values(model);
                models.Write(model, name => values[name], type);
            }
        }

        return models;
    }

    /// <summary>What thinning leaves of task vectors, for experts of given densities; 1 keeps all, and below 1 a number is drawn for each element.</summary>
    private static Dictionary<string, float[]> Expected(MatrixModels models, double[] densities, IEnumerable<string>? names = null)
    {
        using var words = MersenneTwisterTests.Words(42).GetEnumerator();
        var b = models.Values("base");
        return (names ?? b.Keys).Order(StringComparer.Ordinal).ToDictionary(name => name, name =>
        {
            var sum = new float[b[name].Length];
            for (var i = 0; i < densities.Length; i++)
            {
                var x = models.Values($"e{i + 1}")[name];
                for (var e = 0; e < sum.Length; e++)
                    sum[e] += Keeps(densities[i]) ? x[e] - b[name][e] : 0;
            }

            return sum.Select((d, e) => b[name][e] + d).ToArray();
        });

        bool Keeps(double density) => density >= 1 || (words.MoveNext() && (words.Current & 0xFFFFFF) / 16_777_216.0 < (float)density);
    }

    private static DareLinear Recipe(params double[] densities) => new()
    {
        Base = Folder("base"),
        Experts = Sequence.From(densities.Select((d, i) => new Expert(Folder($"e{i + 1}")) { Density = d })),
        Rescale = Rescale.None,
    };

    [Fact]
    public void Numbers_are_drawn_tensor_by_tensor_in_ordinal_order_and_for_each_expert_in_turn()
    {
        using var models = Models();
        foreach (var densities in new double[][] { [0.3], [0.3, 0.7], [0.5, 1, 0.2], [0, 0.4] })
            Assert.Equal(Expected(models, densities), models.Merge(Recipe(densities), Seed));
        Assert.NotEqual(Expected(models, [0.3]), models.Merge(Recipe(0.3)));
    }

    [Fact]
    public void Tensors_that_are_kept_take_no_numbers()
    {
        using var models = Models();
        var merged = models.Merge(Recipe(0.3, 0.7) with { Tensors = [Keep("layer.10")] }, Seed);
        foreach (var (name, values) in Expected(models, [0.3, 0.7], ["head", "layer.1", "layer.2"]))
            Assert.Equal(values, merged[name]);
    }

    [Fact]
    public void Parts_share_one_stream_in_the_order_of_all_tensors()
    {
        using var models = Models();
        var recipe = Recipe(0.3, 0.7);
        var parts = new Modules { Parts = [Part("layer.1*", recipe), Part("head", recipe with { Tensors = [] }), Part("**", recipe)] };
        Assert.Equal(Expected(models, [0.3, 0.7]), models.Merge(parts, Seed));
    }

    [Fact]
    public void Every_point_of_a_sweep_and_every_stage_begins_anew()
    {
        using var models = Models();
        var result = models.Run(Recipe(0.3) with { Experts = [new(Folder("e1")) { Density = Sweep(0.3, 1, 0.6) }] }, seed: Seed);
        Assert.Equal(Expected(models, [0.3]), models.Read(result, 0));
        Assert.Equal(Expected(models, [1]), models.Read(result, 1));
        Assert.Equal(Expected(models, [0.6]), models.Read(result, 2));
        Assert.Equal(Expected(models, [0.3, 0.7]), models.Merge(new Passthrough { Experts = [From(Recipe(0.3, 0.7))] }, Seed));
    }

    [Fact]
    public void Densities_are_rounded_where_mergekit_computes_in_bfloat16()
    {
        using var models = Models();
        MergekitSeed In(DType? format) => Seed with { Arithmetic = new Dictionary<string, DType?> { ["test"] = format } };

        // 0.53 is 0.53125 in bfloat16.
        var recipe = Recipe(0.53) with { Dtype = DType.F32 };
        Assert.Equal(Expected(models, [0.53]), models.Merge(recipe, Seed));
        Assert.Equal(Expected(models, [0.53]), models.Merge(recipe, In(null)));
        Assert.Equal(Expected(models, [0.53]), models.Merge(recipe, In(DType.F16)));
        Assert.Equal(Expected(models, [0.53125]), models.Merge(recipe, In(DType.BF16)));
        Assert.NotEqual(Expected(models, [0.53]), Expected(models, [0.53125]));
    }

    [Fact]
    public void Della_compares_its_probabilities_with_the_same_stream()
    {
        using var models = Models();
        var recipe = new DellaLinear { Base = Folder("base"), Experts = [new(Folder("e1")) { Density = 0 }, new(Folder("e2")) { Density = 0.5 }], Epsilon = 0.2, Rescale = Rescale.None };
        var (merged, b, x) = (models.Merge(recipe, Seed), models.Values("base"), models.Values("e2"));
        using var words = MersenneTwisterTests.Words(42).GetEnumerator();
        foreach (var name in b.Keys.Order(StringComparer.Ordinal))
        {
            var width = name == "layer.10" ? 23 : b[name].Length;
            for (var row = 0; row < b[name].Length; row += width)
            {
                var d = Enumerable.Range(row, width).Select(e => x[name][e] - b[name][e]).ToArray();
                var ranks = Enumerable.Range(0, width).OrderBy(e => Math.Abs(d[e])).Select((e, rank) => (e, rank)).ToDictionary(p => p.e, p => p.rank);
                for (var e = 0; e < width; e++)
                {
                    var p = width == 1 ? 0.5f : ((float)ranks[e] / (width - 1) * 2 * 0.2f) + 0.3f;
                    words.MoveNext();
                    Assert.Equal(b[name][row + e] + ((words.Current & 0xFFFFFF) / 16_777_216.0 < p ? d[e] : 0), merged[name][row + e]);
                }
            }
        }
    }

    public static TheoryData<string> Methods() => ["dare ties", "dare linear", "della"];

    private static Recipe OfFamily(string name)
    {
        Sequence<Expert> experts = [Folder("e1"), new(Folder("e2")) { Weight = 0.5 }, new(Folder("e3")) { Density = 0.6 }];
        return name switch
        {
            "dare ties" => new DareTies { Base = Folder("base"), Experts = experts, Profile = Profile.Mergekit, Density = 0.4 },
            "dare linear" => new DareLinear { Base = Folder("base"), Experts = experts, Density = 0.3 },
            _ => new Della { Base = Folder("base"), Experts = experts, Profile = Profile.Mergekit, Density = 0.4, Epsilon = 0.2 },
        };
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Threads_memory_shards_widths_and_interruptions_make_no_difference(string method)
    {
        using var folder = new ModelFolder { Seed = Seed };
        folder.WriteFamily();
        var recipe = OfFamily(method);
        var expected = ModelFolder.Bytes(folder.Merge(recipe, "one", threads: 1));
        Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe, "three", threads: 3)));
        Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe, "eight", threads: 8, memory: 64L << 20)));
        Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe with { MaxShardSize = 150_000 }, "sharded")));
        foreach (var width in KernelData.Widths)
            KernelData.At(width, () => Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe, $"w{width}", threads: 3))));
        for (var bytes = 50_000L; !folder.MergeUntil(recipe, "stopped", bytes); bytes += 400_000)
            Assert.False(Directory.Exists(Path.Combine(folder.Path, "stopped")));
        Assert.Equal(expected, ModelFolder.Bytes(Path.Combine(folder.Path, "stopped")));

        using var other = new ModelFolder { Seed = new(43) };
        other.WriteFamily();
        Assert.NotEqual(expected, ModelFolder.Bytes(other.Merge(recipe, "other")));
    }

    [Fact]
    public void The_manifest_holds_the_seed_and_tells_outputs_apart_by_it()
    {
        using var folder = new ModelFolder { Seed = Seed };
        folder.WriteFamily();
        var recipe = OfFamily("dare linear");
        var output = folder.Merge(recipe, "out");
        Assert.Contains("\"seed\": 42", File.ReadAllText(Path.Combine(output, Manifest.FileName)), StringComparison.Ordinal);
        var plain = Planner.Plan("test", recipe, Recipes.Configuration.ConfigurationWriter.Write("test", recipe), folder.Path);
        Assert.True(Manifest.IsOf(output, plain.WithMergekitSeed(Seed), 0));
        Assert.False(Manifest.IsOf(output, plain.WithMergekitSeed(new(43)), 0));
        Assert.False(Manifest.IsOf(output, plain.WithMergekitSeed(Seed with { Arithmetic = new Dictionary<string, DType?> { ["test"] = DType.BF16 } }), 0));
        Assert.False(Manifest.IsOf(output, plain, 0));
    }

    [Theory]
    [InlineData("average", "no mask is drawn")]
    [InlineData("smallest", "no mask is drawn")]
    [InlineData("own seed", "own seed has no effect")]
    [InlineData("della in bf16", "rounded to 16 bits")]
    [InlineData("dare in bf16", null)]
    [InlineData("della in fp32", null)]
    public void What_a_seed_can_not_do_is_said(string what, string? warning)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        Recipe recipe = what switch
        {
            "average" => new Average { Experts = [Folder("e1"), Folder("e2")] },
            "smallest" => new DareLinear { Base = Folder("base"), Experts = [Folder("e1")], Drop = Drop.Smallest },
            "own seed" => (DareLinear)OfFamily("dare linear") with { Seed = 3 },
            "della in bf16" => OfFamily("della"),
            "della in fp32" => OfFamily("della") with { Dtype = DType.F32 },
            _ => OfFamily("dare ties"),
        };
        var warnings = folder.Plan(recipe).WithMergekitSeed(Seed).Warnings;
        if (warning is null)
            Assert.DoesNotContain(warnings, w => w.Id == "SM7043");
        else
            Assert.Contains(warning, Assert.Single(warnings, w => w.Id == "SM7043").Message, StringComparison.Ordinal);
    }
}
