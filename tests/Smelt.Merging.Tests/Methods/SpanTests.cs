using CsCheck;
using Smelt.Merging.Methods;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>What the methods on angles promise, on values written without them.</summary>
public class SpanTests
{
    private static MatrixModels Models(int count, float scale = 1)
    {
        var models = new MatrixModels(("long", [70_001]), ("matrix", [37, 23]), ("wide", [3, 40_000]), ("scalar", []), ("empty", [0, 4]), ("cube", [4, 5, 6]));
        models.WriteNoise("base", 1, 0.1f);
        for (var i = 1; i <= count; i++)
            models.WriteNoise($"e{i}", i + 1, scale);
        return models;
    }

    private static Sequence<Expert> Experts(params string[] names) => Sequence.From(names.Select(n => new Expert(Folder(n))));

    private static double Dot(IEnumerable<float> a, IEnumerable<float> b) => a.Zip(b, (x, y) => (double)x * y).Sum();

    private static double Norm(IEnumerable<float> a) => Math.Sqrt(Dot(a, a));

    private static void Close(float[] expected, float[] actual, double tolerance = 2e-6)
    {
        Assert.Equal(expected.Length, actual.Length);
        var rms = Math.Sqrt(expected.Sum(v => (double)v * v) / Math.Max(1, expected.Length));
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(actual[i], expected[i] - (tolerance * (rms + Math.Abs(expected[i]))), expected[i] + (tolerance * (rms + Math.Abs(expected[i]))));
    }

    [Fact]
    public void Slerp_ends_are_the_inputs_bit_by_bit()
    {
        using var models = Models(1);
        models.Write("base", name => [.. models.Values("e1")[name].Select((v, i) => i % 3 == 0 ? -0f : -v)]);
        foreach (var (t, end) in new[] { (0.0, "base"), (1.0, "e1") })
            Assert.Equal(models.Bytes(end), models.Bytes(models.Run(new Slerp { Base = Folder("base"), Experts = Experts("e1"), T = t }).Folders[0]));
    }

    [Fact]
    public void Slerp_of_parallel_vectors_is_linear_and_of_equal_lengths_stays_on_the_sphere()
    {
        using var models = Models(1);
        models.Write("double", name => [.. models.Values("base")[name].Select(v => 2 * v)]);
        var parallel = models.Merge(new Slerp { Base = Folder("base"), Experts = Experts("double"), T = 0.25 });
        foreach (var (name, values) in models.Values("base"))
            Close([.. values.Select(v => 1.25f * v)], parallel[name]);

        var unit = models.Merge(new Slerp { Base = Folder("base"), Experts = Experts("e1"), T = 0.3, InterpolateNorms = true });
        foreach (var (name, values) in models.Values("base").Where(v => v.Value.Length > 1))
        {
            var x = models.Values("e1")[name];
            Assert.Equal((0.7 * Norm(values)) + (0.3 * Norm(x)), Norm(unit[name]), 1e-5 * Norm(x));
            var angle = Math.Acos(Dot(values, x) / Norm(values) / Norm(x));
            Assert.Equal(0.3 * angle, Math.Acos(Dot(values, unit[name]) / Norm(values) / Norm(unit[name])), 1e-4);
        }
    }

    [Fact]
    public void A_rule_gives_a_tensor_its_own_t_and_a_sweep_shares_the_angles()
    {
        using var models = Models(1);
        var recipe = new Slerp { Base = Folder("base"), Experts = Experts("e1"), T = Sweep(0.25, 0.5), Tensors = [On("matrix") with { T = 1 }] };
        var result = models.Run(recipe);
        foreach (var (folder, t) in result.Folders.Zip([0.25, 0.5]))
        {
            var alone = models.Merge(recipe with { T = t });
            Assert.Equal(models.Bytes(folder), models.Bytes(models.Run(recipe with { T = t }).Folders[0]));
            Assert.Equal(models.Values("e1")["matrix"], alone["matrix"]);
            Assert.NotEqual(models.Values("e1")["long"], alone["long"]);
        }
    }

    [Fact]
    public void Iterations_cost_no_reading()
    {
        using var models = Models(3);
        long Moved(int iterations) => models.Run(new Karcher { Experts = Experts("e1", "e2", "e3"), MaxIterations = iterations, Tolerance = 0 }).BytesMoved;
        Assert.Equal(Moved(1), Moved(5000));
        var bytes = models.Bytes("e1").Length;
        Assert.Equal((2L * 3 * bytes) + bytes, Moved(1));
    }

