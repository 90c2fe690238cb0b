using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Smelt.Generators.Tests;

/// <summary>Recipes that are folded on all cores, as many new ones are, come out as each does on its own.</summary>
public class FoldAheadTests
{
    private const int Count = 24;
    private const string Handles = """internal static class Shared { public static readonly Model A = Folder("a"); public static Model B => Folder("b"); }""";

    [Fact]
    public void Many_recipes_come_out_as_each_on_its_own()
    {
        string[] sources = [.. Enumerable.Range(0, Count).Select(Source)];
        var together = Emitted(RecipeCompilation.Of([Handles, .. sources]));
        Assert.Equal(Count - 1, together.Count);
        foreach (var source in sources)
        {
            foreach (var (name, text) in Emitted(RecipeCompilation.Of(Handles, source)))
                Assert.Equal(text, together[name]);
        }
    }

    [Fact]
    public void What_was_folded_ahead_follows_edits()
    {
        var compilation = RecipeCompilation.Of([Handles, .. Enumerable.Range(0, Count).Select(Source)]);
        var driver = RecipeCompilation.Driver().RunGenerators(compilation);
        compilation = RecipeCompilation.Replace(compilation, 2, Source(0).Replace("0.5", "0.75", StringComparison.Ordinal));
        var edited = Emitted(driver.RunGenerators(compilation));
        Assert.Contains(edited.Values, t => t.Contains("0.75", StringComparison.Ordinal));
        Assert.Equal(Emitted(compilation), edited);
    }

    /// <summary>A stop reaches the compiler as such, whatever cores were at work.</summary>
    [Fact]
    public void A_stop_is_a_stop()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => RecipeCompilation.Driver().RunGenerators(RecipeCompilation.Of([Handles, .. Enumerable.Range(0, Count).Select(Source)]), stop.Token));
    }

    /// <summary>Sound recipes, one that breaks a rule, one that can't be folded, one that has no place for accessors.</summary>
    private static string Source(int i) => string.Create(CultureInfo.InvariantCulture, $$"""
        [{{(i % 2 == 0 ? "Recipe" : "Smelt.Recipes.RecipeAttribute")}}("r{{i}}")]
        public static {{(i == 5 ? "" : "partial ")}}class R{{i}}
        {
            public static Recipe Define() => {{i switch
            {
                3 => """new Average { Experts = [] }""",
                4 => """new Average { Experts = [Folder(Environment.MachineName)] }""",
                _ => $$"""new Ties { Base = Shared.A, Experts = [Shared.B, new(Folder("x{{i}}")) { Weight = 0.5 }], Lambda = {{i + 1}} }""",
            }}};
        }
        """);

    private static Dictionary<string, string> Emitted(CSharpCompilation compilation) => Emitted(RecipeCompilation.Driver().RunGenerators(compilation));

    private static Dictionary<string, string> Emitted(GeneratorDriver driver) =>
        driver.GetRunResult().GeneratedTrees
            .Where(t => !t.FilePath.Contains("RecipeRegistry", StringComparison.Ordinal))
            .ToDictionary(t => Path.GetFileName(t.FilePath), t => t.ToString());
}
