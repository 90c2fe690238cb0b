using System.Globalization;
using CsCheck;
using Microsoft.CodeAnalysis;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Tests;

/// <summary>
/// The compiler folds a random recipe's source to the configuration of the object it spells, byte for byte, and reports of
/// it what the rules say of the object.
/// </summary>
public class RandomRecipeTests
{
    [Fact]
    public void Sound_recipes_have_the_configuration_of_their_object()
    {
        int folded = 0, all = 0;
        new RandomRecipe(sound: true).Recipes.Sample(
            recipe =>
            {
                Interlocked.Increment(ref all);
                if (Check(recipe.Source, recipe.Value))
                    Interlocked.Increment(ref folded);
            },
            iter: 300);
        Assert.True(folded > all * 0.9, $"only {folded} of {all} recipes were folded");
    }

    [Fact]
    public void Odd_recipes_have_the_problems_of_their_object() =>
        new RandomRecipe(sound: false).Recipes.Sample(recipe => { Check(recipe.Source, recipe.Value); }, iter: 200);

    [Fact]
    public void Numbers_are_written_the_same_in_every_culture()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat = new NumberFormatInfo { NegativeSign = "\u2212", NumberDecimalSeparator = ",", NaNSymbol = "nope", PositiveSign = "plus" };
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = culture;
        try
        {
            Assert.True(Check(
                """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = Sweep(-0.5, -1e-9, 1.5e300, -3) }""",
                new TaskArithmetic { Base = Syntax.Folder("b"), Experts = Sequence.From<Expert>([Syntax.Folder("a")]), Lambda = Syntax.Sweep(-0.5, -1e-9, 1.5e300, -3) }));
            var diagnostic = Assert.Single(RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe(
                """new Ties { Base = Folder("b"), Experts = [Folder("a")], Density = -0.5 }"""))));
            Assert.Contains("density is -0.5;", diagnostic.GetMessage(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    /// <summary>Compares source and object; gives whether the recipe keeps every rule, and so has a configuration.</summary>
    private static bool Check(string source, Recipe recipe)
    {
        var compilation = RecipeCompilation.Of(RecipeCompilation.Recipe(source));
        Assert.DoesNotContain(compilation.GetDiagnostics(), d => d.Severity == DiagnosticSeverity.Error);

        var problems = RecipeValidator.Validate("test", recipe);
        var reported = problems.Any(p => p.Severity == Severity.Error) ? problems : problems.Concat(StyleRules.Check(recipe, problems));
        Assert.Equal(
            reported.Select(p => (p.Id, (p.Message + " " + p.Fix).Trim())).Order(),
            RecipeCompilation.Analyze(compilation).Where(d => d.Id != RuleTable.RepeatedModel.Id).Select(d => (d.Id, d.GetMessage(CultureInfo.InvariantCulture))).Order());

        var isSound = !problems.Any(p => p.Severity == Severity.Error);
        var generated = string.Concat(RecipeCompilation.Driver().RunGenerators(compilation).GetRunResult().GeneratedTrees);
        if (isSound)
            Assert.Contains($"AssemblyMetadata(\"smelt.recipe:test\", {RandomRecipe.Literal(ConfigurationWriter.Write("test", recipe))})", generated, StringComparison.Ordinal);
        else
            Assert.DoesNotContain("AssemblyMetadata", generated, StringComparison.Ordinal);
        return isSound;
    }
}
