using Smelt.Mergekit.Exporting;
using Smelt.Mergekit.Importing;
using Smelt.Mergekit.Writing;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Mergekit.Tests;

/// <summary>Recipes that were written by hand become configurations, or it is said why they can't.</summary>
public class ExportTests
{
    [Fact]
    public void A_recipe_of_the_profile_of_mergekit_has_a_form() => Assert.Equal(
        """
        merge_method: ties
        base_model: base
        models:
          - model: org/a
            parameters:
              weight:
                - filter: mlp
                  value: [0.1, 0.9]
                - filter: mlp
                  value: 0
                - value: 1
              density: 0.5
          - model: org/b@v1
            parameters:
              weight:
                - filter: mlp
                  value: 0
                - value: 0.3
        parameters:
          normalize: false
          rescale: true
          lambda: 1.0e-05
        dtype: float32
        out_dtype: bfloat16

        """,
        Yaml(new Ties
        {
            Profile = Profile.Mergekit,
            Base = Folder("base"),
            Experts = [new(Hub("org/a")) { Density = 0.5, Tensors = [On("**.*mlp*.**") with { Weight = Gradient(0.1, 0.9) }] }, new(Hub("org/b", "v1")) { Weight = 0.3 }],
            Tensors = [On("**.*mlp*.**") with { Weight = 0 }],
            Normalize = false,
            Rescale = Rescale.L1,
            Lambda = 1e-5,
            Dtype = DType.BF16,
        }));

    [Theory]
    [InlineData("trim", "model")]
    [InlineData("cut", "atThreshold")]
    [InlineData("election", "unweighted")]
    [InlineData("zeroVote", "majority")]
    public void Switches_that_mergekit_fixes_are_named(string slot, string value)
    {
        var problems = Errors(new Ties { Base = Folder("b"), Experts = [Folder("a")], Dtype = DType.F32 });
        Assert.Contains(problems, p => p.Where == $"x, /{slot}" && p.Message.Contains($"{slot} is {value}; in mergekit's ties it is always", StringComparison.Ordinal));
    }

    public static TheoryData<string, Recipe> WithoutForm => new()
    {
        { "/lambda", new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = Sweep(0.5, 1) } },
        { "/tensors", new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Tensors = [Keep("lm_head.**")] } },
        { "/tensors/0/on", new Average { Experts = [Folder("a")], Tensors = [On("**.{q,k}_proj.*") with { Weight = 2 }] } },
        { "/experts/0/layers", From(Folder("a"), 4..) },
        { "/slices/1", Stack(From(Folder("a"), 0..4), new Average { Experts = [Folder("a"), Folder("b")], Layers = 4..8 }) },
        { "/rescale", new DareTies { Profile = Profile.Mergekit, Base = Folder("b"), Experts = [Folder("a")], Rescale = Rescale.Inverse } },
        { "/maskFile", new DareTies { Profile = Profile.Mergekit, Base = Folder("b"), Experts = [Folder("a")], MaskFile = "m" } },
        { "/parts/0/match", new Modules { Parts = [Part("**.{a,b}.*", new Average { Experts = [Folder("a")] })] } },
        { "/parts/1/merge/base", new Modules { Base = Folder("b"), Parts = [Part("**.encoder.**", Sum("b")), Part("**", Sum("c"))] } },
        { "/base/stage/tensors", new Slerp { Base = From(new Average { Experts = [Folder("a")], Tensors = [Keep("x")] }), Experts = [Folder("c")], T = 1 } },
    };

    [Theory]
    [MemberData(nameof(WithoutForm))]
    public void What_has_no_form_is_an_error_at_its_place(string pointer, Recipe recipe)
    {
        var problem = Assert.Single(Errors(recipe with { Dtype = DType.F32 }));
        Assert.Equal(("SM9017", "x, " + pointer), (problem.Id, problem.Where));
    }

    public static TheoryData<string, Recipe> WithOtherMeaning => new()
    {
        { "/dtype", new Average { Experts = [Folder("a")] } },
        { "/base", new Average { Base = Folder("b"), Experts = [Folder("a")], Dtype = DType.F32 } },
        { "/seed", new DareTies { Profile = Profile.Mergekit, Base = Folder("b"), Experts = [Folder("a")], Seed = 42, Dtype = DType.F32 } },
        { "/missing", new Average { Experts = [Folder("a")], Missing = MissingTensors.Union, Dtype = DType.F32 } },
        { "/maxShardSize", new Average { Experts = [Folder("a")], MaxShardSize = "1GB", Dtype = DType.F32 } },
        { "/nonFinite", new Average { Experts = [Folder("a")], NonFinite = NonFinite.Propagate, Dtype = DType.F32 } },
        { "/tensors/0/on", new Average { Experts = [Folder("a")], Tensors = [On("**.mlp.**") with { Weight = 2 }], Dtype = DType.F32 } },
    };

    [Theory]
    [MemberData(nameof(WithOtherMeaning))]
    public void What_means_something_else_is_a_warning_at_its_place(string pointer, Recipe recipe)
    {
        var export = MergekitExporter.Export("x", recipe, p => p);
        var problem = Assert.Single(export.Problems);
        Assert.Equal(("SM9019", "x, " + pointer), (problem.Id, problem.Where));
        Assert.Single(export.Documents);
    }

    [Theory]
    [InlineData("**.mlp.**", true, ".mlp.", false)]
    [InlineData("**.*mlp*.**", true, "mlp", true)]
    [InlineData("lm_head.**", true, "lm_head.", false)]
    [InlineData("**.q_proj.weight", true, ".q_proj.weight", false)]
    [InlineData("**", true, null, true)]
    [InlineData("**.a*b.**", false, null, false)]
    [InlineData("**.{a,b}.**", false, null, false)]
    public void Patterns_have_the_filters_that_come_nearest(string glob, bool found, string? filter, bool exact) =>
        Assert.Equal((found, filter, exact), Filters.FromGlob(glob));

    [Fact]
    public void Equal_stages_are_written_once()
    {
        var stage = new Average { Experts = [Folder("a"), Folder("b")], Dtype = DType.F32 };
        var yaml = Yaml(new Slerp { Base = From(stage), Experts = [From(new Passthrough { Experts = [From(stage)], Dtype = DType.F32 }, "other")], T = 0.5, Dtype = DType.F32 });
        Assert.Equal(["name: stage-1", "name: other"], yaml.Split('\n').Where(l => l.StartsWith("name", StringComparison.Ordinal)));
        Assert.Equal(2, yaml.Split("---").Length - 1);
    }

    private static TaskArithmetic Sum(string baseModel) => new() { Base = Folder(baseModel), Experts = [Folder("a")] };

    private static string Yaml(Recipe recipe)
    {
        var export = MergekitExporter.Export("x", recipe, p => p);
        Assert.True(!export.HasErrors, string.Join("\n", export.Problems));
        return MergekitWriter.Write(export.Documents);
    }

    private static Problem[] Errors(Recipe recipe) => [.. MergekitExporter.Export("x", recipe, p => p).Problems.Where(p => p.Severity == Severity.Error)];
}
