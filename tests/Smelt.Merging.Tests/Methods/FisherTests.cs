using CsCheck;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>Fisher-weighted averages against their formula, and what is refused.</summary>
public class FisherTests
{
    private const string Long = "model.layers.0.long.weight";
    private const string Matrix = "model.layers.1.matrix.weight";

    private static MatrixModels Models(int experts = 3)
    {
        var models = new MatrixModels((Long, [70_001]), (Matrix, [37, 23]));
        for (var i = 1; i <= experts; i++)
        {
            var scale = i;
            models.WriteNoise($"e{i}", i);
            models.Write($"f{i}", name => [.. models.Values($"e{scale}")[name].Select((v, e) => e % 4 == scale % 4 ? 0 : 1e-4f * scale * v * v)]);
        }

        return models;
    }

    private static Sequence<Expert> Experts(params double[] weights) =>
        Sequence.From(weights.Select((w, i) => new Expert(Folder($"e{i + 1}")) { Weight = w, Statistics = Folder($"f{i + 1}") }));

    private static void Check(MatrixModels models, Fisher recipe)
    {
        var resolved = (Fisher)recipe.Resolve();
        var (minimal, count) = (resolved.MinimalWeight!.Value, recipe.Experts.Count);
        double[] weights = [.. resolved.Experts.Select(e => e.Weight!.Value)];
        if (resolved.Normalize == true)
        {
            double[] inverse = [.. Enumerable.Range(1, count).Select(i => 1 / (Math.Sqrt(models.Values($"f{i}").Values.Sum(t => t.Sum(v => (double)v * v))) + minimal))];
            weights = [.. weights.Select((w, i) => w * inverse[i] / inverse.Sum())];
        }

        foreach (var (name, merged) in models.Merge(recipe))
        {
            float[][] x = [.. Enumerable.Range(1, count).Select(i => models.Values($"e{i}")[name])];
            float[][] f = [.. Enumerable.Range(1, count).Select(i => models.Values($"f{i}")[name])];
            for (var e = 0; e < merged.Length; e++)
            {
                var total = weights.Select((w, i) => w * (f[i][e] + minimal)).Sum();
                var expected = total == 0
                    ? weights.Select((w, i) => w * x[i][e]).Sum() / weights.Sum()
                    : weights.Select((w, i) => w * (f[i][e] + minimal) * x[i][e]).Sum() / total;
                Assert.InRange(merged[e], expected - 2e-6, expected + 2e-6);
            }
        }
    }

    [Theory]
    [InlineData(true, 1e-6)]
    [InlineData(false, 1e-6)]
    [InlineData(true, 0)]
    [InlineData(false, 0.01)]
    public void It_is_the_average_weighted_element_by_element(bool normalize, double minimal)
    {
        using var models = Models();
        Check(models, new Fisher { Experts = Experts(1, 1, 1), Normalize = normalize, MinimalWeight = minimal });
        Check(models, new Fisher { Experts = Experts(0.2, 3, 0), Normalize = normalize, MinimalWeight = minimal });
    }

