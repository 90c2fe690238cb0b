using Smelt.Recipes.Rules;

namespace Smelt.Recipes.Tests;

/// <summary>Profiles, sweeps and sizes of recipes.</summary>
public class RecipeTests
{
    [Fact]
    public void The_paper_profile_is_the_default_and_sets_the_originals_switches()
    {
        var ties = (Ties)new Ties().Resolve();
        Assert.Equal((TrimScope.Model, Cut.AtThreshold, Election.Unweighted, ZeroVote.Majority, true, 0.2),
            (ties.Trim, ties.Cut, ties.Election, ties.ZeroVote, ties.Normalize, ties.Density!.Value));
        var dare = (DareTies)new DareTies { Profile = Profile.Paper }.Resolve();
        Assert.Equal((Rescale.Inverse, true, 0.2), (dare.Rescale, dare.Normalize, dare.TrimDensity!.Value));
    }

    [Fact]
    public void The_mergekit_profile_sets_its_switches_and_each_stays_overridable()
    {
        var ties = (Ties)new Ties { Profile = Profile.Mergekit, Trim = TrimScope.Model }.Resolve();
        Assert.Equal((TrimScope.Model, Cut.Exact, Election.Sum, ZeroVote.Positive, true, 1.0),
            (ties.Trim, ties.Cut, ties.Election, ties.ZeroVote, ties.Normalize, ties.Density!.Value));
        var dare = (DareTies)new DareTies { Profile = Profile.Mergekit }.Resolve();
        Assert.Equal((Rescale.L1, false, 1.0), (dare.Rescale, dare.Normalize, dare.TrimDensity!.Value));
    }

    [Fact]
    public void Sweeps_make_their_product_with_the_last_varying_fastest()
    {
        var points = SweepExpansion.Expand(new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Sweep(1, 2) }], Lambda = Sweep(0.5, 1e-7) });
        Assert.Equal(["experts.0.weight=1,lambda=0.5", "experts.0.weight=1,lambda=1e-7", "experts.0.weight=2,lambda=0.5", "experts.0.weight=2,lambda=1e-7"], points.Select(p => p.Label));
        Assert.Equal([0.5, 1e-7, 0.5, 1e-7], points.Select(p => ((Ties)p.Recipe).Lambda!.Value));
        Assert.Equal([1.0, 1, 2, 2], points.Select(p => p.Recipe.Experts[0].Weight!.Value));
    }

    [Fact]
    public void Numbers_on_one_axis_advance_together()
    {
        var points = SweepExpansion.Expand(new Ties
        {
            Base = Folder("b"),
            Experts = [new(Folder("a")) { Weight = Zip("w", 1, 2) }, new(Folder("c")) { Weight = Zip("w", 1, 3) }],
            Tensors = [On("x") with { Density = Zip("d", 0.1, 0.2, 0.1) }],
            Lambda = Sweep(0.5, 1),
            Density = Zip("d", 0.3, 0.4, 0.5),
        });
        Assert.Equal(2 * 3 * 2, points.Count);
        Assert.Equal(["w=1,d=0.1_0.3,lambda=0.5", "w=1,d=0.1_0.3,lambda=1", "w=1,d=0.2_0.4,lambda=0.5"], points.Take(3).Select(p => p.Label));
        Assert.Equal("w=2_3,d=0.1_0.5,lambda=1", points[^1].Label);
        Assert.Equal(points.Count, points.Select(p => p.Label).Distinct().Count());
        var last = (Ties)points[^1].Recipe;
        Assert.Equal((2, 3, 0.1, 1, 0.5), (last.Experts[0].Weight!.Value, last.Experts[1].Weight!.Value, ((TensorOverride)last.Tensors[0]).Density!.Value, last.Lambda!.Value, last.Density!.Value));
    }

    [Fact]
    public void An_axis_reaches_into_the_parts_of_a_recipe()
    {
        static Recipe Slice(double second) => new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Layers = 0..2, Lambda = Zip("l", 1, second) };
        var points = SweepExpansion.Expand(Stack(Slice(2), Slice(3)));
        Assert.Equal(["l=1", "l=2_3"], points.Select(p => p.Label));
        Assert.Equal([2.0, 3], ((Stack)points[1].Recipe).Slices.Select(s => ((TaskArithmetic)s).Lambda!.Value));
    }

    [Fact]
    public void Equal_recipes_are_equal_values()
    {
        static Recipe Make() => new Average { Experts = [Folder("a"), new(Hub("x/y")) { Weight = 2 }], Tensors = [Keep("z")] };
        Assert.Equal(Make(), Make());
        Assert.NotEqual(Make(), Make() with { Experts = [] });
    }

    [Fact]
    public void A_value_for_some_tensors_has_the_range_that_the_recipe_gives_it()
    {
        Recipe near = new NearSwap { Base = Folder("b"), Experts = [Folder("a")], T = 1, Tensors = [On("x") with { T = -1 }] };
        var problem = Assert.Single(RecipeValidator.Validate("r", near));
        Assert.Equal(("SM2001", "/tensors/0/t"), (problem.Id, problem.Where));
        Assert.Empty(RecipeValidator.Validate("r", new Slerp { Base = Folder("b"), Experts = [Folder("a")], T = 1, Tensors = [On("x") with { T = -1 }] }));
        Assert.Empty(RecipeValidator.Validate("r", new ExPO { Base = Folder("b"), Experts = [Folder("a")], Alpha = -1, Tensors = [On("x") with { Alpha = -1 }] }));
        Assert.Single(RecipeValidator.Validate("r", new RamPlus { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("x") with { Alpha = -1 }] }));
    }

    [Fact]
    public void Zeros_of_both_signs_are_one_point_of_a_sweep()
    {
        static string[] Ids(Scalar lambda) =>
            [.. RecipeValidator.Validate("r", new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = lambda }], Lambda = lambda }).Select(p => p.Id)];

        Assert.Contains("SM4002", Ids(Zip("l", 0.0, -0.0)));
        Assert.Contains("SM4002", Ids(Sweep(0.0, -0.0)));
        Assert.DoesNotContain("SM4002", Ids(Zip("l", 0.0, 1)));
        Assert.DoesNotContain("SM4002", Ids(Sweep(0.0, 1)));
    }

    [Theory]
    [InlineData("5GB", 5_000_000_000)]
    [InlineData("512 MiB", 536_870_912)]
    [InlineData("1.5kb", 1500)]
    [InlineData("42", 42)]
    public void Sizes_are_read(string text, long bytes) => Assert.Equal((bytes, null), (ByteSize.Parse(text).Bytes, ByteSize.Parse(text).InvalidText));

    [Theory]
    [InlineData("")]
    [InlineData("GB")]
    [InlineData("-1GB")]
    [InlineData("5 apples")]
    [InlineData("99999999999999999999GiB")]
    [InlineData("9223372036854775808")]
    public void What_is_no_size_is_kept_for_the_rule(string text) => Assert.Equal(text, ByteSize.Parse(text).InvalidText);
}
