using Smelt.Checkpoints;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>The methods on elements, against their formulas written anew in fp64.</summary>
public class PairwiseTests
{
    private static readonly string[] Names = ["e1", "e2", "e3"];

    private static MatrixModels Models()
    {
        var models = new MatrixModels(("long", [70_001]), ("matrix", [37, 23]), ("scalar", []), ("empty", [0, 4]));
        models.WriteNoise("base", 1, 0.1f);
        for (var i = 1; i <= Names.Length; i++)
            models.WriteNoise($"e{i}", i + 1, 0.01f * i, around: "base");
        return models;
    }

    private static Sequence<Expert> Experts(int count) => Sequence.From(Names.Take(count).Select(n => new Expert(Folder(n))));

    private static void Close(double expected, float actual, double tolerance = 1e-6) => Assert.InRange(actual, expected - tolerance, expected + tolerance);

    [Fact]
    public void Nearswap_moves_no_further_than_t_and_swaps_what_is_near()
    {
        using var models = Models();
        Assert.Equal(models.Values("base")["long"], models.Merge(new NearSwap { Base = Folder("base"), Experts = Experts(1), T = 0 })["long"]);
        var merged = models.Merge(new NearSwap { Base = Folder("base"), Experts = Experts(1), T = 0.005, Tensors = [On("scalar") with { T = 10 }] });
        Assert.Equal(models.Values("e1")["scalar"], merged["scalar"]);
        var (b, x, moved) = (models.Values("base")["long"], models.Values("e1")["long"], merged["long"]);
        for (var i = 0; i < b.Length; i++)
            Close(Math.Abs(x[i] - b[i]) <= 0.005 ? x[i] : b[i] + (0.005 * Math.Sign(x[i] - b[i])), moved[i]);
    }

