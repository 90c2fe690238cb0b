extern alias Generators;

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using RecipeGenerator = Generators::Smelt.Generators.RecipeGenerator;

namespace Smelt.Generators.Tests;

/// <summary>Typing somewhere else re-emits nothing; a change that matters, also one in another file, does.</summary>
public class CachingTests
{
    private const string First = """[Recipe("first")] public static partial class First { public static Recipe Define() => new Average { Experts = [Shared.A, Folder("b")] }; }""";
    private const string Second = """[Recipe("second")] public static partial class Second { public static Recipe Define() => new Average { Experts = [Folder("c")] }; }""";
    private const string Handles = """internal static class Shared { public static readonly Model A = Folder("a"); }""";

    [Theory]
    [InlineData("internal static class Other { public static int X = 1; }")]
    [InlineData("internal static class Other { public static int X = 2; /* typing */ }")]
    [InlineData("")]
    public void An_unrelated_edit_leaves_every_step_cached_or_unchanged(string edited)
    {
        var (before, after) = RunTwice(3, edited);
        Assert.Equal(before, after.Sources);
        Assert.All(after.Reasons, r => Assert.True(r is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, r.ToString()));
    }

    [Fact]
    public void A_comment_in_a_recipe_re_emits_nothing()
    {
        var (before, after) = RunTwice(0, First.Replace("=> new", "=> /* why */ new", StringComparison.Ordinal));
        Assert.Equal(before, after.Sources);
        Assert.DoesNotContain(IncrementalStepRunReason.Modified, after.Reasons);
    }

    [Fact]
    public void A_change_of_one_recipe_re_emits_that_recipe_alone()
    {
        var (before, after) = RunTwice(1, Second.Replace("\"c\"", "\"d\"", StringComparison.Ordinal));
        Assert.Equal(before[0], after.Sources[0]);
        Assert.NotEqual(before[1], after.Sources[1]);
        Assert.Equal(1, after.FoldReasons.Count(r => r == IncrementalStepRunReason.Modified));
    }

    [Fact]
    public void A_change_of_a_handle_in_another_file_re_emits_the_recipes_that_use_it()
    {
        var (before, after) = RunTwice(2, Handles.Replace("\"a\"", "\"moved\"", StringComparison.Ordinal));
        Assert.NotEqual(before[0], after.Sources[0]);
        Assert.Contains("moved", after.Sources[0], StringComparison.Ordinal);
        Assert.Equal(before[1], after.Sources[1]);
    }

    private const string Linked =
        """
        namespace Study
        {
            [Recipe("linked")] public static partial class Linked
            {
                public static Recipe Define() => new Ties { Base = Far.Base, Experts = [Far.A, .. Far.More], Density = Far.Density, Lambda = Far.Lambda, Tensors = [On($"{Far.Layers}.**") with { Weight = Far.Weight }] };
            }
        }
        """;

    private const string Far =
        """
        namespace Study
        {
            internal static class Far
            {
                public const double Density = 0.2;
                public const string Layers = "model.layers";
                public static Model Base => Folder("base");
                public static Model A { get { return Folder("a"); } }
                public static readonly Expert[] More = [new(Near.B) { Weight = 0.5 }, Folder("c")];
                public static readonly double Lambda = 0.9;
                public static Scalar Weight { get; } = 0.7;
                public static int Unrelated() => 1;
            }
        }
        """;

    private const string Near = """namespace Study { internal static class Near { public static readonly Model B = Folder("b"); } }""";

    /// <summary>Whatever is edited, wherever it stands: what is remembered never shows.</summary>
    [Theory]
    [InlineData(1, "Density = 0.2", "Density = 0.3")]
    [InlineData(1, "\"model.layers\"", "\"model\"")]
    [InlineData(1, "=> Folder(\"base\")", "=> Folder(\"other\")")]
    [InlineData(1, "return Folder(\"a\")", "return Folder(\"other\")")]
    [InlineData(1, "Weight = 0.5", "Weight = 0.25")]
    [InlineData(1, "Lambda = 0.9", "Lambda = 0.8")]
    [InlineData(1, "{ get; } = 0.7", "{ get; } = 0.6")]
    [InlineData(1, "{ get; } = 0.7", "{ get; set; } = 0.7")]
    [InlineData(1, "static readonly double Lambda", "static double Lambda")]
    [InlineData(1, "=> 1;", "=> 2;")]
    [InlineData(1, "=> 1;", "=> 1; static Far() { }")]
    [InlineData(1, "public static Model Base", "private static Model Base")]
    [InlineData(2, "Folder(\"b\")", "Hub(\"org/b\")")]
    [InlineData(3, "// nothing", "namespace Study { internal sealed class Ties { } }")]
    [InlineData(3, "// nothing", "namespace Study { internal static class Near { } }")]
    [InlineData(3, "// nothing", "global using Ties = Smelt.Recipes.DareTies;")]
    [InlineData(3, "// nothing", "namespace Study { static partial class Linked { public const string Configuration = null; } }")]
    public void What_is_generated_after_an_edit_is_what_a_new_compiler_makes(int file, string old, string replacement)
    {
        string[] sources = [Linked, Far, Near, "// nothing"];
        var compilation = RecipeCompilation.Of(sources);
        var driver = RecipeCompilation.Driver().RunGenerators(compilation);
        Assert.Contains(old, sources[file], StringComparison.Ordinal);
        sources[file] = sources[file].Replace(old, replacement, StringComparison.Ordinal);
        driver = driver.RunGenerators(RecipeCompilation.Replace(compilation, file + 1, sources[file]));
        Assert.Equal(Sources(RecipeCompilation.Driver().RunGenerators(RecipeCompilation.Of(sources))), Sources(driver));
    }

    /// <summary>Generates, edits one file (counted from 0: first, second, handles, other), and generates again.</summary>
    private static (string[] Before, (string[] Sources, IncrementalStepRunReason[] Reasons, IncrementalStepRunReason[] FoldReasons) After) RunTwice(int file, string text)
    {
        var compilation = RecipeCompilation.Of(First, Second, Handles, "internal static class Other { }");
        GeneratorDriver driver = RecipeCompilation.Driver().RunGenerators(compilation);
        var before = Sources(driver);
        driver = driver.RunGenerators(RecipeCompilation.Replace(compilation, file + 1, text));
        var result = driver.GetRunResult().Results.Single();
        var fold = Reasons(result.TrackedSteps[RecipeGenerator.FoldStep]);
        var all = fold.Concat(Reasons(result.TrackedSteps[RecipeGenerator.RegistryStep]))
            .Concat(result.TrackedOutputSteps.SelectMany(s => Reasons(s.Value)));
        return (before, (Sources(driver), [.. all], fold));
    }

    private static IncrementalStepRunReason[] Reasons(IEnumerable<IncrementalGeneratorRunStep> steps) =>
        [.. steps.SelectMany(s => s.Outputs).Select(o => o.Reason)];

    private static string[] Sources(GeneratorDriver driver) =>
        [.. driver.GetRunResult().GeneratedTrees.OrderBy(t => t.FilePath.Contains("Registry", StringComparison.Ordinal)).ThenBy(t => t.FilePath, StringComparer.Ordinal).Select(t => t.ToString())];
}
