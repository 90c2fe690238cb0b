using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>The switches of TIES that the papers' repositories have beyond the usual ones, against their definitions written anew.</summary>
public class SignTests
{
    private static readonly string[] Names = ["e1", "e2", "e3"];

    /// <summary>In ordinal order of names, which is not the order in the files.</summary>
    private static readonly string[] Tensors = ["long", "matrix", "scalar"];

    private static MatrixModels Models()
    {
        var models = new MatrixModels(("scalar", []), ("matrix", [37, 23]), ("empty", [0, 4]), ("long", [70_001]));
        models.WriteNoise("base", 1, 0.1f);
        for (var i = 1; i <= Names.Length; i++)
            models.WriteNoise($"e{i}", i + 1, 0.01f * i, around: "base");
        return models;
    }

    private static Ties Recipe(MatrixModels models, double density = 0.3) => new() { Base = Folder("base"), Experts = Sequence.From(Names.Select(n => new Expert(Folder(n)))), Density = density };

    /// <summary>The task vectors, each as one vector over the tensors in ordinal order of their names.</summary>
    private static float[][] Deltas(MatrixModels models, params string[] tensors) => [.. Names.Select(n =>
    {
        var (x, b) = (models.Values(n), models.Values("base"));
        return (tensors.Length == 0 ? Tensors : tensors).SelectMany(t => x[t].Zip(b[t], (a, c) => a - c)).ToArray();
    })];

    private static float[] Merged(MatrixModels models, Recipe recipe, params string[] tensors)
    {
        var (merged, b) = (models.Merge(recipe), models.Values("base"));
        return [.. (tensors.Length == 0 ? Tensors : tensors).SelectMany(t => merged[t].Zip(b[t], (a, c) => a - c))];
    }

    /// <summary>Trims as the TIES repository does: all that is at least as large as the (n - trunc(p n))-th smallest.</summary>
    private static float[] Trim(float[] d, double density)
    {
        var threshold = d.Select(Math.Abs).Order().ElementAt(d.Length - (int)(density * d.Length) - 1);
        return [.. d.Select(v => Math.Abs(v) >= threshold ? v : 0)];
    }

    private static void AssertClose(IEnumerable<double> expected, float[] actual, double tolerance = 2e-7)
    {
        var (wrong, i) = (0, 0);
        foreach (var value in expected)
        {
            // Rounding may turn a vote that is all but equal.
            wrong += Math.Abs(value - actual[i++]) > tolerance ? 1 : 0;
        }

        Assert.Equal(actual.Length, i);
        Assert.InRange(wrong, 0, actual.Length / 20_000);
    }

    private static double DisjointMean(IEnumerable<float> column, int sign)
    {
        var agreeing = column.Where(v => Math.Sign(v) == sign && v != 0).ToArray();
        return agreeing.Length == 0 ? 0 : agreeing.Average(v => (double)v);
    }

    [Theory]
    [InlineData(Election.NormFraction, TrimScope.Model)]
    [InlineData(Election.NormFraction, TrimScope.Tensor)]
    [InlineData(Election.NormMass, TrimScope.Model)]
    [InlineData(Election.NormMass, TrimScope.Tensor)]
    public void Votes_by_norms_measure_each_delta_by_its_own_vector(Election election, TrimScope scope)
    {
        using var models = Models();
        string[] tensors = scope == TrimScope.Model ? [] : ["matrix"];
        var actual = Merged(models, Recipe(models) with { Election = election, Trim = scope }, tensors);
        float[][] d = [.. Deltas(models, tensors).Select(v => Trim(v, 0.3))];
        double[] squares = [.. d.Select(v => v.Sum(x => (double)x * x))];
        AssertClose(
            Enumerable.Range(0, d[0].Length).Select(e =>
            {
                double Share(int i) => d[i][e] * (double)d[i][e] / squares[i];
                var sign = election == Election.NormMass
                    ? Math.Sign(Enumerable.Range(0, 3).Sum(i => Math.Sign(d[i][e]) * Share(i)))
                    : Math.Sign(d[Enumerable.Range(0, 3).MaxBy(Share)][e]);
                return DisjointMean(d.Select(v => v[e]), sign);
            }),
            actual);
    }

    [Fact]
    public void A_trimmed_away_task_vector_has_no_vote_by_norms()
    {
        using var models = new MatrixModels(("t", [4]));
        models.Write("base", _ => new float[4]);
        models.Write("e1", _ => new float[4]);
        models.Write("e2", _ => [1, -1, 0, 2]);
        models.Write("e3", _ => [-2, -1, 0, 8]);
        foreach (var election in new[] { Election.NormFraction, Election.NormMass })
        {
            var merged = models.Merge(Recipe(models, 1) with { Election = election })["t"];
            Assert.Equal([1f, -1, 0, 5], merged);
        }
    }

