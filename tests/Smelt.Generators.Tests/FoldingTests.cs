using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Generators.Tests;

/// <summary>What the compiler folds is what the recipe's own code makes, byte for byte.</summary>
public class FoldingTests
{
    public static TheoryData<string> Constructs() =>
    [
        """new Average { Experts = [Folder("a"), Folder("b")] }""",
        """new Average { Base = Hub("org/base", "v1"), Experts = [new(Folder("a")) { Weight = -2 }, new Expert(Hub("x/y")) { Weight = 3e0 }], Normalize = false }""",
        """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = Sweep(0.1, 0.2, 1e-7), Dtype = DType.BF16, MaxShardSize = "5GB" }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Profile = Profile.Mergekit, Density = 1, Trim = TrimScope.Model, Cut = Cut.MaskRate }""",
        """new DareTies { Base = Folder("b"), Experts = [Folder("a"), Folder("c")], TrimDensity = 0.5, MaskFile = "masks.safetensors", MaxShardSize = 1000 }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("**.mlp.**") with { Density = 0.3, Weight = Sweep(1, 2) }, Keep("lm_head.**", "**.embed_tokens.**")] }""",
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [On("x.*") with { Weight = 0 }] }] } with { Lambda = 0.25 }""",
        """new Ties { Base = Handles.Base, Experts = [Handles.First, .. Handles.More], Lambda = Handles.Lambda, Density = Handles.Density }""",
        """Handles.Shared with { Density = Sweep(0.2, 0.4) }""",
        """new Average { Experts = [Folder(nameof(Handles)), Folder($"models/{Handles.Name}"), Folder("ü\"\n\u2028😀")] }""",
        """(new Average { Experts = [(Folder("a"))], NonFinite = NonFinite.Propagate })""",
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Zip(Handles.Name, 1, 2) }], Lambda = Zip(points: [0.5, 1], axis: "c-1"), Density = Zip("other", [0.2, 0.3]), Tensors = [On("x") with { Density = Zip("other", 0.4, 0.4) }] }""",
        """new Slerp { Base = Folder("b"), Experts = [Folder("a")], T = Gradient(0, 0.5, 1), Tensors = [On("x.**") with { T = Gradient([1, 0]) }] }""",
        """Stack(From(Folder("a"), 0..Handles.Middle), From(Hub("x/y"), 8..), new Average { Experts = [Folder("a"), new(Folder("b")) { Layers = new LayerRange(3, 5) }], Layers = 0..2 })""",
        """new Modules { Base = Folder("b"), Parts = [Part("encoder.**", Stack(From(Folder("a"), ..4))), Part("**", new Average { Experts = [Folder("a"), Folder("b")], Missing = MissingTensors.Union })] }""",
        """new Average { Experts = [From(Other.Define()), From<Third>(), From(new Passthrough { Experts = [Folder("x")] }, "copied")], PromoteDtype = true }""",
    ];

    private const string Handles =
        """
        internal static class Handles
        {
            public const string Name = "c-1";
            public const double Lambda = 1.0 / 3;
            public const int Middle = 12;
            public static readonly Model Base = Folder("base");
            public static Model First => Hub("org/first");
            public static readonly Expert[] More = [Folder("x"), new(Folder("y")) { Weight = 2 }];
            public static readonly double Density = 0.5;
            public static Ties Shared { get; } = new() { Base = Base, Experts = [.. More] };
        }

        [Recipe("other")]
        public static partial class Other
        {
            public static Recipe Define() => new Average { Experts = [Handles.Base, Folder("o")] };
        }

        [Recipe("third")]
        public sealed partial class Third : IRecipe
        {
            public static Recipe Define() => new TaskArithmetic { Base = From(Other.Define()), Experts = [Folder("t")] };
        }
        """;

    [Theory]
    [MemberData(nameof(Constructs))]
    public void Folded_and_executed_recipes_are_the_same_bytes(string expression)
    {
        var assembly = RecipeCompilation.Load(RecipeCompilation.Of(RecipeCompilation.Recipe(expression), Handles));
        var folded = RecipeCompilation.Metadata(assembly, "smelt.recipe:")["test"];
        var executed = (Recipe)assembly.GetType("Test")!.GetMethod("Define")!.Invoke(null, null)!;
        Assert.Equal(ConfigurationWriter.Write("test", executed), folded);
        Assert.Equal(CanonicalJson.Sha256(folded), RecipeCompilation.Metadata(assembly, "smelt.recipe-hash:")["test"]);
        Assert.Equal(folded, assembly.GetType("Test")!.GetField("Configuration")!.GetValue(null));
    }

    [Theory]
    [InlineData("""Make()""", "Make()")]
    [InlineData("""new Average { Experts = [Folder(Environment.MachineName)] }""", "Environment.MachineName")]
    [InlineData("""new Average { Experts = [new(Folder("a")) { Weight = Math.Sqrt(2) }] }""", "Math.Sqrt(2)")]
    [InlineData("""null!""", "null")]
    [InlineData("""default!""", "default")]
    public void What_is_not_constant_is_information_and_left_to_run_time(string expression, string place)
    {
        var source = RecipeCompilation.Recipe(expression).Replace("public static Recipe", "private static Average Make() => new() { Experts = [Folder(\"a\")] }; public static Recipe", StringComparison.Ordinal);
        var compilation = RecipeCompilation.Of(source);
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(compilation));
        Assert.Equal("SM1009", diagnostic.Id);
        Assert.Equal(place, RecipeCompilation.TextAt(diagnostic.Location));

        var assembly = RecipeCompilation.Load(compilation);
        Assert.Empty(RecipeCompilation.Metadata(assembly, "smelt.recipe:"));
        Assert.Equal("Test", RecipeCompilation.Metadata(assembly, "smelt.recipe-dynamic:")["test"]);
    }

    [Fact]
    public void The_registry_lists_recipes_of_namespaces_and_nested_classes()
    {
        var assembly = RecipeCompilation.Load(RecipeCompilation.Of(
            """
            namespace A.B
            {
                public partial class Outer
                {
                    [Recipe("nested")]
                    public static partial class Inner
                    {
                        public static Recipe Define() { return new Average { Experts = [Folder("a")] }; }
                    }
                }
            }

            [Recipe("global")]
            internal static partial class Global
            {
                internal static Average Define() => new() { Experts = [Folder("a")] };
            }
            """));
        var entries = (IReadOnlyList<RecipeEntry>)assembly.GetType("Smelt.Generated.RecipeRegistry")!.GetProperty("All")!.GetValue(null)!;
        Assert.Equal(["global", "nested"], entries.Select(e => e.Name));
        Assert.All(entries, e => Assert.Equal(ConfigurationWriter.Write(e.Name, e.Define()), e.Configuration));
    }

    [Fact]
    public void Incomplete_sources_never_break_generator_or_analyzer()
    {
        var source = RecipeCompilation.Recipe("""new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Sweep(1, 2) }, .. Handles.More], Tensors = [On("**") with { Weight = 1 }] } with { Lambda = 2 }""");
        for (var length = 0; length < source.Length; length += 3)
        {
            var compilation = RecipeCompilation.Of(source[..length], Handles);
            var result = RecipeCompilation.Driver().RunGenerators(compilation).GetRunResult();
            Assert.All(result.Results, r => Assert.Null(r.Exception));
            Assert.DoesNotContain(RecipeCompilation.Analyze(compilation), d => d.Id.StartsWith("AD", StringComparison.Ordinal));
        }
    }
}
