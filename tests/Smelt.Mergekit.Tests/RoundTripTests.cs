using CsCheck;
using Smelt.Mergekit.CSharp;
using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Exporting;
using Smelt.Mergekit.Importing;
using Smelt.Mergekit.Reading;
using Smelt.Mergekit.Writing;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Mergekit.Tests;

/// <summary>What is written, exported or turned into C# means the same when it is read, imported or compiled again.</summary>
public class RoundTripTests
{
    private const int Documents = 1000;
    private const int Compilations = 30;

    private static readonly ModelFinder Nowhere = new(["/nowhere"], "/nowhere");

    [Fact]
    public void A_document_that_is_written_is_read_as_it_was() => Gen.Int.Sample(
        seed =>
        {
            MergekitDocument[] documents = [.. Enumerable.Range(0, 3).Select(i => new DocumentMaker(seed + i).Anything())];
            var text = MergekitWriter.Write(documents);
            var read = MergekitReader.Read(text, "x.yml");
            Assert.True(read.Problems.Count == 0, string.Join("\n", read.Problems) + "\n" + text);
            Assert.Equal(documents, read.Documents);
        },
        iter: Documents);

    [Fact]
    public void A_recipe_that_is_exported_is_imported_as_it_was() => Gen.Int.Sample(
        seed =>
        {
            var recipe = Imported(new DocumentMaker(seed).RightFile());
            var export = MergekitExporter.Export("x", recipe.Recipe, p => p);
            Assert.DoesNotContain(export.Problems, p => p.Severity == Severity.Error);
            var text = MergekitWriter.Write(export.Documents);
            var again = MergekitImporter.Import(System.Text.Encoding.UTF8.GetBytes(text), "x.yml", ["/nowhere"]);
            Assert.True(!again.HasErrors, string.Join("\n", again.Problems) + "\n" + text);
            Assert.Equal(ConfigurationWriter.Write("x", recipe.Recipe), ConfigurationWriter.Write("x", again.Recipes[^1].Recipe));
            Assert.Equal(text, MergekitWriter.Write(MergekitExporter.Export("x", again.Recipes[^1].Recipe, p => p).Documents));
        },
        iter: Documents);

    [Fact]
    public void A_recipe_in_CSharp_compiles_to_the_same_configuration() => Gen.Int.Sample(
        seed =>
        {
            var import = MergekitImporter.Import(new DocumentMaker(seed).RightFile(), [], "x.yml", Nowhere);
            var source = RecipeProject.Source("my-project", [.. import.Recipes.Select(r => new SourceRecipe(r.Name, r.Recipe, r.IsStage))], "x.yml");
            var compiled = CompiledRecipes.Of(source);
            Assert.Equal(import.Recipes.Where(r => !r.IsStage).ToDictionary(r => r.Name, r => ConfigurationWriter.Write(r.Name, r.Recipe)), compiled);
        },
        iter: Compilations,
        threads: 1);

    [Theory]
    [InlineData("task_arithmetic", "TaskArithmeticMerge")]
    [InlineData("my best merge-7b", "MyBestMerge7b")]
    [InlineData("7b", "Merge7b")]
    [InlineData("ties", "TiesMerge")]
    [InlineData("stages", "StagesMerge")]
    public void Classes_get_names_that_mean_nothing_else(string name, string expected) =>
        Assert.Equal(expected, Assert.Single(CSharpNames.Classes([name])));

    [Fact]
    public void Sweeps_and_the_rest_of_the_language_have_their_words()
    {
        var recipe = new DareTies
        {
            Base = Syntax.Hub("org/base", "v1"),
            Experts = [new(Syntax.Folder("a\"b")) { Weight = Syntax.Sweep(0.2, 0.4) }, Syntax.Folder("c")],
            Tensors = [Syntax.Keep("lm_head.**", "**.norm.**"), Syntax.On("**.mlp.**") with { Density = 0.3, Lambda = Syntax.Gradient(1, 0.5) }],
            Rescale = Rescale.Inverse,
            MaxShardSize = 5_000_000,
            ChatTemplate = "{{ a }}\n\t",
            Seed = 9007199254740991,
            Normalize = false,
        };
        var source = RecipeProject.Source("p", [new SourceRecipe("swept", recipe)], "x");
        Assert.Contains("Sweep(0.2, 0.4)", source, StringComparison.Ordinal);
        Assert.Contains("ChatTemplate = \"{{ a }}\\n\\u0009\",", source, StringComparison.Ordinal);
        Assert.Contains("ChatTemplate = ChatTemplate.ChatML,", RecipeProject.Source("p", [new SourceRecipe("swept", recipe with { ChatTemplate = "chatml" })], "x"), StringComparison.Ordinal);
        Assert.Equal(ConfigurationWriter.Write("swept", recipe), Assert.Single(CompiledRecipes.Of(source)).Value);
    }

    private static ImportedRecipe Imported(MergekitDocument[] documents)
    {
        var import = MergekitImporter.Import(documents, [], "x.yml", Nowhere);
        Assert.True(!import.HasErrors, string.Join("\n", import.Problems) + "\n" + MergekitWriter.Write(documents));
        return import.Recipes[^1];
    }
}
