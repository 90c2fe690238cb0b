using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>Breadcrumbs, against its definition by a stable sort.</summary>
public class BreadcrumbsTests
{
    private static MatrixModels Models()
    {
        // Rows are shorter and longer than sub-blocks, and end anywhere between them.
        var models = new MatrixModels(("cube", [3, 5, 70]), ("long", [70_001]), ("matrix", [61, 1500]), ("scalar", []), ("wide", [2, 66_001]), ("empty", [0, 4]));
        models.WriteNoise("base", 1, 0.1f);
        models.WriteNoise("e1", 2, 0.01f, around: "base");
        models.Write("e2", name => [.. models.Values("base")[name].Select((b, i) => b + ((i % 7) * 0.125f))]);
        return models;
    }

    public static TheoryData<TrimScope, double, double> Trims()
    {
        var data = new TheoryData<TrimScope, double, double>();
        foreach (var scope in Enum.GetValues<TrimScope>())
        {
            foreach (var (density, gamma) in new[] { (0.4, 0.05), (0.3, 0), (0, 0.1), (0.9, 0.5), (1, 0.2), (0.2, 1) })
                data.Add(scope, density, gamma);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Trims))]
    public void What_is_left_lies_between_the_smallest_and_the_outliers(TrimScope scope, double density, double gamma)
    {
        using var models = Models();
        foreach (var expert in new[] { "e1", "e2" })
        {
            var merged = models.Merge(new Breadcrumbs { Base = Folder("base"), Experts = [Folder(expert)], Trim = scope, Density = density, Gamma = gamma });
            var (b, x) = (models.Values("base"), models.Values(expert));
            foreach (var (name, rows) in Vectors(b, scope))
            {
                foreach (var row in rows)
                {
                    var kept = Kept([.. row.Select(i => x[i.Tensor][i.Index] - b[i.Tensor][i.Index])], density, gamma);
                    for (var i = 0; i < row.Length; i++)
                    {
                        var (tensor, index) = row[i];
                        var expected = b[tensor][index] + (kept[i] ? x[tensor][index] - b[tensor][index] : 0);
                        Assert.True(expected == merged[tensor][index], $"{expert} {name}: {tensor} {index}");
                    }
                }
            }
        }
    }

    [Fact]
    public void Experts_and_tensors_have_their_own_densities_and_outliers()
    {
        using var models = Models();
        var rules = Sequence.From<TensorRule>([On("matrix") with { Gamma = 0.3, Density = 0.6 }]);
        var recipe = new Breadcrumbs { Base = Folder("base"), Experts = [new(Folder("e1")) { Gamma = 0.1, Density = 0.5 }, new(Folder("e2")) { Tensors = rules }], Density = 0.2 };
        var merged = models.Merge(recipe);
        Breadcrumbs Alone(string expert, double density, double gamma) => new() { Base = Folder("base"), Experts = [Folder(expert)], Density = density, Gamma = gamma };
        var first = models.Merge(Alone("e1", 0.5, 0.1));
        var second = models.Merge(Alone("e2", 0.2, 0.01));
        second["matrix"] = models.Merge(Alone("e2", 0.6, 0.3))["matrix"];
        foreach (var (name, b) in models.Values("base"))
        {
            for (var i = 0; i < b.Length; i++)
                Assert.Equal(first[name][i] + second[name][i] - b[i], merged[name][i], 1e-6f);
        }
    }

    [Fact]
    public void With_one_expert_an_election_changes_nothing()
    {
        using var models = Models();
        foreach (var scope in Enum.GetValues<TrimScope>())
        {
            var sum = new Breadcrumbs { Base = Folder("base"), Experts = [Folder("e1")], Trim = scope, Density = 0.4, Gamma = 0.1 };
            var ties = new BreadcrumbsTies { Base = Folder("base"), Experts = [Folder("e1")], Trim = scope, Density = 0.4, Gamma = 0.1 };
            Assert.Equal(models.Merge(sum), models.Merge(ties));
        }
    }

    /// <summary>The vectors whose magnitudes are compared, as places of elements.</summary>
    private static IEnumerable<(string Name, (string Tensor, int Index)[][] Rows)> Vectors(Dictionary<string, float[]> tensors, TrimScope scope)
    {
        var ordered = tensors.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => (t.Key, Elements: Enumerable.Range(0, t.Value.Length).Select(i => (t.Key, i)).ToArray())).ToArray();
        if (scope == TrimScope.Model)
            return [("model", [[.. ordered.SelectMany(t => t.Elements)]])];
        return ordered.Where(t => t.Elements.Length > 0).Select(t => (t.Key, scope == TrimScope.Tensor ? [t.Elements] : t.Elements.Chunk(Width(t.Key, t.Elements.Length)).ToArray()));
    }

    private static int Width(string tensor, int elements) => tensor switch
    {
        "cube" => 70,
        "matrix" => 1500,
        "wide" => 66_001,
        _ => elements,
    };

    private static bool[] Kept(float[] d, double density, double gamma)
    {
        var kept = new bool[d.Length];
        var falling = Enumerable.Range(0, d.Length).OrderByDescending(i => Math.Abs(d[i])).ToArray();
        if (density >= 1)
            return [.. d.Select(_ => true)];
        var target = (int)(density * d.Length);
        var bottom = Math.Max(0, d.Length - target - (int)(gamma * d.Length));
        foreach (var i in falling.AsSpan(d.Length - bottom - target, target))
            kept[i] = true;
        return kept;
    }
}
