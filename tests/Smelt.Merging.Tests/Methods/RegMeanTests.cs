using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Merging.Tests.Kernels;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>RegMean against its formula, solved anew by elimination, and what is refused.</summary>
public sealed class RegMeanTests : IDisposable
{
    private const int Inputs = 70;
    private const int Outputs = 37;
    private const string Layer = "model.layers.0.proj";
    private const string Wide = "model.layers.1.proj";

    private readonly MatrixModels _models = new((Layer + ".weight", [Outputs, Inputs]), (Wide + ".weight", [300, 5]), ("model.norm.weight", [9]), ("model.embed.weight", [4, 6]));
    private readonly MatrixModels _grams = new((Layer, [Inputs, Inputs]), (Wide, [5, 5]));

    public RegMeanTests()
    {
        for (var i = 1; i <= 3; i++)
        {
            _models.WriteNoise($"e{i}", i);
            var seed = i;
            _grams.Write($"g{i}", name => Gram(name == Layer ? Inputs : 5, seed, rows: 100));
        }
    }

    public void Dispose()
    {
        _models.Dispose();
        _grams.Dispose();
    }

    /// <summary>X^T X / rows for random X with a mean that is not zero, so that inputs are correlated.</summary>
    private static float[] Gram(int n, int seed, int rows)
    {
        var random = new Random(seed);
        var x = new double[rows, n];
        for (var r = 0; r < rows; r++)
        {
            for (var i = 0; i < n; i++)
                x[r, i] = random.NextDouble() + (i % 3 == 0 ? 0.5 : 0);
        }

        return [.. from i in Enumerable.Range(0, n) from j in Enumerable.Range(0, n) select (float)(Enumerable.Range(0, rows).Sum(r => x[r, i] * x[r, j]) / rows)];
    }

    private Sequence<Expert> Experts(int count = 3) =>
        Sequence.From(Enumerable.Range(1, count).Select(i => new Expert(Folder($"e{i}")) { Statistics = Folder(Path.Combine(_grams.Path, $"g{i}")) }));

    /// <summary>W^T = (Σ G)^-1 Σ G W_i^T by Gaussian elimination with pivots.</summary>
    private static double[] Solve(double[][] grams, float[][] weights, int outputs, int n)
    {
        var a = new double[n, n + outputs];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                a[i, j] = grams.Sum(g => g[(i * n) + j]);
            for (var o = 0; o < outputs; o++)
                a[i, n + o] = grams.Zip(weights).Sum(p => Enumerable.Range(0, n).Sum(k => p.First[(i * n) + k] * p.Second[(o * n) + k]));
        }

        for (var c = 0; c < n; c++)
        {
            var pivot = Enumerable.Range(c, n - c).MaxBy(r => Math.Abs(a[r, c]));
            for (var j = 0; j < n + outputs; j++)
                (a[c, j], a[pivot, j]) = (a[pivot, j], a[c, j]);
            for (var r = 0; r < n; r++)
            {
                if (r == c)
                    continue;
                var factor = a[r, c] / a[c, c];
                for (var j = c; j < n + outputs; j++)
                    a[r, j] -= factor * a[c, j];
            }
        }

