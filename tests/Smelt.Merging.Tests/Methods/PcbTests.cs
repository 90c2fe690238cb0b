using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>PCB-Merging against its definition written anew in fp64, with sorting.</summary>
public class PcbTests
{
    private static readonly string[] Names = ["e1", "e2", "e3"];
    private static readonly string[] Tensors = ["long", "matrix", "scalar"];

    private static MatrixModels Models()
    {
        var models = new MatrixModels(("scalar", []), ("matrix", [37, 23]), ("empty", [0, 4]), ("long", [70_001]));
        models.WriteNoise("base", 1, 0.1f);
        for (var i = 1; i <= Names.Length; i++)
            models.WriteNoise($"e{i}", i + 1, 0.1f * i, around: "base");
        return models;
    }

    private static Pcb Recipe => new() { Base = Folder("base"), Experts = Sequence.From(Names.Select((n, i) => new Expert(Folder(n)) { Weight = 1 + (i * 0.2) })) };

    private static double[][] Deltas(MatrixModels models) => [.. Names.Select(n =>
        Tensors.SelectMany(t => models.Values(n)[t].Zip(models.Values("base")[t], (x, b) => (double)(x - b))).ToArray())];

    private static double[] Clamp(double[] values, double fromLow, double fromHigh)
    {
        var sorted = values.Order().ToArray();
        var (low, high) = (sorted[Math.Min(values.Length - 1, (int)(values.Length * fromLow))], sorted[(int)((values.Length * (1 - fromHigh)) - 1)]);
        return [.. values.Select(v => Math.Clamp(v, low, high))];
    }

    private static double[] Normalize(double[] values)
    {
        var (low, high) = (values.Min(), values.Max());
        return high > low ? [.. values.Select(v => (v - low) / (high - low))] : new double[values.Length];
    }

    private static double[] Expected(double[][] d, double ratio, double clamp, PcbForm form)
    {
        var n = d[0].Length;
        double[][] a = [.. d.Select(v => Clamp([.. v.Select(Math.Abs)], clamp, clamp))];
        double[][] q = [.. a.Select(Normalize)];
        double[] s = [.. Enumerable.Range(0, n).Select(e => Enumerable.Range(0, d.Length).Sum(i => form == PcbForm.Language ? d[i][e] : Math.Sign(d[i][e]) * q[i][e]))];
        double[][] scale = [.. Enumerable.Range(0, d.Length).Select(i => Normalize(Clamp([.. Enumerable.Range(0, n).Select(e => Math.Exp(d.Length * q[i][e] * q[i][e]) * Math.Tanh(d[i][e] * s[e]))], 1 - ratio, 0)))];
        return [.. Enumerable.Range(0, n).Select(e =>
            Enumerable.Range(0, d.Length).Sum(i => (1 + (i * 0.2)) * Math.Sign(d[i][e]) * a[i][e] * scale[i][e]) / Math.Max(1e-12, Enumerable.Range(0, d.Length).Sum(i => scale[i][e])))];
    }

    [Theory]
    [InlineData(0.1, 0.01, PcbForm.Language)]
    [InlineData(0.05, 0.0001, PcbForm.Vision)]
    [InlineData(0.2, 0, PcbForm.Language)]
    [InlineData(0.95, 0.01, PcbForm.Vision)]
    [InlineData(1, 0.3, PcbForm.Language)]
    public void Deltas_are_weighted_by_their_balances(double ratio, double clamp, PcbForm form)
    {
        using var models = Models();
        var expected = Expected(Deltas(models), ratio, clamp, form);
        var merged = models.Merge(Recipe with { Ratio = ratio, Clamp = clamp, Form = form, Lambda = 0.5 });
        var (e, far) = (0, 0);
        foreach (var tensor in Tensors)
        {
            foreach (var (value, b) in merged[tensor].Zip(models.Values("base")[tensor]))
                far += Math.Abs(value - (b + (0.5 * expected[e++]))) > 2e-5 ? 1 : 0;
        }

        // Where all scales are next to 0, rounding is divided by rounding.
        Assert.InRange(far, 0, e / 5_000);
    }

    [Fact]
    public void Experts_without_task_vectors_and_equal_magnitudes_give_finite_results()
    {
        using var models = new MatrixModels(("a", [64]), ("b", [3]));
        models.Write("base", name => new float[name == "a" ? 64 : 3]);
        models.Write("e1", name => new float[name == "a" ? 64 : 3]);
        models.Write("e2", name => [.. Enumerable.Range(0, name == "a" ? 64 : 3).Select(i => i % 2 == 0 ? 1f : -1f)]);
        models.Write("e3", name => [.. Enumerable.Range(0, name == "a" ? 64 : 3).Select(i => i / 64f)]);
        foreach (var experts in new Sequence<Expert>[] { [Folder("e1")], [Folder("e2")], [Folder("e1"), Folder("e2")], [Folder("e1"), Folder("e2"), Folder("e3")] })
        {
            foreach (var form in Enum.GetValues<PcbForm>())
            {
                foreach (var values in models.Merge(new Pcb { Base = Folder("base"), Experts = experts, Form = form, Ratio = 0.5 }).Values)
                    Assert.All(values, v => Assert.True(float.IsFinite(v)));
            }
        }

        Assert.All(models.Merge(new Pcb { Base = Folder("base"), Experts = [Folder("e1")] })["a"], v => Assert.Equal(0, v));
    }

    [Fact]
    public void A_sweep_shares_what_is_measured()
    {
        using var models = Models();
        var result = models.Run(Recipe with { Ratio = Sweep(0.1, 0.3), Lambda = Sweep(1, 0.5) });
        for (var i = 0; i < result.Folders.Count; i++)
            Assert.Equal(models.Bytes(models.Run(result.Plan.Points[i].Recipe).Folders[0]), models.Bytes(result.Folders[i]));
    }
}
