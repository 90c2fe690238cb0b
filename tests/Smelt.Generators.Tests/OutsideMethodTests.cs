extern alias Generators;

using System.Reflection;
using Microsoft.CodeAnalysis;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Generators.Tests;

/// <summary>Merge methods that a user's own assembly declares.</summary>
public class OutsideMethodTests
{
    /// <summary>A method, its id first, with the members given.</summary>
    private static string Method(string id, string members, string kind = "TaskVectorRecipe", string name = "Mine") => $$"""
        public enum Kind { First, SecondOne }
        [Method("{{id}}", "a method")]
        public sealed record {{name}} : {{kind}}, IElementMethod
        {
            [Slot("a factor", Min = 0, Max = 2, Default = 0.5)]
            public Scalar? Factor { get; init; }

            [Slot("a kind", Default = global::Kind.SecondOne)]
            public Kind? Kind { get; init; }

            [Slot("a flag")]
            public bool? Flag { get; init; }

            {{members}}

            public void Merge(in TensorElements elements, Span<float> result) { }
        }
        """;

    private static string Recipe(string expression) => RecipeCompilation.Recipe(expression);

    [Theory]
    [InlineData("a", "TaskVectorRecipe", "", """new Mine { Base = Folder("b"), Experts = [Folder("a")], Factor = Sweep(0.1, 0.2), Kind = Kind.First }""")]
    [InlineData("b", "WeightedTaskVectorRecipe", "public override int FewestExperts => 2;", """new Mine { Base = Folder("b"), Experts = [Folder("a"), new(Folder("c")) { Weight = 3 }], Lambda = 0.3, Normalize = true, Flag = false } with { Kind = Kind.SecondOne }""")]
    [InlineData("c", "Recipe", "public override bool NeedsBase => false; public override bool UsesWeights => false;", """new Mine { Experts = [Folder("a")], Tensors = [Keep("x")], Flag = true, Kind = null, Factor = null }""")]
    [InlineData("d", "Recipe", "public override bool NeedsBase => true;", """new Average { Experts = [From(new Mine { Base = Folder("b"), Experts = [Folder("a")] }, "stage"), Folder("c")] }""")]
    public void What_the_compiler_folds_is_what_its_code_makes(string id, string kind, string members, string expression)
    {
        var compilation = RecipeCompilation.Of(Method("fold." + id, members, kind), Recipe(expression));
        Assert.DoesNotContain(RecipeCompilation.Analyze(compilation), d => d.Severity > DiagnosticSeverity.Info);
        var assembly = RecipeCompilation.Load(compilation);
        var folded = RecipeCompilation.Metadata(assembly, "smelt.recipe:")["test"];
        var recipe = (Recipe)assembly.GetType("Test")!.GetMethod("Define")!.Invoke(null, null)!;
        Assert.Equal(ConfigurationWriter.Write("test", recipe), folded);
        Assert.Equal("Mine", RecipeCompilation.Metadata(assembly, "smelt.method:")["fold." + id]);
        var read = ConfigurationReader.Read(folded, "folded");
        Assert.Empty(read.Problems);
        Assert.Equal(folded, read.CanonicalJson);
        Assert.IsType(recipe.GetType(), read.Recipe);
    }