    [Fact]
    public void Ram_averages_shared_changes_and_takes_own_ones_whole()
    {
        using var models = Models();
        foreach (var plus in new[] { false, true })
        {
            Recipe recipe = plus
                ? new RamPlus { Base = Folder("base"), Experts = Experts(3), Epsilon = 0.02, R = 2, Alpha = 0.4 }
                : new Ram { Base = Folder("base"), Experts = Experts(3), Epsilon = 0.02 };
            var merged = models.Merge(recipe)["long"];
            var b = models.Values("base")["long"];
            float[][] d = [.. Names.Select(n => models.Values(n)["long"].Zip(b, (x, y) => x - y).ToArray())];
            bool Changed(int expert, int i) => Math.Abs(d[expert][i]) > 0.02f;
            int[] counts = [.. Enumerable.Range(0, b.Length).Select(i => Enumerable.Range(0, 3).Count(e => Changed(e, i)))];
            double[] factors = [.. Enumerable.Range(0, 3).Select(e =>
            {
                var own = Enumerable.Range(0, b.Length).Count(i => Changed(e, i) && counts[i] == 1);
                var shared = Enumerable.Range(0, b.Length).Count(i => Changed(e, i) && counts[i] > 1);
                return plus ? 1 + (2 * Math.Min((double)shared / own, 0.4)) : 1;
            })];
            for (var i = 0; i < b.Length; i++)
                Close(b[i] + Enumerable.Range(0, 3).Where(e => Changed(e, i)).Sum(e => d[e][i] * (counts[i] == 1 ? factors[e] : 1.0 / counts[i])), merged[i]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.3)]
    [InlineData(0)]
    public void Sce_selects_calculates_and_erases(double fraction)
    {
        using var models = Models();
        var merged = models.Merge(new Sce { Base = Folder("base"), Experts = Experts(3), SelectTopK = fraction })["long"];
        var b = models.Values("base")["long"];
        float[][] d = [.. Names.Select(n => models.Values(n)["long"].Zip(b, (x, y) => x - y).ToArray())];
        double Variance(int i)
        {
            var mean = d.Average(x => (double)x[i]);
            return d.Average(x => (x[i] - mean) * (x[i] - mean));
        }

        var selected = Enumerable.Range(0, b.Length).OrderByDescending(Variance).Take((int)(fraction * b.Length)).ToHashSet();
        double[] energy = [.. d.Select(x => selected.Sum(i => (double)x[i] * x[i]))];
        var different = 0;
        for (var i = 0; i < b.Length; i++)
        {
            var sign = Math.Sign(d.Sum(x => (double)x[i]));
            var agreeing = Enumerable.Range(0, 3).Where(e => selected.Contains(i) && Math.Sign(d[e][i]) == sign).ToArray();
            var change = agreeing.Length == 0 ? 0 : agreeing.Sum(e => energy[e] * d[e][i]) / agreeing.Sum(e => energy[e]);
            different += Math.Abs(merged[i] - b[i] - change) > 1e-6 ? 1 : 0;
        }

        // Rounding may exchange neighbours at the edge of the selection.
        Assert.InRange(different, 0, 4);
    }

    [Fact]
    public void Sce_keeps_exactly_as_many_elements_as_asked_among_equals()
    {
        using var models = new MatrixModels(("t", [100_000]));
        models.Write("base", _ => new float[100_000]);
        for (var e = 1; e <= 2; e++)
            models.Write($"e{e}", _ => [.. Enumerable.Range(0, 100_000).Select(i => i % 2 == 0 ? 0f : e)]);
        var merged = models.Merge(new Sce { Base = Folder("base"), Experts = Experts(2), SelectTopK = 0.8 })["t"];
        Assert.Equal(40_000, merged.Count(v => v != 0));
        Assert.Equal(79_999, Array.FindLastIndex(merged, v => v != 0));
    }

    [Fact]
    public void Arcee_fusion_takes_the_outliers_of_importance()
    {
        using var models = Models();
        var merged = models.Merge(new ArceeFusion { Base = Folder("base"), Experts = Experts(1) })["matrix"];
        var (b, x) = (models.Values("base")["matrix"], models.Values("e1")["matrix"]);
        var importance = new double[b.Length];
        for (var row = 0; row < 37; row++)
        {
            int[] index = [.. Enumerable.Range(row * 23, 23)];
            var (p, q) = (index.Sum(i => Math.Exp(x[i])), index.Sum(i => Math.Exp(b[i])));
            var divergence = index.Sum(i => ((Math.Exp(x[i]) / p) + 1e-8) * Math.Log(((Math.Exp(x[i]) / p) + 1e-8) / ((Math.Exp(b[i]) / q) + 1e-8)));
            foreach (var i in index)
                importance[i] = Math.Abs(x[i] - b[i]) * divergence;
        }

        var sorted = importance.Order().ToArray();
        double Quantile(double part) => sorted[(int)(part * (sorted.Length - 1))];
        var threshold = Quantile(0.5) + (1.5 * (Quantile(0.75) - Quantile(0.25)));
        var chosen = 0;
        for (var i = 0; i < b.Length; i++)
        {
            if (Math.Abs(importance[i] - threshold) > 1e-5 * threshold)
                Assert.Equal(importance[i] >= threshold ? x[i] : b[i], merged[i]);
            chosen += merged[i] == x[i] ? 1 : 0;
        }

        Assert.InRange(chosen, 1, b.Length / 2);
    }

    [Theory]
    [InlineData("F32")]
    [InlineData("F64")]
    [InlineData("I32")]
    public void Passthrough_keeps_every_byte(string type)
    {
        using var models = new MatrixModels(("a", [70_001]), ("b", [3, 5]));
        models.Write("e1", name => [.. Enumerable.Range(0, name == "a" ? 70_001 : 15).Select(i => i == 3 ? -0f : i / 7f)], TensorType.All[type]);
        Assert.Equal(models.Bytes("e1"), models.Bytes(models.Run(new Passthrough { Experts = Experts(1) }).Folders[0]));
    }

    [Fact]
    public void Passthrough_scales_and_converts()
    {
        using var models = Models();
        var merged = models.Merge(new Passthrough { Experts = Experts(1), Tensors = [On("long") with { Scale = 0.5 }] });
        Assert.Equal(models.Values("e1")["long"].Select(v => v / 2), merged["long"]);
        Assert.Equal(models.Values("e1")["matrix"], merged["matrix"]);
        Assert.Equal(models.Bytes("e1").Length / 2, models.Bytes(models.Run(new Passthrough { Experts = Experts(1), Dtype = DType.BF16 }).Folders[0]).Length);
    }

    public static TheoryData<string> Methods() => ["nearswap", "ram", "ramplus", "sce", "sce all", "arcee"];

    private static Recipe Recipe(string method) => method switch
    {
        "nearswap" => new NearSwap { Base = Folder("base"), Experts = Experts(1), T = 0.003 },
        "ram" => new Ram { Base = Folder("base"), Experts = Experts(3) },
        "ramplus" => new RamPlus { Base = Folder("base"), Experts = Experts(3), Epsilon = 0.01 },
        "sce" => new Sce { Base = Folder("base"), Experts = Experts(3), SelectTopK = 0.4 },
        "sce all" => new Sce { Base = Folder("base"), Experts = Experts(3) },
        _ => new ArceeFusion { Base = Folder("base"), Experts = Experts(1) },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Threads_make_no_difference(string method)
    {
        using var models = Models();
        var expected = models.Bytes(models.Run(Recipe(method), 1).Folders[0]);
        Assert.Equal(expected, models.Bytes(models.Run(Recipe(method), 3).Folders[0]));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Equal_and_zero_models_give_finite_results(string method)
    {
        using var models = new MatrixModels(("zeros", [5, 7]), ("equal", [5, 7]), ("huge", [5, 7]), ("tiny", [35]));
        for (var m = 0; m <= 3; m++)
        {
            models.Write(m == 0 ? "base" : $"e{m}", name => [.. Enumerable.Range(0, 35).Select(i => name switch
            {
                "zeros" => 0f,
                "equal" => 1 + (i / 8f),
                "huge" => 1e37f * (m - 1) * (i % 3),
                _ => 1e-42f * (m + i),
            })]);
        }

        foreach (var (name, values) in models.Merge(Recipe(method)))
            Assert.All(values, v => Assert.True(float.IsFinite(v), $"{name}: {v}"));
    }
}
