using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>DARE, against its formulas.</summary>
public class DareTests
{
    private static MatrixModels Models()
    {
        var models = new MatrixModels(("long", [70_001]), ("matrix", [37, 23]), ("scalar", []), ("empty", [0, 4]));
        models.WriteNoise("base", 1, 0.1f);
        for (var i = 1; i <= 3; i++)
            models.WriteNoise($"e{i}", i + 1, 0.01f * i, around: "base");
        return models;
    }

    private static Sequence<Expert> Experts(double weight = 0.5) => [new(Folder("e1")) { Weight = weight }, new(Folder("e2")) { Weight = 0.25 }];

    [Fact]
    public void Without_a_drop_it_is_task_arithmetic()
    {
        using var models = Models();
        foreach (var normalize in new[] { false, true })
        {
            var sum = new TaskArithmetic { Base = Folder("base"), Experts = Experts(), Lambda = 0.7, Normalize = normalize };
            var dare = new DareLinear { Base = Folder("base"), Experts = Experts(), Lambda = 0.7, Normalize = normalize, Density = 1 };
            Assert.Equal(models.Merge(sum), models.Merge(dare));
            Assert.Equal(models.Merge(sum), models.Merge(dare with { Profile = Profile.Mergekit }));
        }
    }

    [Fact]
    public void A_density_of_zero_leaves_the_base()
    {
        using var models = Models();
        foreach (var rescale in Enum.GetValues<Rescale>())
            Assert.Equal(models.Values("base"), models.Merge(new DareLinear { Base = Folder("base"), Experts = Experts(), Density = 0, Rescale = rescale, Normalize = true }));
    }

    [Fact]
    public void What_is_kept_is_divided_by_the_density_or_keeps_the_norm()
    {
        using var models = Models();
        var (b, x) = (models.Values("base")["long"], models.Values("e1")["long"]);
        DareLinear Recipe(Rescale rescale) => new() { Base = Folder("base"), Experts = [Folder("e1")], Density = 0.25, Rescale = rescale, Seed = 3 };
        var plain = models.Merge(Recipe(Rescale.None))["long"];
        var inverse = models.Merge(Recipe(Rescale.Inverse))["long"];
        var norm = models.Merge(Recipe(Rescale.L1))["long"];
        var kept = Enumerable.Range(0, b.Length).Where(i => plain[i] != b[i]).ToArray();
        Assert.InRange(kept.Length / (double)b.Length, 0.24, 0.26);
        var ratio = Enumerable.Range(0, b.Length).Sum(i => Math.Abs((double)x[i] - b[i])) / kept.Sum(i => Math.Abs((double)x[i] - b[i]));
        foreach (var i in kept)
        {
            Assert.Equal(x[i], plain[i], 1e-7f);
            Assert.Equal(b[i] + ((x[i] - b[i]) / 0.25f), inverse[i], 1e-7f);
            Assert.Equal(b[i] + ((x[i] - b[i]) * (float)ratio), norm[i], 1e-7f);
        }
    }

