using Smelt.Merging.Tests.Kernels;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Execution;

/// <summary>Threads, memory, shards and sweeps never show in an output.</summary>
public class SameBitsTests
{
    private static readonly Sequence<Expert> Experts = [Folder("e1"), new(Folder("e2")) { Weight = 0.5 }, Folder("e3")];

    private static readonly Sequence<Expert> WithStatistics = Sequence.From(Experts.Select((e, i) => e with { Statistics = Folder($"f{i + 1}") }));

    private static Recipe Recipe(string name) => name switch
    {
        "average" => new Average { Base = Folder("base"), Experts = Experts },
        "task arithmetic" => new TaskArithmetic { Base = Folder("base"), Experts = Experts, Lambda = 0.4 },
        "ties model" => new Ties { Base = Folder("base"), Experts = Experts },
        "ties model exact" => new Ties { Base = Folder("base"), Experts = Experts, Cut = Cut.Exact },
        "ties tensor" => new Ties { Base = Folder("base"), Experts = Experts, Profile = Profile.Mergekit, Density = 0.3 },
        "ties norms" => new Ties { Base = Folder("base"), Experts = Experts, Cut = Cut.Share, Density = 0.8, Election = Election.NormMass },
        "ties dominant" => new Ties { Base = Folder("base"), Experts = Experts, Trim = TrimScope.Tensor, Election = Election.NormFraction, Disjoint = false, Combine = Combine.Max },
        "ties deviation" => new Ties { Base = Folder("base"), Experts = Experts, Cut = Cut.Deviation, Deviations = 0.7, Stock = true },
        "ties median" => new Ties { Base = Folder("base"), Experts = Experts, Cut = Cut.Share, Trim = TrimScope.Tensor, Combine = Combine.GeometricMedian },
        "ties sign file" => new Ties { Base = Folder("base"), Experts = Experts, Election = Election.SignFile, SignFile = "e2" },
        "dare paper" => new DareTies { Base = Folder("base"), Experts = Experts, Seed = 5 },
        "dare linear" => new DareLinear { Base = Folder("base"), Experts = Experts, Density = 0.3, Normalize = true, WriteBack = true, Seed = 5 },
        "dare smallest" => new DareTies { Base = Folder("base"), Experts = Experts, Density = 0.5, Drop = Drop.Smallest, OnWeights = true, Rescale = Rescale.None },
        "dare weights" => new DareLinear { Base = Folder("base"), Experts = Experts, Density = 0.5, OnWeights = true, Seed = 5 },
        "ties middle" => new Ties { Base = Folder("base"), Experts = Experts, Combine = Combine.Median },
        "breadcrumbs rows" => new Breadcrumbs { Base = Folder("base"), Experts = Experts, Density = 0.4, Gamma = 0.05, Rescale = Rescale.L1 },
        "breadcrumbs ties" => new BreadcrumbsTies { Base = Folder("base"), Experts = Experts, Profile = Profile.Mergekit, Density = 0.4, Gamma = 0.05 },
        "breadcrumbs model" => new BreadcrumbsTies { Base = Folder("base"), Experts = Experts, Trim = TrimScope.Model, Density = 0.4, Gamma = 0.05 },
        "della paper" => new Della { Base = Folder("base"), Experts = Experts, Density = 0.4, Seed = 5 },
        "della mergekit" => new DellaLinear { Base = Folder("base"), Experts = Experts, Profile = Profile.Mergekit, Density = 0.4, Epsilon = 0.2, Seed = 5 },
        "slerp" => new Slerp { Base = Folder("base"), Experts = [Folder("e1")], T = 0.3 },
        "nuslerp" => new NuSlerp { Experts = [Folder("e1"), Folder("e2")] },
        "multislerp" => new MultiSlerp { Base = Folder("base"), Experts = Experts },
        "karcher" => new Karcher { Experts = [Folder("e1"), Folder("e2"), Folder("e3")] },
        "model stock" => new ModelStock { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")] },
        "nearswap" => new NearSwap { Base = Folder("base"), Experts = [Folder("e1")], T = 0.0003 },
        "arcee fusion" => new ArceeFusion { Base = Folder("base"), Experts = [Folder("e1")] },
        "sce" => new Sce { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")], SelectTopK = 0.4 },
        "ramplus" => new RamPlus { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")], Epsilon = 0.0003 },
        "consensus" => new Consensus { Base = Folder("base"), Experts = Experts, Lambda = 0.5, SaveMask = true },
        "tall masks" => new TallMasks { Base = Folder("base"), Experts = Experts, Density = 0.3, Election = Election.Unweighted, MaskLambda = 0.6 },
        "emr" => new Emr { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")] },
        "masked" => new Masked { Base = Folder("base"), Experts = [Folder("e1")], MaskFile = "masks.safetensors", Lambda = 1.25 },
        "pcb" => new Pcb { Base = Folder("base"), Experts = Experts, Ratio = 0.2 },
        "pcb vision" => new Pcb { Base = Folder("base"), Experts = Experts, Form = PcbForm.Vision, Ratio = 0.8, Clamp = 1e-4 },
        "magmax" => new MagMax { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")], Lambda = 0.5 },
        "expo" => new ExPO { Base = Folder("base"), Experts = Experts, Alpha = 0.3 },
        "fisher" => new Fisher { Base = Folder("base"), Experts = WithStatistics },
        "fisher plain" => new Fisher { Experts = WithStatistics, Normalize = false },
        "regmean" => new RegMean { Experts = Sequence.From(Experts.Select((e, i) => new Expert(e.Model) { Statistics = Folder($"g{i + 1}.safetensors") })) },
        "median" => new Median { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")] },
        "largest magnitude" => new LargestMagnitude { Experts = [Folder("e1"), Folder("e2"), Folder("e3")] },
        "passthrough" => new Passthrough { Experts = [Folder("e1")], Scale = 0.7 },
        _ => new DareTies { Base = Folder("base"), Experts = Experts, Profile = Profile.Mergekit, Density = 0.4, Seed = 5 },
    };

    public static TheoryData<string> Methods() => ["average", "task arithmetic", "ties model", "ties model exact", "ties tensor",
        "ties norms", "ties dominant", "ties deviation", "ties median", "ties sign file", "dare paper", "dare mergekit", "dare linear", "dare smallest", "dare weights", "ties middle", "breadcrumbs rows", "breadcrumbs ties", "breadcrumbs model", "della paper", "della mergekit",
        "slerp", "nuslerp", "multislerp", "karcher", "model stock", "nearswap", "arcee fusion", "sce", "ramplus", "consensus", "tall masks", "emr", "masked", "pcb", "pcb vision", "magmax", "expo", "fisher", "fisher plain", "regmean", "median", "largest magnitude", "passthrough"];

    /// <summary>The same merge of as many experts with special values.</summary>
    private static Recipe Special(Recipe recipe) => recipe with
    {
        NonFinite = NonFinite.Propagate,
        Experts = Sequence.From(recipe.Experts.Select((e, i) => new Expert(Folder($"special{i + 1}")) { Statistics = e.Statistics })),
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Threads_memory_and_shards_make_no_difference(string method)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        folder.WriteMasks();
        var recipe = Recipe(method);
        var expected = ModelFolder.Bytes(folder.Merge(recipe, "one", threads: 1));
        Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe, "three", threads: 3)));
        Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe, "eight", threads: 8, memory: 64L << 20)));
        Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe with { MaxShardSize = 150_000 }, "sharded")));
        Assert.True(Directory.GetFiles(Path.Combine(folder.Path, "sharded"), "*.safetensors").Length > 1);

        using var sharded = new ModelFolder();
        sharded.WriteFamily(maxShardSize: 140_000);
        sharded.WriteMasks();
        Assert.Equal(expected, ModelFolder.Bytes(sharded.Merge(recipe, "from-shards")));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Vector_widths_make_no_difference(string method)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        folder.WriteMasks();
        folder.WriteSpecials();
        var plain = Recipe(method);
        var specials = Special(plain);
        foreach (var recipe in new[] { plain, specials })
        {
            var outputs = KernelData.Widths.Select(width =>
            {
                var output = "";
                KernelData.At(width, () => output = folder.Merge(recipe, $"{recipe.NonFinite}-{width}", threads: 3));
                return ModelFolder.Bytes(output);
            }).ToArray();
            Assert.All(outputs, bytes => Assert.Equal(outputs[0], bytes));
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Special_values_make_no_difference_between_threads_shards_and_sweeps(string method)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        folder.WriteMasks();
        folder.WriteSpecials();
        var recipe = Special(Recipe(method));
        var expected = ModelFolder.Bytes(folder.Merge(recipe, "one", threads: 1));
        Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe, "eight", threads: 8, memory: 64L << 20)));
        Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe with { MaxShardSize = 150_000 }, "sharded")));
        if (recipe is TaskVectorRecipe taskVector)
        {
            var sweep = folder.Merge(taskVector with { Lambda = Sweep(taskVector.Lambda?.Value ?? 1, 0.25) }, "sweep");
            var point = Directory.GetDirectories(sweep).Single(d => !d.EndsWith("0.25", StringComparison.Ordinal));
            Assert.Equal(expected, ModelFolder.Bytes(point));
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void An_interrupted_run_ends_as_an_undisturbed_one(string method)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        folder.WriteMasks();
        var recipe = Recipe(method);
        var expected = ModelFolder.Bytes(folder.Merge(recipe, "whole"));
        for (var bytes = 50_000L; ; bytes += 400_000)
        {
            if (folder.MergeUntil(recipe, "stopped", bytes))
                break;
            Assert.False(Directory.Exists(Path.Combine(folder.Path, "stopped")));
        }

        Assert.Equal(expected, ModelFolder.Bytes(Path.Combine(folder.Path, "stopped")));
    }

    [Theory]
    [InlineData("ties model")]
    [InlineData("ties tensor")]
    [InlineData("dare paper")]
    [InlineData("breadcrumbs rows")]
    [InlineData("della paper")]
    [InlineData("della mergekit")]
    [InlineData("breadcrumbs ties")]
    public void A_sweep_point_is_the_same_as_that_point_alone(string method)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        folder.WriteMasks();
        var recipe = (SparseRecipe)Recipe(method);
        var sweep = folder.Merge(recipe with { Lambda = Sweep(0.5, 1), Density = Sweep(0.2, 0.6) }, "sweep");
        foreach (var lambda in new[] { 0.5, 1 })
        {
            foreach (var density in new[] { 0.2, 0.6 })
            {
                var alone = folder.Merge(recipe with { Lambda = lambda, Density = density }, $"alone-{lambda}-{density}");
                Assert.Equal(ModelFolder.Bytes(alone), ModelFolder.Bytes(Path.Combine(sweep, $"lambda={lambda},density={density}")));
            }
        }
    }

    [Fact]
    public void Density_one_of_an_exact_cut_is_task_arithmetic_with_elected_signs_off()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        folder.WriteMasks();
        var ties = folder.Merge(new Ties { Base = Folder("base"), Experts = Experts, Profile = Profile.Mergekit, Election = Election.None, Normalize = false, Lambda = 0.4 }, "ties");
        Assert.Equal(ModelFolder.Bytes(folder.Merge(Recipe("task arithmetic"), "sum")), ModelFolder.Bytes(ties));
    }
}
