using CsCheck;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>What the median and the largest magnitude promise, on models with equal values and zeros of both signs.</summary>
public class SelectionTests
{
    private const int Elements = 200;

    private static readonly Gen<float> Value = Gen.OneOf(Gen.Const(0f), Gen.Const(-0f), Gen.Const(1f), Gen.Const(-1f), Gen.Const(float.MaxValue), Gen.Const(1e-40f), Gen.Float[-2, 2]);

    private static readonly Gen<float[][]> Experts = Gen.Int[1, 9].SelectMany(n => Value.Array[Elements].Array[n]);

    private static float[] Merge(Recipe recipe, float[][] experts)
    {
        using var models = new MatrixModels(("w", [Elements]));
        for (var i = 0; i < experts.Length; i++)
            models.Write($"e{i}", _ => experts[i]);
        return models.Merge(recipe with { Experts = Sequence.From(experts.Select((_, i) => new Expert(Folder($"e{i}")))) }, threads: 1)["w"];
    }

    [Fact]
    public void The_median_is_the_lower_middle_value_in_any_order_of_the_experts() => Experts.Sample(
        experts =>
        {
            var merged = Merge(new Median(), experts);
            for (var e = 0; e < Elements; e++)
                Assert.Equal(experts.Select(x => x[e]).Order().ElementAt((experts.Length - 1) / 2), merged[e]);
            Assert.Equal(merged.Select(BitConverter.SingleToInt32Bits), Merge(new Median(), [.. experts.Reverse()]).Select(BitConverter.SingleToInt32Bits));
        },
        iter: 40,
        threads: 1);

    [Fact]
    public void The_largest_magnitude_is_the_first_expert_s_of_equals() => Experts.Sample(
        experts =>
        {
            var merged = Merge(new LargestMagnitude(), experts);
            for (var e = 0; e < Elements; e++)
            {
                var largest = experts.Max(x => Math.Abs(x[e]));
                var first = experts.First(x => Math.Abs(x[e]) == largest)[e];
                Assert.Equal(BitConverter.SingleToInt32Bits(first), BitConverter.SingleToInt32Bits(merged[e]));
            }
        },
        iter: 40,
        threads: 1);

    [Fact]
    public void A_single_expert_stays_as_it_is_and_an_outlier_moves_no_median()
    {
        var random = new Random(3);
        float[][] experts = [.. Enumerable.Range(0, 5).Select(_ => Enumerable.Range(0, Elements).Select(_ => (float)random.NextDouble()).ToArray())];
        Assert.Equal(experts[0], Merge(new Median(), [experts[0]]));
        Assert.Equal(experts[0], Merge(new LargestMagnitude(), [experts[0]]));
        var shifted = Merge(new Median(), [.. experts[..4], [.. experts[4].Select(v => v + 1e6f)]]);
        for (var e = 0; e < Elements; e++)
            Assert.InRange(shifted[e], experts.Min(x => x[e]), experts.Max(x => x[e]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_value_that_is_no_number_is_not_passed_over(bool median)
    {
        using var models = new MatrixModels(("w", [40]));
        for (var i = 0; i < 3; i++)
            models.Write($"e{i}", _ => [.. Enumerable.Range(0, 40).Select(e => e % 3 == i && e > 30 ? float.NaN : e + i)]);
        Sequence<Expert> experts = [Folder("e0"), Folder("e1"), Folder("e2")];
        Recipe recipe = median ? new Median { Experts = experts } : new LargestMagnitude { Experts = experts };
        Assert.Contains("SM7014", Assert.Throws<InvalidInputException>(() => models.Merge(recipe)).Message, StringComparison.Ordinal);
        var merged = models.Merge(recipe with { NonFinite = NonFinite.Propagate })["w"];
        for (var e = 0; e < merged.Length; e++)
            Assert.Equal(e > 30 ? float.NaN : median ? e + 1 : e + 2, merged[e]);
    }
}