    [Theory]
    [InlineData("SM2001", """new Mine { Base = Folder("b"), Experts = [Folder("a")], Factor = «3» }""")]
    [InlineData("SM2001", """new Mine { Base = Folder("b"), Experts = [Folder("a")], Factor = Sweep(1, «-1») }""")]
    [InlineData("SM1004", """«new Mine { Experts = [Folder("a")] }»""")]
    [InlineData("SM1011", """new Mine { Base = Folder("b"), Experts = «[Folder("a"), Folder("c"), Folder("d")]» }""")]
    [InlineData("SM2011", """new Mine { Base = Folder("b"), Experts = [Folder("a")], Factor = «Gradient(0, 1)» }""")]
    [InlineData("SM0002", """new Mine { Base = Folder("b"), Experts = [Folder("a")], Factor = «0.5» }""")]
    public void Its_recipes_are_checked_as_they_are_typed(string id, string marked)
    {
        var source = marked.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal);
        var place = marked[(marked.IndexOf('«', StringComparison.Ordinal) + 1)..marked.IndexOf('»', StringComparison.Ordinal)];
        var compilation = RecipeCompilation.Of(Method("typed.mine", "public override int MostExperts => 2;"), Recipe(source));
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(compilation));
        Assert.Equal((id, place), (diagnostic.Id, RecipeCompilation.TextAt(diagnostic.Location)));
    }

    [Theory]
    [InlineData("TaskVectorRecipe", "public override Recipe Resolve() => base.Resolve();", "overrides Resolve")]
    [InlineData("TaskVectorRecipe", "public override int FewestExperts => Math.Max(1, 2);", "FewestExperts is no constant")]
    [InlineData("SparseRecipe", "", "derives from SparseRecipe")]
    public void What_only_its_code_knows_is_left_to_run_time(string kind, string members, string reason)
    {
        var id = $"late.{reason.Length}";
        var compilation = RecipeCompilation.Of(Method(id, members, kind), Recipe("""new Mine { Base = Folder("b"), Experts = [Folder("a"), Folder("c")] }"""));
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(compilation));
        Assert.Equal("SM1009", diagnostic.Id);
        Assert.Contains(reason, diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Equal("Test", RecipeCompilation.Metadata(RecipeCompilation.Load(compilation), "smelt.recipe-dynamic:")["test"]);
    }

    /// <summary>A record that can't be a method, and a part of the message.</summary>
    public static TheoryData<string, string> Broken() => new()
    {
        { Method("Not an id", ""), "is not usable" },
        { Method("ties", ""), "one of Smelt's own" },
        { """[Method("x", "")] public sealed record Mine;""", "does not derive from Recipe" },
        { """[Method("x", "")] public sealed record Mine : TaskVectorRecipe;""", "does not implement IElementMethod" },
        { Method("x", "public Mine(int i) { }"), "constructor without parameters" },
        { Method("x", "", name: "Mine<T>"), "not generic" },
        { Method("x", "[Slot(\"\")] public double Bad { get; init; }"), "the slot Bad" },
        { Method("x", "[Slot(\"\")] public Scalar Bad { get; init; } = 1;"), "the slot Bad" },
        { Method("x", "[Slot(\"\")] public bool? Bad { get; set; }"), "the slot Bad" },
        { Method("x", "[Slot(\"\")] internal bool? Bad { get; init; }"), "the slot Bad" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_record_that_can_not_be_a_method_is_reported_and_not_registered(string source, string message)
    {
        var compilation = RecipeCompilation.Of(source);
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(compilation));
        Assert.Equal("SM1019", diagnostic.Id);
        Assert.Contains(message, diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.StartsWith("Mine", RecipeCompilation.TextAt(diagnostic.Location), StringComparison.Ordinal);
        Assert.DoesNotContain("smelt.method", Generated(compilation), StringComparison.Ordinal);
    }

    [Fact]
    public void A_sound_method_is_not_reported_and_takes_the_slots_of_its_own_bases()
    {
        var compilation = RecipeCompilation.Of(
            """public abstract record Shared : TaskVectorRecipe { [Slot("first")] public string? First { get; init; } }""",
            Method("bases.mine", "", "Shared"));
        Assert.Empty(RecipeCompilation.Analyze(compilation));
        var assembly = RecipeCompilation.Load(compilation);
        System.Runtime.CompilerServices.RuntimeHelpers.RunModuleConstructor(assembly.ManifestModule.ModuleHandle);
        var slots = Slots.Of(assembly.GetType("Mine")!);
        Assert.Equal(["first", "factor", "kind", "flag"], slots.Skip(slots.Count - 4).Select(s => s.Name));
        Assert.Contains(slots, s => s.Name == "lambda");
        Assert.Equal("bases.mine", Slots.MethodId(assembly.GetType("Mine")!));
    }

    private static string Generated(Compilation compilation)
    {
        RecipeCompilation.Driver().AddGenerators([new Generators::Smelt.Generators.Methods.MethodGenerator().AsSourceGenerator()]).RunGeneratorsAndUpdateCompilation(compilation, out var updated, out _);
        return string.Join("\n", updated.SyntaxTrees.Skip(compilation.SyntaxTrees.Count()).Select(t => t.ToString()));
    }
}
