using Smelt.Recipes.Configuration;
using Smelt.Tests;

namespace Smelt.Generators.Tests;

/// <summary>What the README shows works.</summary>
public class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(GoldenFolder.Repository, "README.md"));

    [Fact]
    public void The_example_compiles_without_a_warning_and_folds()
    {
        var source = Readme.Split("<!-- example -->\n```csharp\n")[1].Split("```")[0];
        var compilation = RecipeCompilation.Of(source);
        Assert.Empty(RecipeCompilation.Analyze(compilation));
        var configuration = Assert.Single(RecipeCompilation.Metadata(RecipeCompilation.Load(compilation), "smelt.recipe:")).Value;
        var read = ConfigurationReader.Read(configuration, "README.md");
        Assert.Empty(read.Problems);
        Assert.Equal(3, Recipes.SweepExpansion.Expand(read.Recipe!).Count);
    }

    [Fact]
    public void The_error_shown_is_the_one_reported()
    {
        var source = Readme.Split("<!-- example -->\n```csharp\n")[1].Split("```")[0].Replace("Density = 0.5", "Density = 1.5", StringComparison.Ordinal);
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(RecipeCompilation.Of(source)));
        var start = diagnostic.Location.GetLineSpan().StartLinePosition;
        Assert.Contains($"Recipes.cs({start.Line + 1},{start.Character + 1}): error {diagnostic.Id}: {diagnostic.GetMessage()}", Readme, StringComparison.Ordinal);
    }

    [Fact]
    public void The_examples_of_the_pages_compile_without_a_warning_and_fold()
    {
        var examples = Directory.GetFiles(Path.Combine(GoldenFolder.Repository, "docs"), "*.md")
            .SelectMany(page => File.ReadAllText(page).ReplaceLineEndings("\n").Split("<!-- example -->\n```csharp\n").Skip(1).Select(e => e.Split("```")[0])).ToArray();
        Assert.NotEmpty(examples);
        foreach (var example in examples)
        {
            var compilation = RecipeCompilation.Of(example);
            Assert.Empty(RecipeCompilation.Analyze(compilation));
            var assembly = RecipeCompilation.Load(compilation);
            Assert.NotEmpty(RecipeCompilation.Metadata(assembly, "smelt.recipe:").Concat(RecipeCompilation.Metadata(assembly, "smelt.experiment:")));
        }
    }

    [Fact]
    public void Every_rule_of_recipes_has_its_page()
    {
        foreach (var rule in Recipes.Rules.RuleTable.All)
        {
            var page = Path.Combine(GoldenFolder.Repository, "docs", "rules", rule.Id + ".md");
            Assert.True(File.Exists(page), page);
            Assert.Equal($"# {rule.Id}: {rule.Title}", File.ReadLines(page).First());
        }
    }
}