    [Theory]
    [InlineData(TrimScope.Model)]
    [InlineData(TrimScope.Tensor)]
    public void A_trim_by_share_keeps_the_fewest_elements_that_hold_it_and_the_last(TrimScope scope)
    {
        using var models = Models();
        models.Write("e1", name => [.. models.Values("e2")[name].Select((v, i) => i == models.Values("base")[name].Length - 1 ? models.Values("base")[name][i] + 1e-6f : v)]);
        string[] tensors = scope == TrimScope.Model ? [] : ["long"];
        var recipe = Recipe(models, 0.9) with { Cut = Cut.Share, Trim = scope, Experts = [Folder("e1")] };
        var kept = Merged(models, recipe, tensors);
        var d = Deltas(models, tensors)[0];
        var total = d.Sum(v => (double)v * v);
        var (sum, expected) = (0.0, new bool[d.Length]);
        foreach (var i in Enumerable.Range(0, d.Length).OrderByDescending(i => Math.Abs(d[i])))
        {
            expected[i] = true;
            if ((sum += (double)d[i] * d[i]) >= 0.9 * total)
                break;
        }

        Assert.False(expected[^1]);
        expected[^1] = true;
        Assert.Equal(expected, kept.Select(v => v != 0));
    }

    [Fact]
    public void A_trim_by_share_takes_equal_magnitudes_in_order()
    {
        using var models = new MatrixModels(("t", [1000]));
        models.Write("base", _ => new float[1000]);
        models.Write("e1", _ => [.. Enumerable.Range(0, 1000).Select(i => i < 990 ? (i % 2 == 0 ? 1f : -1f) : 1e-5f)]);
        var merged = models.Merge(Recipe(models, 0.5) with { Cut = Cut.Share, Experts = [Folder("e1")] })["t"];
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => i is < 496 or 999), merged.Select(v => v != 0));
    }

    [Theory]
    [InlineData(TrimScope.Model, 1.5)]
    [InlineData(TrimScope.Tensor, 0.5)]
    [InlineData(TrimScope.Tensor, 0)]
    public void A_trim_by_deviation_drops_a_band_around_the_mean(TrimScope scope, double k)
    {
        using var models = Models();
        models.Write("shifted", name => [.. models.Values("e2")[name].Select(v => v + 0.02f)]);
        string[] tensors = scope == TrimScope.Model ? [] : ["matrix"];
        var recipe = Recipe(models) with { Density = null, Cut = Cut.Deviation, Deviations = k, Trim = scope, Experts = [Folder("shifted")] };
        var kept = Merged(models, recipe, tensors);
        var (x, b) = (models.Values("shifted"), models.Values("base"));
        double[] d = [.. (tensors.Length == 0 ? Tensors : tensors).SelectMany(t => x[t].Zip(b[t], (a, c) => (double)(a - c)))];
        var mean = d.Average();
        var deviation = Math.Sqrt(d.Sum(v => (v - mean) * (v - mean)) / (d.Length - 1));
        AssertClose(d.Select(v => Math.Abs(v - mean) > k * deviation ? v : 0), kept);
        Assert.InRange(kept.Count(v => v == 0), k == 0 ? 0 : 1, d.Length - 1);
    }

    [Fact]
    public void Signs_of_a_file_are_elected_and_zeros_count_as_negative()
    {
        using var models = Models();
        models.WriteNoise("signs", 99);
        models.Write("zeros", name => new float[models.Values("base")[name].Length]);
        var d = Deltas(models);
        var signs = Tensors.SelectMany(t => models.Values("signs")[t]).ToArray();
        var recipe = Recipe(models, 1) with { Election = Election.SignFile, SignFile = "signs" };
        AssertClose(Enumerable.Range(0, signs.Length).Select(e => DisjointMean(d.Select(v => v[e]), Math.Sign(signs[e]))), Merged(models, recipe));
        AssertClose(Enumerable.Range(0, signs.Length).Select(e => DisjointMean(d.Select(v => v[e]), -1)), Merged(models, recipe with { SignFile = "zeros" }));
        Assert.All(Merged(models, recipe with { SignFile = "zeros", ZeroVote = ZeroVote.Nothing }), v => Assert.Equal(0, v));
    }

    [Fact]
    public void A_sign_file_that_does_not_fit_is_refused()
    {
        using var models = Models();
        using var others = new MatrixModels(("matrix", [5]), ("long", [70_001]));
        others.WriteNoise("few", 3);
        var recipe = Recipe(models) with { Election = Election.SignFile, SignFile = others.PathOf("few") };
        var problems = Assert.Throws<InvalidInputException>(() => models.Merge(recipe)).Problems;
        Assert.All(problems, p => Assert.Equal("SM7010", p.Id));
        Assert.Equal(2, problems.Count);
        Assert.Contains(problems, p => p.Message.Contains("missing for 2 merged tensors: scalar, empty", StringComparison.Ordinal));
        Assert.Contains(problems, p => p.Message.Contains("5 elements of F32; needed: 851", StringComparison.Ordinal));

        models.Write("nan", name => [.. models.Values("base")[name].Select((v, i) => name == "matrix" && i == 700 ? float.NaN : v)]);
        var nan = Assert.Single(Assert.Throws<InvalidInputException>(() => models.Merge(recipe with { SignFile = "nan" })).Problems);
        Assert.Contains("flat index 700 is NaN", nan.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Combine.Sum, true)]
    [InlineData(Combine.Sum, false)]
    [InlineData(Combine.Max, false)]
    public void Combinations_that_ignore_agreement_take_the_elected_sign(Combine combine, bool normalize)
    {
        using var models = Models();
        var recipe = Recipe(models) with { Election = Election.NormMass, Disjoint = false, Combine = combine, Normalize = normalize };
        float[][] d = [.. Deltas(models).Select(v => Trim(v, 0.3))];
        double[] squares = [.. d.Select(v => v.Sum(x => (double)x * x))];
        AssertClose(
            Enumerable.Range(0, d[0].Length).Select(e =>
            {
                var all = combine == Combine.Max ? d.Select(v => v[e]).MaxBy(Math.Abs) : d.Sum(v => (double)v[e]) / (normalize ? 3 : 1);
                return Math.Abs(all) * Math.Sign(Enumerable.Range(0, 3).Sum(i => d[i][e] * Math.Abs((double)d[i][e]) / squares[i]));
            }),
            Merged(models, recipe));
    }

    [Theory]
    [InlineData(Election.Unweighted, 3)]
    [InlineData(Election.Unweighted, 2)]
    [InlineData(Election.None, 3)]
    public void The_median_is_of_all_deltas_and_takes_the_elected_sign(Election election, int experts)
    {
        using var models = Models();
        var recipe = Recipe(models) with { Election = election, Combine = Combine.Median };
        recipe = recipe with { Experts = Sequence.From(recipe.Experts.Take(experts).Select((e, i) => e with { Weight = i + 0.5 })) };
        float[][] d = [.. Deltas(models).Take(experts).Select(v => Trim(v, 0.3))];
        AssertClose(
            Enumerable.Range(0, d[0].Length).Select(e =>
            {
                var median = (double)d.Select((v, i) => v[e] * (i + 0.5f)).Order().ElementAt((experts - 1) / 2);
                return election == Election.None ? median : Math.Abs(median) * Math.Sign(d.Sum(v => v[e]));
            }),
            Merged(models, recipe));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_an_election_zeros_count_in_a_mean_or_not(bool disjoint)
    {
        using var models = Models();
        float[][] d = [.. Deltas(models).Select(v => Trim(v, 0.3))];
        AssertClose(
            Enumerable.Range(0, d[0].Length).Select(e => d.Sum(v => (double)v[e]) / (disjoint ? Math.Max(1, d.Count(v => v[e] != 0)) : 3)),
            Merged(models, Recipe(models) with { Election = Election.None, Disjoint = disjoint }));
    }

    [Fact]
    public void Stock_scales_each_row_by_the_angles_of_what_agrees()
    {
        using var models = Models();
        var recipe = Recipe(models) with { Trim = TrimScope.Tensor, Election = Election.Count, ZeroVote = ZeroVote.Nothing, Stock = true };
        foreach (var (tensor, width) in new[] { ("matrix", 23), ("long", 70_001) })
        {
            double[][] agreeing = Agreeing(models, tensor);
            var expected = new double[agreeing[0].Length];
            for (var row = 0; row < expected.Length / width; row++)
            {
                double Dot(int i, int j) => Enumerable.Range(row * width, width).Sum(e => agreeing[i][e] * agreeing[j][e]);
                double Cosine(int i) => Dot(i, i - 1) / (Math.Max(Math.Sqrt(Dot(i, i)), 1e-6) * Math.Max(Math.Sqrt(Dot(i - 1, i - 1)), 1e-6));
                var c = (Cosine(1) + Cosine(2)) / 2;
                for (var e = row * width; e < (row + 1) * width; e++)
                    expected[e] = 3 * c / (1 + (2 * c)) * agreeing.Sum(v => v[e]) / Math.Max(1, agreeing.Count(v => v[e] != 0));
            }

            AssertClose(expected, Merged(models, recipe, tensor), 1e-6);
        }
    }

    [Fact]
    public void The_geometric_median_has_the_least_sum_of_distances()
    {
        using var models = Models();
        var recipe = Recipe(models) with { Trim = TrimScope.Tensor, Election = Election.Count, ZeroVote = ZeroVote.Nothing, Combine = Combine.GeometricMedian };
        var agreeing = Agreeing(models, "long");
        double[] median = [.. Merged(models, recipe, "long").Select(v => (double)v)];
        double Sum(double[] point) => agreeing.Sum(v => Math.Sqrt(v.Zip(point, (a, b) => (a - b) * (a - b)).Sum()));
        var least = Sum(median);
        foreach (var other in agreeing.Append([.. Enumerable.Range(0, median.Length).Select(e => agreeing.Average(v => v[e]))]))
        {
            Assert.True(Sum(other) > least);
            double[] near = [.. median.Zip(other, (m, o) => m + (0.01 * (o - m)))];
            Assert.True(Sum(near) > least);
        }
    }

    /// <summary>What agrees with a count of signs after a trim to 0.3 of a tensor; nothing where the count is even.</summary>
    private static double[][] Agreeing(MatrixModels models, string tensor)
    {
        float[][] d = [.. Deltas(models, tensor).Select(v => Trim(v, 0.3))];
        return [.. d.Select(v => v.Select((x, e) => x != 0 && Math.Sign(x) == Math.Sign(d.Sum(o => Math.Sign(o[e]))) ? (double)x : 0).ToArray())];
    }

    [Fact]
    public void Magmax_takes_the_largest_delta_and_the_later_of_equals()
    {
        using var models = new MatrixModels(("t", [5]));
        models.Write("base", _ => [1, 1, 1, 1, 1]);
        models.Write("e1", _ => [2, 0, 1, 3, 1]);
        models.Write("e2", _ => [0, 2, 1, 2, 1.5f]);
        models.Write("e3", _ => [2, 0, 1, 0, 1.25f]);
        var recipe = new MagMax { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")] };
        Assert.Equal([2f, 0, 1, 3, 1.5f], models.Merge(recipe)["t"]);
        Assert.Equal([0f, 2, 1, 3, 1.5f], models.Merge(recipe with { Experts = [Folder("e3"), Folder("e1"), Folder("e2")] })["t"]);
        Assert.Equal([1.5f, 0.5f, 1, 2, 1.25f], models.Merge(recipe with { Lambda = 0.5 })["t"]);
    }

    [Fact]
    public void Threads_make_no_difference_to_rows()
    {
        using var models = Models();
        foreach (var recipe in new[] { Recipe(models) with { Stock = true }, Recipe(models) with { Combine = Combine.GeometricMedian } })
            Assert.Equal(models.Bytes(models.Run(recipe, 1).Folders[0]), models.Bytes(models.Run(recipe, 3).Folders[0]));
    }

    [Fact]
    public void A_density_of_one_keeps_everything_and_one_of_zero_nothing_where_the_originals_fail()
    {
        using var models = Models();
        foreach (var cut in new[] { Cut.Exact, Cut.AtThreshold, Cut.MaskRate, Cut.Share })
        {
            foreach (var scope in new[] { TrimScope.Model, TrimScope.Tensor })
            {
                var all = Recipe(models, 1) with { Cut = cut, Trim = scope, Election = Election.None, Normalize = false, Lambda = 0.4 };
                Assert.Equal(models.Merge(new TaskArithmetic { Base = Folder("base"), Experts = all.Experts, Lambda = 0.4 }), models.Merge(all));
            }
        }

        foreach (var cut in new[] { Cut.Exact, Cut.Share })
            Assert.Equal(models.Values("base"), models.Merge(Recipe(models, 0) with { Cut = cut, Trim = TrimScope.Tensor }));
    }

    [Fact]
    public void Models_without_task_vectors_stay_as_they_are()
    {
        using var models = new MatrixModels(("a", [5, 7]), ("b", [3]));
        foreach (var name in Names.Append("base"))
            models.Write(name, tensor => [.. Enumerable.Range(0, tensor == "a" ? 35 : 3).Select(i => 1 + (i / 8f))]);
        var plain = Recipe(models);
        foreach (var recipe in new[]
        {
            plain with { Election = Election.NormFraction }, plain with { Election = Election.NormMass, Disjoint = false }, plain with { Cut = Cut.Share },
            plain with { Density = null, Cut = Cut.Deviation, Deviations = 1 }, plain with { Stock = true }, plain with { Combine = Combine.GeometricMedian }, plain with { Combine = Combine.Median },
        })
        {
            Assert.Equal(models.Bytes("base"), models.Bytes(models.Run(recipe).Folders[0]));
        }
    }
}