    [Fact]
    public void Karcher_ends_where_the_tangents_cancel_and_does_not_mind_the_order()
    {
        using var models = Models(3);
        var mean = models.Merge(new Karcher { Experts = Experts("e1", "e2", "e3"), MaxIterations = 1000, Tolerance = 1e-12 });
        var other = models.Merge(new Karcher { Experts = Experts("e3", "e1", "e2"), MaxIterations = 1000, Tolerance = 1e-12 });
        foreach (var (name, u) in mean.Where(m => m.Value.Length > 1))
        {
            Close(u, other[name]);
            var tangent = new double[u.Length];
            var length = 0.0;
            foreach (var expert in new[] { "e1", "e2", "e3" })
            {
                var x = models.Values(expert)[name];
                var (norm, radius) = (Norm(x), Norm(u));
                length += norm / 3;
                var cosine = Dot(x, u) / norm / radius;
                var factor = Math.Acos(cosine) / Math.Sqrt(1 - (cosine * cosine));
                for (var i = 0; i < u.Length; i++)
                    tangent[i] += factor * ((x[i] / norm) - (cosine * u[i] / radius));
            }

            Assert.Equal(length, Norm(u), 1e-5 * length);
            Assert.InRange(Math.Sqrt(tangent.Sum(v => v * v)), 0, 1e-5);
        }
    }

    [Fact]
    public void MultiSlerp_with_equal_weights_does_not_mind_the_order_and_one_expert_stays_itself()
    {
        using var models = Models(3);
        var first = models.Merge(new MultiSlerp { Experts = Experts("e1", "e2", "e3") });
        var second = models.Merge(new MultiSlerp { Experts = Experts("e2", "e3", "e1") });
        var alone = models.Merge(new MultiSlerp { Base = Folder("base"), Experts = Experts("e2") });
        foreach (var name in first.Keys)
        {
            Close(first[name], second[name]);
            Close(models.Values("e2")[name], alone[name]);
        }
    }

