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