    [Fact]
    public void Each_expert_has_its_own_density_and_mask()
    {
        using var models = Models();
        var rules = Sequence.From<TensorRule>([On("matrix") with { Density = 1 }]);
        var recipe = new DareLinear { Base = Folder("base"), Experts = [new(Folder("e1")) { Density = 0.1, Tensors = rules }, new(Folder("e2")) { Density = 0.6 }], Rescale = Rescale.None };
        var both = models.Merge(recipe);
        var first = models.Merge(recipe with { Experts = [recipe.Experts[0]] });
        var second = models.Merge(recipe with { Experts = [recipe.Experts[1]] });
        Assert.Equal(models.Values("e1")["matrix"], first["matrix"], (a, b) => Math.Abs(a - b) < 1e-7);
        foreach (var name in new[] { "long", "matrix" })
        {
            var b = models.Values("base")[name];
            for (var i = 0; i < b.Length; i++)
                Assert.Equal(first[name][i] + second[name][i] - b[i], both[name][i], 1e-6f);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void By_magnitude_the_smallest_of_each_tensor_are_dropped_with_all_that_equal_the_largest_of_them(bool onWeights)
    {
        using var models = Models();

        // Many equal magnitudes, of both signs.
        models.Write("base", name => [.. models.Values("e1")[name].Select((_, i) => (i % 3) / 8f)]);
        models.Write("e1", name => [.. models.Values("base")[name].Select((b, i) => b + ((i % 2 == 0 ? 1 : -1) * (i * 7 % 40) / 64f))]);
        foreach (var density in new[] { 0, 0.05, 0.3, 0.7, 0.9, 1 })
        {
            foreach (var rescale in new[] { Rescale.None, Rescale.Inverse })
            {
                var merged = models.Merge(new DareLinear { Base = Folder("base"), Experts = [Folder("e1")], Density = density, Drop = Drop.Smallest, OnWeights = onWeights, Rescale = rescale, Lambda = 0.5 });
                foreach (var (name, b) in models.Values("base"))
                {
                    var x = models.Values("e1")[name];
                    var thinned = Thin([.. onWeights ? x : x.Zip(b, (a, c) => a - c)], density, rescale == Rescale.Inverse && density > 0 ? (float)density : 1);
                    Assert.Equal(b.Select((v, i) => v + (0.5f * (onWeights ? thinned[i] - v : thinned[i]))), merged[name]);
                }
            }
        }

        static float[] Thin(float[] values, double density, float divisor)
        {
            var dropped = (int)(Math.Round(1 - density, 12) * values.Length);
            var largest = dropped == 0 ? -1 : values.Select(Math.Abs).Order().ElementAt(dropped - 1);
            return [.. values.Select(v => Math.Abs(v) <= largest ? 0 : v / divisor)];
        }
    }

    [Fact]
    public void Whole_weights_are_thinned_at_random_before_the_base_is_subtracted()
    {
        using var models = Models();
        DareLinear Recipe(bool onWeights) => new() { Base = Folder("base"), Experts = [Folder("e1")], Density = 0.25, OnWeights = onWeights, Seed = 3 };
        var (deltas, weights, b, x) = (models.Merge(Recipe(false)), models.Merge(Recipe(true)), models.Values("base"), models.Values("e1"));
        foreach (var name in new[] { "long", "matrix" })
        {
            for (var i = 0; i < b[name].Length; i++)
                Assert.Equal(deltas[name][i] == b[name][i] ? 0 : x[name][i] / 0.25f, weights[name][i], 1e-6f);
        }
    }

    [Fact]
    public void Dropping_the_smallest_goes_before_the_trim_of_ties()
    {
        using var models = Models();
        var recipe = new DareTies { Base = Folder("base"), Experts = Experts(), Density = 0.5, Drop = Drop.Smallest, Rescale = Rescale.None, TrimDensity = 0.2 };

        // What the trim keeps the drop has kept, so that it shows in what comes before the trim alone.
        Assert.Equal(models.Merge(new Ties { Base = Folder("base"), Experts = Experts(), Trim = TrimScope.Tensor }), models.Merge(recipe with { Trim = TrimScope.Tensor }));
        Assert.NotEqual(models.Merge(recipe)["long"], models.Merge(recipe with { Density = 0.1 })["long"]);
    }

    [Fact]
    public void With_ties_and_no_election_it_is_the_same()
    {
        using var models = Models();
        foreach (var profile in Enum.GetValues<Profile>())
        {
            var ties = new DareTies { Base = Folder("base"), Experts = Experts(), Profile = profile, Density = 0.3, TrimDensity = 1, Election = Election.None, Normalize = true, WriteBack = true };
            var linear = new DareLinear { Base = Folder("base"), Experts = Experts(), Profile = profile, Density = 0.3, Normalize = true, WriteBack = true };
            Assert.Equal(models.Merge(ties), models.Merge(linear));
        }
    }
}
