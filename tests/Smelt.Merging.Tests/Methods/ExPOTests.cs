using CsCheck;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>Extrapolation through an expert, and the compositions of task arithmetic that the documentation names.</summary>
public class ExPOTests
{
    private static MatrixModels Models()
    {
        var models = new MatrixModels(("long", [70_001]), ("matrix", [37, 23]));
        models.WriteNoise("base", 1, 0.1f);
        for (var i = 1; i <= 3; i++)
            models.WriteNoise($"e{i}", i + 1, 0.01f * i, around: "base");
        return models;
    }

    private static ExPO Of(Scalar alpha, params Expert[] experts) => new() { Base = Folder("base"), Experts = Sequence.From(experts), Alpha = alpha };

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(actual[i], expected[i] - 2e-7f, expected[i] + 2e-7f);
    }

    [Fact]
    public void It_goes_on_from_the_base_through_the_weighted_mean()
    {
        using var models = Models();
        Gen.Double[-2, 2].Sample(
            alpha =>
            {
                var merged = models.Merge(Of(alpha, new Expert(Folder("e1")) { Weight = 3 }, Folder("e2")));
                foreach (var (name, b) in models.Values("base"))
                {
                    var (x, y) = (models.Values("e1")[name], models.Values("e2")[name]);
                    Close([.. b.Select((v, i) => (float)((((3.0 * x[i]) + y[i]) / 4 * (1 + alpha)) - (alpha * v)))], merged[name]);
                }
            },
            iter: 8,
            threads: 1);
    }

    [Fact]
    public void Alpha_zero_is_the_expert_and_the_base_stays_where_nothing_changed()
    {
        using var models = Models();
        Assert.Equal(models.Bytes("e1"), models.Bytes(models.Run(Of(0, Folder("e1"))).Folders[0]));
        models.Write("same", name => models.Values("base")[name]);
        Assert.Equal(models.Bytes("base"), models.Bytes(models.Run(Of(0.7, Folder("same"))).Folders[0]));
        Close(models.Values("base")["long"], models.Merge(Of(-1, Folder("e2")))["long"]);
    }

    [Fact]
    public void It_is_normalised_task_arithmetic_with_lambda_one_more()
    {
        using var models = Models();
        var arithmetic = models.Merge(new TaskArithmetic { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")], Normalize = true, Lambda = 1.4 });
        var merged = models.Merge(Of(0.4, Folder("e1"), Folder("e2"), Folder("e3")) with { Tensors = [On("matrix") with { Alpha = 0.4 }] });
        foreach (var (name, values) in arithmetic)
            Close(values, merged[name]);
    }

    [Fact]
    public void Alpha_may_differ_between_tensors_and_extrapolate_backwards()
    {
        using var models = Models();
        var merged = models.Merge(Of(0, Folder("e1")) with { Tensors = [On("matrix") with { Alpha = -0.5 }] });
        Assert.Equal(models.Values("e1")["long"], merged["long"]);
        Close([.. models.Values("base")["matrix"].Zip(models.Values("e1")["matrix"], (b, x) => (b + x) / 2)], merged["matrix"]);
    }

    [Fact]
    public void Negated_weights_forget_and_an_analogy_adds_a_difference()
    {
        using var models = Models();
        var b = models.Values("base")["matrix"];
        float[][] d = [.. Enumerable.Range(1, 3).Select(i => models.Values($"e{i}")["matrix"].Zip(b, (x, v) => x - v).ToArray())];
        var negated = models.Merge(new TaskArithmetic { Base = Folder("base"), Experts = [new(Folder("e1")) { Weight = -1 }, new(Folder("e2")) { Weight = -1 }], Lambda = 0.5 });
        Close([.. b.Select((v, i) => v - (0.5f * (d[0][i] + d[1][i])))], negated["matrix"]);
        var analogy = models.Merge(new TaskArithmetic { Base = Folder("base"), Experts = [new(Folder("e1")) { Weight = -1 }, Folder("e2"), Folder("e3")], Lambda = 0.5 });
        Close([.. b.Select((v, i) => v + (0.5f * (d[2][i] + d[1][i] - d[0][i])))], analogy["matrix"]);
    }
}