    [Fact]
    public void Every_element_lies_between_the_experts_and_scaled_statistics_change_nothing_when_normalised()
    {
        using var models = Models(2);
        Gen.Double[1e-3, 1e3].Sample(
            scale =>
            {
                models.Write("f2", name => [.. models.Values("e2")[name].Select(v => (float)(scale * 1e-4 * v * v))]);
                var merged = models.Merge(new Fisher { Experts = Experts(1, 1), MinimalWeight = 0 });
                foreach (var (name, values) in merged)
                {
                    var (x, y) = (models.Values("e1")[name], models.Values("e2")[name]);
                    for (var e = 0; e < values.Length; e++)
                        Assert.InRange(values[e], Math.Min(x[e], y[e]) - 1e-6f, Math.Max(x[e], y[e]) + 1e-6f);
                }

                models.Write("f2", name => [.. models.Values("e2")[name].Select(v => 1e-4f * v * v)]);
                foreach (var (name, values) in models.Merge(new Fisher { Experts = Experts(1, 1), MinimalWeight = 0 }))
                    Assert.All(values.Zip(merged[name]), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
            },
            iter: 4,
            threads: 1);
    }

    [Fact]
    public void Equal_statistics_give_the_plain_average_and_a_single_expert_itself()
    {
        using var models = Models();
        models.Write("ones", name => [.. models.Values("e1")[name].Select(_ => 1f)]);
        var average = models.Merge(new Average { Experts = [Folder("e1"), Folder("e2")] });
        var merged = models.Merge(new Fisher { Experts = [new(Folder("e1")) { Statistics = Folder("ones") }, new(Folder("e2")) { Statistics = Folder("ones") }] });
        foreach (var (name, values) in average)
            Assert.All(values.Zip(merged[name]), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        models.Write("none", name => new float[models.Values("e1")[name].Length]);
        var alone = models.Merge(new Fisher { Experts = [new(Folder("e1")) { Statistics = Folder("none") }], MinimalWeight = 0 });
        Assert.Equal(models.Values("e1")[Long], alone[Long]);
    }

    [Fact]
    public void Statistics_may_be_stored_in_another_format()
    {
        using var models = Models(2);
        var expected = models.Merge(new Fisher { Experts = Experts(1, 1), Normalize = false, MinimalWeight = 0 });
        var statistics = models.Values("f1");
        models.Write("f1", name => [.. statistics[name].Select(v => 3 * v)], TensorType.F64);
        foreach (var (name, values) in models.Merge(new Fisher { Experts = Experts(1, 1), Normalize = false, MinimalWeight = 0 }))
            Assert.All(values.Zip(expected[name]), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Theory]
    [InlineData(-1e-9f, "SM7040", "flat index 69999 is below zero")]
    [InlineData(float.NaN, "SM7014", "the statistics of expert 1 hold a value that is not finite at flat index 69999")]
    [InlineData(float.PositiveInfinity, "SM7014", "flat index 69999")]
    public void Values_that_no_statistics_have_are_refused(float value, string rule, string message)
    {
        using var models = Models(2);
        models.Write("f2", name => [.. models.Values("e2")[name].Select((v, e) => e == 69_999 ? value : v * v)]);
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => models.Merge(new Fisher { Experts = Experts(1, 1), NonFinite = NonFinite.Propagate })).Problems);
        Assert.Equal(rule, problem.Id);
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        Assert.EndsWith($"tensor {Long}", problem.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_does_not_fit_is_reported_at_planning()
    {
        using var models = Models(2);
        using var other = new MatrixModels((Long, [70_000]), ("unknown.weight", [3]));
        other.WriteNoise("f", 1);
        var recipe = new Fisher { Experts = [new(Folder("e1")) { Statistics = Folder(Path.Combine(other.Path, "f")) }, new(Folder("e2")) { Statistics = Folder("nowhere") }] };
        Assert.Equal("SM6001", Assert.Single(Assert.Throws<InvalidInputException>(() => models.Merge(recipe)).Problems).Id);
        models.Write("f2", name => models.Values("e2")[name], TensorType.All["I32"]);
        recipe = recipe with { Experts = [recipe.Experts[0], new(Folder("e2")) { Statistics = Folder("f2") }] };
        var problems = Assert.Throws<InvalidInputException>(() => models.Merge(recipe)).Problems;
        string[] parts = ["[70000]; needed", "type I32", "type I32", "lack a tensor: " + Matrix, "that the expert has not: unknown.weight"];
        Assert.Equal(parts.Length, problems.Count);
        Assert.All(problems.Zip(parts), pair => Assert.Contains(pair.Second, pair.First.ToString(), StringComparison.Ordinal));
        Assert.All(problems, p => Assert.Equal("SM7040", p.Id));
    }

    [Fact]
    public void Kept_tensors_need_no_statistics_but_may_have_them()
    {
        using var models = Models(2);
        var merged = models.Merge(new Fisher { Base = Folder("e1"), Experts = Experts(1, 1), Tensors = [Keep(Matrix)], Normalize = false });
        Assert.Equal(models.Values("e1")[Matrix], merged[Matrix]);
    }

    [Fact]
    public void Recipes_without_statistics_or_with_useless_ones_break_a_rule()
    {
        static string[] Ids(Recipe recipe) => [.. Recipes.Rules.RecipeValidator.Validate("r", recipe).Select(p => $"{p.Id} {p.Where}")];
        Assert.Equal(["SM2009 /experts/0/statistics"], Ids(new Fisher { Experts = [Folder("e1")] }));
        Assert.Equal(["SM2005 /experts/0/statistics"], Ids(new Average { Experts = [new(Folder("e1")) { Statistics = Folder("f1") }] }));
        Assert.Equal(["SM1010 /experts/0/statistics"], Ids(new Fisher { Experts = [new(Folder("e1")) { Statistics = From(new Average { Experts = [Folder("e2")] }) }] }));
        Assert.Equal(["SM1010 /experts/0/statistics"], Ids(new Fisher { Experts = [new(Folder("e1")) { Statistics = Folder("") }] }));
        Assert.Equal(["SM1013 /missing"], Ids(new Fisher { Experts = [new(Folder("e1")) { Statistics = Folder("f1") }], Missing = MissingTensors.Union }));
    }

    [Fact]
    public void Statistics_are_inputs_of_the_plan_and_of_the_manifest()
    {
        using var models = Models(2);
        var result = models.Run(new Fisher { Experts = Experts(1, 1) });
        Assert.Equal(["expert", "expert", "statistics", "statistics"], result.Plan.Inputs.Select(result.Plan.RoleOf));
        var values = result.Plan.BytesPerPass;
        Assert.Equal(4 * sizeof(float) * (70_001 + (37 * 23)), values);
        Assert.Equal(values * 3 / 2, result.Plan.BytesToRead);

        VerificationResult Verify() => Verification.Run(result.Folders[0], inputs: true, models.Path, 2, new ProgressCounter(), CancellationToken.None);
        Assert.Empty(Verify().Problems);
        var statistics = models.Values("f2");
        models.Write("f2", name => [.. statistics[name].Select((v, e) => name == Matrix && e == 0 ? v + 1 : v)]);
        var problem = Assert.Single(Verify().Problems);
        Assert.Equal("SM7017", problem.Id);
        Assert.Contains(Path.Combine("f2", "model.safetensors") + ", tensor " + Matrix, problem.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_of_a_stack_find_the_statistics_of_their_own_model()
    {
        using var models = new MatrixModels([.. Enumerable.Range(0, 3).Select(i => ($"model.layers.{i}.w.weight", new long[] { 5, 3 }))]);
        for (var m = 1; m <= 2; m++)
        {
            models.WriteNoise($"e{m}", m);
            var seed = m;
            models.Write($"f{m}", name => [.. models.Values($"e{seed}")[name].Select(v => v * v)]);
        }

        Fisher Slice(LayerRange layers) => new() { Experts = Experts(1, 1), Normalize = false, Layers = layers };
        var whole = models.Merge(new Fisher { Experts = Experts(1, 1), Normalize = false });
        var stacked = models.Merge(new Stack { Slices = [Slice(1..3), Slice(0..1)] });
        Assert.Equal(whole["model.layers.1.w.weight"], stacked["model.layers.0.w.weight"]);
        Assert.Equal(whole["model.layers.0.w.weight"], stacked["model.layers.2.w.weight"]);
    }

    [Fact]
    public void A_tensor_of_too_many_tensors_is_refused()
    {
        using var models = new MatrixModels(("w", [3]));
        for (var i = 1; i <= 33; i++)
        {
            models.WriteNoise($"e{i}", i);
            models.Write($"f{i}", _ => [1, 2, 3]);
        }

        double[] weights = [.. Enumerable.Repeat(1.0, 33)];
        Assert.Equal("SM7041", Assert.Single(Assert.Throws<InvalidInputException>(() => models.Merge(new Fisher { Experts = Experts(weights) })).Problems).Id);
        Assert.Equal(3, models.Merge(new Fisher { Experts = Experts(weights[..32]) })["w"].Length);
    }
}