        return [.. from o in Enumerable.Range(0, outputs) from i in Enumerable.Range(0, n) select a[i, n + o] / a[i, i]];
    }

    private void Check(Dictionary<string, float[]> merged, double ratio, int count = 3)
    {
        foreach (var (layer, outputs, n) in new[] { (Layer, Outputs, Inputs), (Wide, 300, 5) })
        {
            double[][] grams = [.. Enumerable.Range(1, count).Select(i => _grams.Values($"g{i}")[layer].Select((v, e) => e / n == e % n ? v : ratio * v).ToArray())];
            var expected = Solve(grams, [.. Enumerable.Range(1, count).Select(i => _models.Values($"e{i}")[layer + ".weight"])], outputs, n);
            Assert.All(expected.Zip(merged[layer + ".weight"]), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * (1 + Math.Abs(pair.First))));
        }

        foreach (var name in new[] { "model.norm.weight", "model.embed.weight" })
        {
            for (var e = 0; e < merged[name].Length; e++)
                Assert.Equal(Enumerable.Range(1, count).Average(i => _models.Values($"e{i}")[name][e]), merged[name][e], 1e-6);
        }
    }

    private Problem[] Problems(RegMean recipe) => [.. Assert.Throws<InvalidInputException>(() => _models.Merge(recipe)).Problems];

    [Theory]
    [InlineData(1)]
    [InlineData(0.9)]
    [InlineData(0)]
    public void Layers_are_solved_for_and_all_else_is_averaged(double ratio) =>
        Check(_models.Merge(new RegMean { Experts = Experts(), NonDiagonalRatio = ratio }), ratio);

    [Fact]
    public void Points_of_a_sweep_are_solved_one_by_one()
    {
        var result = _models.Run(new RegMean { Experts = Experts(2), NonDiagonalRatio = Sweep(0.5, 1) });
        Check(_models.Read(result, 0), 0.5, 2);
        Check(_models.Read(result, 1), 1, 2);
    }

    [Fact]
    public void Gram_matrices_in_double_precision_are_read_as_they_are()
    {
        // The writer of tests stores a third of each value as a double.
        var gram = _grams.Values("g1");
        _grams.Write("g1", name => [.. gram[name].Select(v => 3 * v)], TensorType.F64);
        var merged = _models.Merge(new RegMean { Experts = Experts(2) });
        _grams.Write("g1", name => gram[name]);
        var expected = _models.Merge(new RegMean { Experts = Experts(2) });
        Assert.All(expected[Layer + ".weight"].Zip(merged[Layer + ".weight"]), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void Equal_gram_matrices_give_the_mean_and_equal_experts_themselves()
    {
        Sequence<Expert> same = [Experts()[0], Experts()[1] with { Statistics = Experts()[0].Statistics }];
        var average = _models.Merge(new Average { Experts = [Folder("e1"), Folder("e2")] });
        foreach (var (name, values) in _models.Merge(new RegMean { Experts = same }))
            Assert.All(values.Zip(average[name]), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        _models.Write("e2", name => _models.Values("e1")[name]);
        foreach (var (name, values) in _models.Merge(new RegMean { Experts = Experts(2) }))
            Assert.All(values.Zip(_models.Values("e1")[name]), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
    }

    [Fact]
    public void No_other_layer_is_nearer_to_the_experts_outputs()
    {
        var merged = _models.Merge(new RegMean { Experts = Experts(2), NonDiagonalRatio = 1 })[Wide + ".weight"];
        double Distance(Func<int, double> weight) => Enumerable.Range(1, 2).Sum(i =>
        {
            var (gram, w) = (_grams.Values($"g{i}")[Wide], _models.Values($"e{i}")[Wide + ".weight"]);
            return Enumerable.Range(0, 300).Sum(o => Enumerable.Range(0, 5).Sum(a => Enumerable.Range(0, 5).Sum(b =>
                (weight((o * 5) + a) - w[(o * 5) + a]) * gram[(a * 5) + b] * (weight((o * 5) + b) - w[(o * 5) + b]))));
        });
        var least = Distance(e => merged[e]);
        for (var seed = 0; seed < 5; seed++)
        {
            var random = new Random(seed);
            double[] step = [.. merged.Select(_ => 0.01 * (random.NextDouble() - 0.5))];
            Assert.True(Distance(e => merged[e] + step[e]) > least);
        }
    }

    [Fact]
    public void Threads_widths_and_interruptions_make_no_difference()
    {
        var recipe = new RegMean { Experts = Experts() };
        var expected = _models.Bytes(_models.Run(recipe, 1).Folders[0]);
        Assert.Equal(expected, _models.Bytes(_models.Run(recipe, 2).Folders[0]));
        Assert.Equal(expected, _models.Bytes(_models.Run(recipe, 5).Folders[0]));
        foreach (var width in KernelData.Widths)
            KernelData.At(width, () => Assert.Equal(expected, _models.Bytes(_models.Run(recipe, 3).Folders[0])));

        using var folder = new Execution.ModelFolder();
        var stopped = recipe with { Experts = Sequence.From(recipe.Experts.Select(e => e with { Model = Folder(Path.Combine(_models.Path, e.Model.ToString()!)) })) };
        for (var bytes = 10_000L; !folder.MergeUntil(stopped, "stopped", bytes); bytes += 20_000)
            Assert.False(Directory.Exists(Path.Combine(folder.Path, "stopped")));
        Assert.Equal(expected, _models.Bytes(Path.Combine(folder.Path, "stopped")));
    }

    [Fact]
    public void Gram_matrices_without_an_inverse_are_an_error_that_names_tensor_and_input()
    {
        _grams.Write("g1", name => Gram(name == Layer ? Inputs : 5, 1, rows: 20));
        _grams.Write("g2", name => Gram(name == Layer ? Inputs : 5, 2, rows: 20));
        var problem = Assert.Single(Problems(new RegMean { Experts = Experts(2), NonDiagonalRatio = 1 }));
        Assert.Equal(("SM7042", $"tensor {Layer}.weight"), (problem.Id, problem.Where));
        Assert.Contains("input 40 of 70 is a combination of those before it", problem.Message, StringComparison.Ordinal);
        Check(_models.Merge(new RegMean { Experts = Experts(2), NonDiagonalRatio = 0.8 }), 0.8, 2);

        foreach (var g in new[] { "g1", "g2" })
        {
            var values = _grams.Values(g);
            _grams.Write(g, name => [.. values[name].Select((v, e) => name == Wide && (e / 5 == 3 || e % 5 == 3) ? 0 : v)]);
        }

        problem = Assert.Single(Problems(new RegMean { Experts = Experts(2) }));
        Assert.Equal(("SM7042", $"tensor {Wide}.weight"), (problem.Id, problem.Where));
        Assert.Contains("input 3 of 5 is zero in the data of every expert", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN, "SM7014", "not finite at flat index 7")]
    [InlineData(40f, "SM7040", "not symmetric")]
    public void Values_that_no_gram_matrix_has_are_refused(float value, string rule, string message)
    {
        var values = _grams.Values("g2");
        _grams.Write("g2", name => [.. values[name].Select((v, e) => name == Wide && e == 7 ? value : v)]);
        var problem = Assert.Single(Problems(new RegMean { Experts = Experts(), NonFinite = NonFinite.Propagate }));
        Assert.Equal(rule, problem.Id);
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_does_not_fit_is_reported_at_planning()
    {
        using var first = new MatrixModels((Layer, [Inputs, Inputs - 1]), ("model.norm", [9, 9]), ("model.other", [2, 2]));
        using var second = new MatrixModels((Layer, [Inputs, Inputs]), (Wide + ".weight", [5, 5]));
        first.WriteNoise("g", 1);
        second.WriteNoise("g", 1);
        var problems = Problems(new RegMean
        {
            Experts = [new(Folder("e1")) { Statistics = Folder(Path.Combine(first.Path, "g")) }, new(Folder("e2")) { Statistics = Folder(Path.Combine(second.Path, "g")) }],
        });
        string[] parts =
        [
            "[70, 69]; needed: BF16, F16, F32 or F64 and [70, 70], the inputs of the layer", "only matrices have Gram matrices, and model.norm.weight is of shape [9]",
            "have a tensor that the expert has not: model.other", "lack a tensor: model.norm", "have a tensor that the expert has not: " + Wide + ".weight",
        ];
        Assert.Equal(parts.Length, problems.Length);
        Assert.All(problems.Zip(parts), pair => Assert.Contains(pair.Second, pair.First.Message, StringComparison.Ordinal));
        Assert.All(problems, p => Assert.Equal("SM7040", p.Id));
    }

    [Fact]
    public void Statistics_without_a_single_gram_matrix_of_a_merged_layer_are_refused()
    {
        var recipe = new RegMean { Base = Folder("e1"), Experts = Experts(2), Tensors = [Keep("**.proj.weight")] };
        Assert.Contains("no merged tensor has a Gram matrix", Assert.Single(Problems(recipe)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gram_matrices_are_verified_as_inputs()
    {
        var result = _models.Run(new RegMean { Experts = Experts(2) });
        VerificationResult Verify() => Verification.Run(result.Folders[0], inputs: true, _models.Path, 2, new ProgressCounter(), CancellationToken.None);
        var whole = Verify();
        Assert.Empty(whole.Problems);
        Assert.Equal(4 + (2 * 4) + (2 * 2), whole.Tensors);
        var values = _grams.Values("g2");
        _grams.Write("g2", name => [.. values[name].Select((v, e) => name == Wide && e == 0 ? v + 1 : v)]);
        var problem = Assert.Single(Verify().Problems);
        Assert.Equal("SM7017", problem.Id);
        Assert.EndsWith("tensor " + Wide, problem.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void A_matrix_beyond_the_memory_limit_is_refused_before_anything_is_read()
    {
        using var models = new MatrixModels(("w.weight", [8, 4096]));
        using var grams = new MatrixModels(("w", [4096, 4096]));
        models.WriteNoise("e1", 1);
        grams.Write("g1", _ => new float[4096 * 4096]);
        var recipe = new RegMean { Experts = [new(Folder("e1")) { Statistics = Folder(Path.Combine(grams.Path, "g1")) }] };
        var plan = Planner.Plan("test", recipe, Recipes.Configuration.ConfigurationWriter.Write("test", recipe), models.Path);
        MergeOptions Limit(long bytes) => new() { Output = Path.Combine(models.Path, "out"), MaxMemory = bytes, Threads = 4 };
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => MemoryBudget.For(plan, Limit(128L << 20))).Problems);
        Assert.Equal("SM7007", problem.Id);
        Assert.Contains("to solve for w.weight with its Gram matrices of 4096 x 4096", problem.Message, StringComparison.Ordinal);
        Assert.InRange(MemoryBudget.For(plan, Limit(256L << 20)).PeakBytes, 4096L * 4096 * 8, 256L << 20);
    }
}
