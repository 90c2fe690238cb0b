using Smelt.Mergekit.CSharp;
using Smelt.Mergekit.Importing;
using Smelt.Tests;
using Smelt.Tool.Tests;

namespace Smelt.Mergekit.Tests;

/// <summary>What docs/mergekit.md shows is what happens.</summary>
public class PageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(GoldenFolder.Repository, "docs", "mergekit.md"));

    [Fact]
    public void The_recipe_shown_is_the_import_of_the_configuration_shown()
    {
        using var work = new Workspace();
        Directory.CreateDirectory(work["models"]);
        var import = MergekitImporter.Import(System.Text.Encoding.UTF8.GetBytes(Example("yaml")), "mergekit.yml", [work.Folder]);
        Assert.Empty(import.Problems);
        var source = RecipeProject.Source("Mine", [.. import.Recipes.Select(r => new SourceRecipe(r.Name, r.Recipe, r.IsStage))], "mergekit.yml");
        Assert.Equal(Example("csharp"), source.Replace("\r", "", StringComparison.Ordinal));
        Assert.Single(CompiledRecipes.Of(source));
    }

    private static string Example(string language) => Page.Split($"<!-- example -->\n```{language}\n")[1].Split("```")[0];
}
