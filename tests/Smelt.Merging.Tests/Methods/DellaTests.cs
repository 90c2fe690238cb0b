using Smelt.Merging.Kernels;
using Smelt.Recipes;
using Smelt.Recipes.Rules;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>DELLA, against its definition by a stable sort and the published generator.</summary>
public class DellaTests
{
    private static readonly (string Name, long[] Shape)[] Shapes =
        [("column", [300, 1]), ("cube", [3, 70, 50]), ("four", [2, 5, 3, 7]), ("long", [70_001]), ("matrix", [61, 1500]), ("scalar", []), ("wide", [2, 66_001]), ("empty", [0, 4])];

    private static MatrixModels Models()
    {
        var models = new MatrixModels(Shapes);
        models.WriteNoise("base", 1, 0.1f);
        models.WriteNoise("e1", 2, 0.01f, around: "base");
        models.Write("e2", name => [.. models.Values("base")[name].Select((b, i) => b + ((i % 7) * 0.125f))]);
        return models;
    }

    public static TheoryData<RowAxis, Rescale, double, double> Drops()
    {
        var data = new TheoryData<RowAxis, Rescale, double, double>();
        foreach (var (axis, rescale) in new[] { (RowAxis.Last, Rescale.None), (RowAxis.Last, Rescale.Inverse), (RowAxis.Second, Rescale.None) })
        {
            foreach (var (density, epsilon) in new[] { (0.5, 0.15), (0.3, 0), (0.7, 0.3), (0.5, 0.5), (0.2, 0.2), (0, 0.3), (1, 0.3) })
                data.Add(axis, rescale, density, epsilon);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Drops))]
    public void An_element_is_kept_by_its_rank_in_its_row(RowAxis axis, Rescale rescale, double density, double epsilon)
    {
        using var models = Models();
        foreach (var expert in new[] { "e1", "e2" })
        {
            var merged = models.Merge(new DellaLinear { Base = Folder("base"), Experts = [Folder(expert)], Rows = axis, Rescale = rescale, Density = density, Epsilon = epsilon, Seed = 11 });
            foreach (var (name, shape) in Shapes)
            {
                var (b, x) = (models.Values("base")[name], models.Values(expert)[name]);
                var (kept, probabilities) = Decide(expert, 11, name, shape, axis, b, x, density, epsilon);
                for (var e = 0; e < b.Length; e++)
                {
                    var d = !kept[e] ? 0 : density < 1 && rescale == Rescale.Inverse ? (x[e] - b[e]) / probabilities[e] : x[e] - b[e];
                    Assert.True(b[e] + d == merged[name][e], $"{expert} {name} {e}: {merged[name][e]}, expected {b[e] + d}");
                }
            }
        }
    }

    [Fact]
    public void Without_an_epsilon_it_is_dare()
    {
        using var models = Models();
        Sequence<Expert> experts = [Folder("e1"), new(Folder("e2")) { Weight = 0.5 }];
        foreach (var rescale in Enum.GetValues<Rescale>())
        {
            var dare = new DareLinear { Base = Folder("base"), Experts = experts, Density = 0.3, Rescale = rescale, Seed = 4, Lambda = 0.7 };
            var della = new DellaLinear { Base = Folder("base"), Experts = experts, Density = 0.3, Epsilon = 0, Rescale = rescale, Seed = 4, Lambda = 0.7 };
            Assert.Equal(models.Merge(dare), models.Merge(della));
        }

        var ties = new DareTies { Base = Folder("base"), Experts = experts, Profile = Profile.Mergekit, Density = 0.3, Normalize = true };
        Assert.Equal(models.Merge(ties), models.Merge(new Della { Base = Folder("base"), Experts = experts, Profile = Profile.Mergekit, Density = 0.3, Epsilon = 0 }));
    }

    [Fact]
    public void Masks_from_a_file_make_the_same_as_those_drawn()
    {
        using var models = Models();
        models.WriteBytes("masks", Shapes.ToDictionary(s => $"0/{s.Name}", s =>
            Decide("e1", 0, s.Name, s.Shape, RowAxis.Last, models.Values("base")[s.Name], models.Values("e1")[s.Name], 0.5, 0.15).Kept.Select(k => k ? (byte)1 : (byte)0).ToArray()));
        foreach (var rescale in Enum.GetValues<Rescale>())
        {
            var drawn = new DellaLinear { Base = Folder("base"), Experts = [Folder("e1")], Rescale = rescale };
            Assert.Equal(models.Merge(drawn), models.Merge(drawn with { MaskFile = "masks" }));
        }
    }

    [Fact]
    public void Experts_and_tensors_have_their_own_densities_and_epsilons()
    {
        using var models = Models();
        var rules = Sequence.From<TensorRule>([On("matrix") with { Epsilon = 0.05, Density = 0.6 }]);
        var recipe = new DellaLinear { Base = Folder("base"), Experts = [new(Folder("e1")) { Epsilon = 0.1, Density = 0.5 }, new(Folder("e2")) { Tensors = rules }], Density = 0.2 };
        var merged = models.Merge(recipe);
        DellaLinear Alone(string expert, double density, double epsilon) => new() { Base = Folder("base"), Experts = [Folder(expert)], Density = density, Epsilon = epsilon };
        var first = models.Merge(Alone("e1", 0.5, 0.1));
        var second = models.Merge(Alone("e2", 0.2, 0.15));
        second["matrix"] = models.Merge(Alone("e2", 0.6, 0.05))["matrix"];
        foreach (var (name, b) in models.Values("base"))
        {
            for (var i = 0; i < b.Length; i++)
                Assert.Equal(first[name][i] + second[name][i] - b[i], merged[name][i], 1e-5f);
        }
    }

    [Fact]
    public void Probabilities_beyond_0_and_1_are_found_before_anything_is_read()
    {
        using var models = Models();
        var recipe = new Della { Base = Folder("base"), Experts = [Folder("e1")], Density = Gradient(0.5, 0.9), Tensors = [On("matrix") with { Density = 0.9 }, On("cube") with { Density = 0.9, Epsilon = 0.1 }] };
        Assert.Empty(RecipeValidator.Validate("test", recipe));
        var refused = Assert.Throws<InvalidInputException>(() => models.Merge(recipe));
        var problem = Assert.Single(refused.Problems);
        Assert.Equal(("SM2016", "matrix"), (problem.Id, problem.Where));
        Assert.Contains("0.75 to 1.05", problem.Message, StringComparison.Ordinal);
    }

    /// <summary>Which elements are kept, and how probable that was.</summary>
    private static (bool[] Kept, float[] Probabilities) Decide(string expert, ulong seed, string name, long[] shape, RowAxis axis, float[] b, float[] x, double density, double epsilon)
    {
        var key = PhiloxKey.Of(seed, NameHash.Of(Folder(expert).ToString()!));
        var kept = new bool[b.Length];
        var probabilities = new float[b.Length];
        foreach (var row in Rows(shape, axis))
        {
            var rising = row.OrderBy(e => Math.Abs(x[e] - b[e])).ToArray();
            for (var rank = 0; rank < rising.Length; rank++)
            {
                var e = rising[rank];
                probabilities[e] = rising.Length == 1 ? (float)density : ((float)rank / (rising.Length - 1) * 2 * (float)epsilon) + (float)(density - epsilon);
                kept[e] = density >= 1 || (density > 0 && Uniform(key, name, e) < probabilities[e]);
            }
        }

        return (kept, probabilities);
    }

    private static double Uniform(PhiloxKey key, string tensor, int e)
    {
        var hash = NameHash.Of(tensor);
        var (w0, w1, w2, w3) = Philox.Block(key, (uint)e / 4, 0, (uint)hash, (uint)(hash >> 32));
        return ((e % 4) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 } >> 8) * Math.Pow(2, -24);
    }

    /// <summary>The flat indices of each row.</summary>
    private static IEnumerable<int[]> Rows(long[] shape, RowAxis axis)
    {
        var n = (int)shape.Aggregate(1L, (a, b) => a * b);
        if (n == 0)
            return [];
        if (shape.Length < 2)
            return [[.. Enumerable.Range(0, n)]];
        var dimension = axis == RowAxis.Last ? shape.Length - 1 : 1;
        var stride = (int)shape.Skip(dimension + 1).Aggregate(1L, (a, b) => a * b);
        return Enumerable.Range(0, n).GroupBy(e => (e % stride, e / stride / (int)shape[dimension])).Select(g => g.ToArray());
    }
}
