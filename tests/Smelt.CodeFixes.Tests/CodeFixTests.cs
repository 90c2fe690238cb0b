extern alias Generators;

using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;
using Smelt.CodeFixes.Fixes;
using RecipeAnalyzer = Generators::Smelt.Generators.Analyzers.RecipeAnalyzer;

namespace Smelt.CodeFixes.Tests;

/// <summary>Each fix does what its name says, one breach at a time and all at once, and leaves the rest as it was.</summary>
public class CodeFixTests
{
    [Fact]
    public Task Value_out_of_range() => Fix<ClampFix>(
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Density = {|SM2001:-0.5|} }], Density = Sweep(0.5, /* more */ {|SM2001:1.5|} /* than all */) }""",
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Density = {|SM2006:0|} }], Density = Sweep(0.5, /* more */ 1 /* than all */) }""", 2);

    [Fact]
    public Task Value_not_whole() => Fix<ClampFix>(
        """new DareTies { Base = Folder("b"), Experts = [Folder("a")], Seed = {|SM2001:41.7|} }""",
        """new DareTies { Base = Folder("b"), Experts = [Folder("a")], Seed = 42 }""");

    [Fact]
    public Task Misspelt_pattern() => Fix<PatternFix>(
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On({|SM3006:"**.self_atn.**"|}) with { Weight = 2 }, Keep({|SM3006:"**.embed_token.**"|}, "lm_head.**")] }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("**.self_attn.**") with { Weight = 2 }, Keep("**.embed_tokens.**", "lm_head.**")] }""", 2);

    [Fact]
    public Task Unusable_recipe_name() => FixSource<RecipeNameFix>(
        """[Recipe({|SM1005:"my merge/1"|})] public static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""",
        """[Recipe("my-merge-1")] public static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""");

    [Fact]
    public Task Recipe_names_used_twice() => FixSource<RecipeNameFix>(
        """
        [Recipe("a")] public static partial class A { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }
        [Recipe({|SM1006:"a"|})] public static partial class B { public static Recipe Define() => new Average { Experts = [Folder("b")] }; }
        [Recipe({|SM1006:"A"|})] public static partial class C { public static Recipe Define() => new Average { Experts = [Folder("c")] }; }
        """,
        """
        [Recipe("a")] public static partial class A { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }
        [Recipe("a-2")] public static partial class B { public static Recipe Define() => new Average { Experts = [Folder("b")] }; }
        [Recipe("A-3")] public static partial class C { public static Recipe Define() => new Average { Experts = [Folder("c")] }; }
        """, 2);

    [Fact]
    public Task Deprecated_hub_name() => Fix<HubNameFix>(
        """new Average { Base = Hub({|SM0003:"gpt2"|}, "v1"), Experts = [Hub(revision: "x", id: {|SM0003:"gpt2-large"|})] }""",
        """new Average { Base = Hub("openai-community/gpt2", "v1"), Experts = [Hub(revision: "x", id: "openai-community/gpt2-large")] }""", 2);

    [Fact]
    public Task Sweep_or_gradient_that_is_a_constant() => Fix<ConstantFix>(
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = {|SM0007:Gradient(0.5, 0.5)|} }], Lambda = {|SM0006:Sweep([2])|}, Tensors = [On("lm_head.**") with { Density = {|SM3007:Gradient(0.25, 1)|} }] }""",
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = 0.5 }], Lambda = 2, Tensors = [On("lm_head.**") with { Density = 0.25 }] }""", 3);

    [Fact]
    public Task Misspelt_axis() => Fix<AxisNameFix>(
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Zip("strength", 1, 2) }], Lambda = Zip("strength", 1, 2), Density = Zip({|SM4005:"strenght"|}, 0.1, 0.2) }""",
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Zip("strength", 1, 2) }], Lambda = Zip("strength", 1, 2), Density = Zip("strength", 0.1, 0.2) }""");

    [Fact]
    public Task Misspelt_chat_template() => Fix<ChatTemplateFix>(
        """new Average { Experts = [Folder("a"), Folder("b")], ChatTemplate = {|SM2017:"chatlm"|} }""",
        """new Average { Experts = [Folder("a"), Folder("b")], ChatTemplate = "chatml" }""");

    [Fact]
    public Task Unusable_axis() => Fix<AxisNameFix>(
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Zip({|SM4006:"w/d"|}, 1, 2), Density = Zip({|SM4006:"w/d"|}, 0.1, 0.2) }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Zip("w-d", 1, 2), Density = Zip("w-d", 0.1, 0.2) }""", 2);

    [Fact]
    public Task Axis_with_one_number() => Fix<ZipToSweepFix>(
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Zip({|SM4005:"x"|}, 1, 2), Density = Zip({|SM4005:"another"|}, [0.1, 0.2]) }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Sweep(1, 2), Density = Sweep([0.1, 0.2]) }""", 2);

    [Fact]
    public Task Duplicate_experts() => Fix<RemoveElementFix>(
        """
        new Ties
        {
            Base = Folder("b"),
            Experts =
            [
                Folder("a"), // the first
                {|SM1002:Folder("./a")|},
                new({|SM1003:Folder("./b")|}) { Weight = 2 },
                Folder("c"),
                new({|SM1002:Folder("a")|}),
            ],
        }
        """,
        """
        new Ties
        {
            Base = Folder("b"),
            Experts =
            [
                Folder("a"), // the first
                Folder("c"),
            ],
        }
        """, 3);

    [Fact]
    public Task Rules_and_points_that_do_nothing() => Fix<RemoveElementFix>(
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [{|SM3004:Keep("x")|}, On("y") with { Weight = 2 }] }], Lambda = Sweep(1, 2, {|SM4002:1|}), Tensors = [Keep("x.**", {|SM3002:"x.y"|}), {|SM3003:On("z")|}, On({|SM3002:"x.z"|}) with { Weight = 2 }] }""",
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [On("y") with { Weight = 2 }] }], Lambda = Sweep(1, 2), Tensors = [Keep("x.**")] }""", 5);

    [Fact]
    public Task Settings_that_do_nothing() => Fix<RemoveSettingFix>(
        """
        new Average
        {
            Experts = [new(Folder("a")) { Density = {|SM2005:0.5|}, Weight = 2 }, new(Folder("c")) { Density = {|SM2005:0.5|} }],
            Dtype = DType.BF16,
            PromoteDtype = {|SM2005:true|}
        }
        """,
        """
        new Average
        {
            Experts = [new(Folder("a")) { Weight = 2 }, Folder("c")],
            Dtype = DType.BF16
        }
        """, 3);

    [Fact]
    public Task Settings_of_another_level() => Fix<RemoveSettingFix>(
        """new Stack { Slices = [new Average { Experts = [Folder("a")], Layers = 0..4, Dtype = {|SM1012:DType.BF16|}, MaxShardSize = {|SM1012:"5GB"|} }, From(Folder("b"), 4..8) with { Dtype = {|SM1012:DType.F16|} }] }""",
        """new Stack { Slices = [new Average { Experts = [Folder("a")], Layers = 0..4 }, From(Folder("b"), 4..8)] }""", 3);

    [Fact]
    public Task Values_that_never_win() => Fix<RemoveSettingFix>(
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [On("q") with { Lambda = {|SM3004:2|} }] }], Tensors = [On("**") with { Weight = 1 }, On("x") with { Weight = {|SM3002:2|}, Density = 0.5 }] }""",
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [] }], Tensors = [On("**") with { Weight = 1 }, On("x") with { Density = 0.5 }] }""", 2);

    [Fact]
    public Task Weights_and_values_that_can_be_omitted() => Fix<RemoveSettingFix>(
        """new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = {|SM0001:1|} }, new(Folder("c")) { Weight = {|SM0001:1.0|} }], Lambda = {|SM0002:1|}, Normalize = {|SM0002:false|} }""",
        """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a"), Folder("c")] }""", 4);

    [Fact]
    public Task Rule_that_never_wins() => Fix<MoveRuleFix>(
        """
        new Ties
        {
            Base = Folder("b"),
            Experts = [Folder("a")],
            Tensors =
            [
                On("**") with { Weight = 1 }, // all others
                On({|SM3002:"lm_head.**"|}) with { Weight = 2 },
                Keep("x"),
            ],
        }
        """,
        """
        new Ties
        {
            Base = Folder("b"),
            Experts = [Folder("a")],
            Tensors =
            [
                On("lm_head.**") with { Weight = 2 }, // all others
                On("**") with { Weight = 1 },
                Keep("x"),
            ],
        }
        """);

    [Fact]
    public Task Missing_values() => Fix<AddSettingFix>(
        """
        Stack(
            {|SM2009:new Slerp { Base = Folder("b"), Experts = [Folder("a")], Layers = 0..2 }|},
            {|SM2009:new NearSwap
            {
                Base = Folder("c"),
                Experts = [Folder("d")],
                Layers = 0..2,
            }|})
        """,
        """
        Stack(
            new Slerp { Base = Folder("b"), Experts = [Folder("a")], Layers = 0..2, T = 0.5 },
            new NearSwap
            {
                Base = Folder("c"),
                Experts = [Folder("d")],
                Layers = 0..2,
                T = 0.5,
            })
        """, 2);

    [Fact]
    public Task Missing_seed() => FixSource<AddSettingFix>(
        """[Recipe("a", Reproducible = true)] public static partial class T { public static Recipe Define() => {|SM2013:new DareTies { Base = Folder("b"), Experts = [Folder("a")] }|}; }""",
        """[Recipe("a", Reproducible = true)] public static partial class T { public static Recipe Define() => new DareTies { Base = Folder("b"), Experts = [Folder("a")], Seed = 0 }; }""");

    [Fact]
    public Task Missing_base() => Fix<AddBaseFix>(
        """
        {|SM1004:new Ties
        {
            Experts = [Folder("a")]
        }|}
        """,
        """
        new Ties
        {
            Experts = [Folder("a")],
            Base = Folder("models/base")
        }
        """);

    [Fact]
    public Task Weights_that_cancel() => Fix<DoNotNormalizeFix>(
        """new Average { Experts = [From(new MultiSlerp { Experts = {|SM2004:[new(Folder("a")) { Weight = -1 }, Folder("c")]|}, NormalizeWeights = true }), From(new TaskArithmetic { Base = Folder("b"), Experts = {|SM2004:[new(Folder("d")) { Weight = -1 }, Folder("e")]|}, Normalize = true })] }"""
            .Replace("{|SM2004:[new(Folder(\"d\")) { Weight = -1 }, Folder(\"e\")]|}", "[new(Folder(\"d\")) { Weight = -1 }, Folder(\"e\")]", StringComparison.Ordinal),
        """new Average { Experts = [From(new MultiSlerp { Experts = [new(Folder("a")) { Weight = -1 }, Folder("c")], NormalizeWeights = false }), From(new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("d")) { Weight = -1 }, Folder("e")], Normalize = true })] }""");

    [Fact]
    public Task Weights_that_scale() => Fix<NormalizeWeightsFix>(
        """new Average { Experts = {|SM2015:[new(Folder("a")) { Weight = 2 }, Folder("c"), new(Folder("d")) { Layers = 0..1, Weight = 1.0 }]|}, Normalize = false, Layers = 1..2 }""",
        """new Average { Experts = [new(Folder("a")) { Weight = 0.5 }, new(Folder("c")) { Weight = 0.25 }, new(Folder("d")) { Layers = 0..1, Weight = 0.25 }], Normalize = false, Layers = 1..2 }""");

    [Fact]
    public Task Sweep_not_in_order() => Fix<SortSweepFix>(
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = {|SM0004:Sweep(1, 3, -2)|}, Density = {|SM0004:Sweep([0.1, 0.5, 0.3])|} }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Sweep(-2, 1, 3), Density = Sweep([0.1, 0.3, 0.5]) }""", 2);

    [Fact]
    public Task Gradient_over_one_number() => Fix<GradientToSweepFix>(
        """new Karcher { Experts = [Folder("a")], Tolerance = {|SM2011:Gradient(0.1, 0.2)|}, MaxIterations = {|SM2011:Gradient([5, 20])|} }""",
        """new Karcher { Experts = [Folder("a")], Tolerance = Sweep(0.1, 0.2), MaxIterations = Sweep([5, 20]) }""", 2);

    [Fact]
    public Task Bare_list_as_sweep() => FixCompiler<ListToSweepFix>(
        """new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = {|CS9174:[0.2, 1 / 4.0]|} }], Lambda = {|CS0029:new[] { 1.0, 2 }|} }""",
        """new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Sweep(0.2, 1 / 4.0) }], Lambda = Sweep(1.0, 2) }""", 2);

    [Fact]
    public Task Bare_list_as_gradient() => FixCompiler<ListToGradientFix>(
        """new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = {|CS9174:[0.2, 0.4]|} }], Lambda = {|CS0029:new double[] { 1, 2 }|} }""",
        """new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Gradient(0.2, 0.4) }], Lambda = Gradient(1, 2) }""", 2);

    [Fact]
    public Task Model_written_out_several_times() => FixSource<ExtractModelFix>(
        """
        [Recipe("a")]
        public static partial class T
        {
            public static Recipe Define() => Stack(
                From({|SM0005:Folder("models/meta-math 7b")|}, 0..2),
                From({|SM0005:Hub("x/define")|}, 0..2),
                From({|SM0005:Folder("models/meta-math 7b")|}, 2..4),
                From({|SM0005:Hub("x/define")|}, 4..6));
        }
        """,
        """
        [Recipe("a")]
        public static partial class T
        {
            private static readonly Model Define2 = Hub("x/define");
            private static readonly Model MetaMath7b = Folder("models/meta-math 7b");

            public static Recipe Define() => Stack(
                From(MetaMath7b, 0..2),
                From(Define2, 0..2),
                From(MetaMath7b, 2..4),
                From(Define2, 4..6));
        }
        """, 2);

    [Fact]
    public Task Class_not_partial() => FixSource<MakePartialFix>(
        """
        public class Outer
        {
            /// <summary>A recipe.</summary>
            [Recipe("a")]
            public sealed class {|SM1007:A|}
            {
                public static Recipe Define() => new Average { Experts = [Folder("a")] };
            }
        }

        [Recipe("b")]
        class {|SM1007:B|} : IRecipe
        {
            public static Recipe Define() => new Average { Experts = [Folder("b")] };
        }
        """,
        """
        public partial class Outer
        {
            /// <summary>A recipe.</summary>
            [Recipe("a")]
            public static partial class A
            {
                public static Recipe Define() => new Average { Experts = [Folder("a")] };
            }
        }

        [Recipe("b")]
        partial class B : IRecipe
        {
            public static Recipe Define() => new Average { Experts = [Folder("b")] };
        }
        """, 2);

    [Fact]
    public Task Class_without_Define() => FixSource<AddDefineFix>(
        """
        [Recipe("a")]
        public static partial class {|SM1008:T|}
        {
        }
        """,
        """
        [Recipe("a")]
        public static partial class T
        {
            public static Recipe Define() => new Average
            {
                Experts = [Folder("models/first"), Folder("models/second")],
            };
        }
        """);

    [Fact]
    public Task Misspelt_stage() => new RecipeFixTest<EmptyDiagnosticAnalyzer, RecipeTypeFix>(
        """
        namespace Stages
        {
            [Recipe("soup")] public sealed partial class Soup : IRecipe { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }
            [Recipe("other")] public static partial class Suop { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }
        }

        namespace Recipes
        {
            [Recipe("t")] public static partial class T { public static Recipe Define() => new Average { Experts = [From<{|CS0246:Sup|}>(), From({|CS0103:Suopp|}.Define())] }; }
        }
        """,
        """
        namespace Stages
        {
            [Recipe("soup")] public sealed partial class Soup : IRecipe { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }
            [Recipe("other")] public static partial class Suop { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }
        }

        namespace Recipes
        {
            [Recipe("t")] public static partial class T { public static Recipe Define() => new Average { Experts = [From<Stages.Soup>(), From(Stages.Suop.Define())] }; }
        }
        """, 2).RunAsync();

    [Fact]
    public void Every_fix_is_exported_has_a_test_and_fixes_all_at_once()
    {
        var fixes = typeof(ClampFix).Assembly.GetTypes().Where(t => !t.IsAbstract && t.IsAssignableTo(typeof(CodeFixProvider))).ToArray();
        Assert.True(fixes.Length >= 12);
        var source = File.ReadAllText(Path.Combine(ProjectFolder.Path, "CodeFixTests.cs"));
        foreach (var fix in fixes)
        {
            Assert.NotEmpty(fix.GetCustomAttributes(typeof(ExportCodeFixProviderAttribute), false));
            Assert.True(source.Contains($"<{fix.Name}>", StringComparison.Ordinal) || source.Contains($", {fix.Name}>", StringComparison.Ordinal), fix.Name);
            Assert.NotNull(((CodeFixProvider)Activator.CreateInstance(fix)!).GetFixAllProvider());
        }
    }

    [Fact]
    public void What_the_compiler_loads_needs_no_workspaces() =>
        Assert.DoesNotContain(typeof(RecipeAnalyzer).Assembly.GetReferencedAssemblies(), a => a.Name!.Contains("Workspaces", StringComparison.Ordinal));

    private static Task Fix<TFix>(string before, string after, int iterations = 1)
        where TFix : CodeFixProvider, new() => FixSource<TFix>(Recipe(before), Recipe(after), iterations);

    private static Task FixSource<TFix>(string before, string after, int iterations = 1)
        where TFix : CodeFixProvider, new() => new RecipeFixTest<RecipeAnalyzer, TFix>(before, after, iterations).RunAsync();

    private static Task FixCompiler<TFix>(string before, string after, int iterations)
        where TFix : CodeFixProvider, new() => new RecipeFixTest<EmptyDiagnosticAnalyzer, TFix>(Recipe(before), Recipe(after), iterations).RunAsync();

    private static string Recipe(string expression) =>
        "[Recipe(\"test\")]\npublic static partial class Test\n{\n    public static Recipe Define() => " + expression.ReplaceLineEndings("\n    ") + ";\n}";
}