    [Fact]
    public void NuSlerp_is_slerp_where_both_are_defined()
    {
        using var models = Models(2);
        var slerp = models.Merge(new Slerp { Base = Folder("e1"), Experts = Experts("e2"), T = 0.25, LinearAbove = 1 });
        var nuslerp = models.Merge(new NuSlerp { Experts = [new(Folder("e1")) { Weight = 3 }, Folder("e2")] });
        Assert.All(slerp.Keys, name => Assert.Equal(slerp[name], nuslerp[name]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NuSlerp_of_rows_and_columns_is_that_of_each_alone(bool withBase)
    {
        using var models = Models(2);
        Recipe Of(bool columns) => new NuSlerp { Base = withBase ? Folder("base") : null, Experts = [new(Folder("e1")) { Weight = 2 }, Folder("e2")], Flatten = false, ColumnWise = columns };
        var (rows, columns) = (models.Merge(Of(false)), models.Merge(Of(true)));
        foreach (var (name, n, width) in new[] { ("matrix", 37, 23), ("wide", 3, 40_000), ("cube", 20, 6) })
            Check(rows[name], name, n, i => Enumerable.Range(i * width, width));
        foreach (var (name, n, height) in new[] { ("matrix", 23, 37), ("cube", 30, 4) })
            Check(columns[name], name, n, i => Enumerable.Range(0, height).Select(r => (r * n) + i));
        Assert.Equal(rows["long"], columns["long"]);

        void Check(float[] result, string name, int vectors, Func<int, IEnumerable<int>> elements)
        {
            var origin = withBase ? models.Values("base")[name] : new float[result.Length];
            var (a, b) = (models.Values("e1")[name], models.Values("e2")[name]);
            for (var v = 0; v < vectors; v += Math.Max(1, vectors / 7))
            {
                var index = elements(v).ToArray();
                float[] x = [.. index.Select(i => a[i] - origin[i])], y = [.. index.Select(i => b[i] - origin[i])];
                var angle = Math.Acos(Dot(x, y) / Norm(x) / Norm(y));
                var (p, q) = (Math.Sin(2.0 / 3 * angle) / Math.Sin(angle), Math.Sin(angle / 3) / Math.Sin(angle));
                Close([.. x.Zip(y, (s, t) => (float)((p * s) + (q * t))).Zip(index, (s, i) => s + origin[i])], [.. index.Select(i => result[i])]);
            }
        }
    }

    [Fact]
    public void Model_stock_moves_as_far_as_its_ratio_says()
    {
        using var models = Models(3);
        var tensors = models.Merge(new ModelStock { Base = Folder("base"), Experts = Experts("e1", "e2", "e3") });
        var rows = models.Merge(new ModelStock { Base = Folder("base"), Experts = Experts("e1", "e2", "e3"), FilterWise = true });
        Check(tensors["matrix"], 0, 37 * 23);
        for (var row = 0; row < 37; row++)
            Check(rows["matrix"], row * 23, 23);
        Assert.Equal(tensors["long"], rows["long"]);

        void Check(float[] result, int start, int length)
        {
            var b = models.Values("base")["matrix"].AsSpan(start, length).ToArray();
            float[][] d = [.. new[] { "e1", "e2", "e3" }.Select(e => models.Values(e)["matrix"].AsSpan(start, length).ToArray().Zip(b, (x, y) => x - y).ToArray())];
            var cosine = new[] { (0, 1), (0, 2), (1, 2) }.Average(p => Dot(d[p.Item1], d[p.Item2]) / Norm(d[p.Item1]) / Norm(d[p.Item2]));
            var ratio = 3 * cosine / (1 + (2 * cosine));
            Close([.. b.Select((v, i) => (float)(v + (ratio * d.Average(x => x[i]))))], result.AsSpan(start, length).ToArray());
        }
    }

    public static TheoryData<string> Methods() => ["slerp", "norms", "nuslerp", "nuslerp base", "rows", "columns", "multislerp", "multislerp base", "karcher", "model stock", "filter-wise", "angles", "neighbours"];

    private static Recipe Recipe(string method) => method switch
    {
        "slerp" => new Slerp { Base = Folder("base"), Experts = Experts("e1"), T = 0.4 },
        "norms" => new Slerp { Base = Folder("base"), Experts = Experts("e1"), T = 0.4, InterpolateNorms = true, LinearAbove = 1 },
        "nuslerp" => new NuSlerp { Experts = Experts("e1", "e2") },
        "nuslerp base" => new NuSlerp { Base = Folder("base"), Experts = Experts("e1", "e2") },
        "rows" => new NuSlerp { Base = Folder("base"), Experts = Experts("e1", "e2"), Flatten = false },
        "columns" => new NuSlerp { Experts = Experts("e1", "e2"), Flatten = false, ColumnWise = true },
        "multislerp" => new MultiSlerp { Experts = Experts("e1", "e2", "e3") },
        "multislerp base" => new MultiSlerp { Base = Folder("base"), Experts = Experts("e1", "e2", "e3") },
        "karcher" => new Karcher { Experts = Experts("e1", "e2", "e3") },
        "model stock" => new ModelStock { Base = Folder("base"), Experts = Experts("e1", "e2", "e3") },
        "filter-wise" => new ModelStock { Base = Folder("base"), Experts = Experts("e1", "e2", "e3"), FilterWise = true },
        "angles" => new ModelStock { Base = Folder("base"), Experts = Experts("e1", "e2", "e3"), Cosine = StockCosine.MeanAngle },
        _ => new ModelStock { Base = Folder("base"), Experts = Experts("e1", "e2", "e3"), Cosine = StockCosine.Neighbours },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Degenerate_tensors_give_finite_results(string method)
    {
        var patterns = new (string Name, Func<int, float> Scale)[]
        {
            ("zeros", _ => 0), ("base zero", m => m == 0 ? 0 : m), ("one zero", m => m == 1 ? 0 : 1), ("equal", _ => 1), ("opposed", m => m % 2 == 0 ? 1 : -1),
            ("parallel", m => m + 1), ("tiny", m => 1e-42f * (m + 1)), ("huge", m => 1e37f * (m - 1)), ("cancelling", m => m == 3 ? 0 : m % 2 == 0 ? 1 : -1),
        };
        using var models = new MatrixModels([.. patterns.Select(p => (p.Name, new long[] { 5, 7 }))]);
        for (var m = 0; m <= 3; m++)
            models.Write(m == 0 ? "base" : $"e{m}", name => [.. Enumerable.Range(0, 35).Select(i => patterns.Single(p => p.Name == name).Scale(m) * (1 + (0.25f * (i % 5))))]);
        foreach (var (name, values) in models.Merge(Recipe(method)))
            Assert.All(values, v => Assert.True(float.IsFinite(v), $"{name}: {v}"));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Threads_make_no_difference(string method)
    {
        using var models = Models(3);
        var expected = models.Bytes(models.Run(Recipe(method), 1).Folders[0]);
        Assert.Equal(expected, models.Bytes(models.Run(Recipe(method), 3).Folders[0]));
    }

    [Fact]
    public void Coefficients_of_an_arc_are_those_of_the_rotation() =>
        Gen.Select(Gen.Double[-0.999, 0.999], Gen.Double[-2, 3]).Sample((cosine, t) =>
        {
            Assert.True(Sphere.TryInterpolate(cosine, t, out var p, out var q));

            // In the plane of (1, 0) and (cos θ, sin θ) the result is the unit vector at angle t θ.
            var angle = Math.Acos(cosine);
            Assert.Equal(Math.Cos(t * angle), p + (q * cosine), 1e-9);
            Assert.Equal(Math.Sin(t * angle), q * Math.Sin(angle), 1e-9);
        });
}
