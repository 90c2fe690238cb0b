using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Smelt.Generators.Folding;

namespace Smelt.Generators;

/// <summary>
/// Turns recipes into configurations while they are compiled: for each class marked with [Recipe] typed accessors and
/// assembly metadata with its canonical JSON, and for all of them a registry.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed partial class RecipeGenerator : IIncrementalGenerator
{
    /// <summary>The step that folds a recipe.</summary>
    public const string FoldStep = "FoldRecipe";

    /// <summary>The step that gathers all recipes.</summary>
    public const string RegistryStep = "GatherRecipes";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        // Folding follows members into other files, so the provider asks for every recipe on every edit; FoldMemory knows
        // which an edit may have changed. What comes out compares by value: nothing after it runs for the others.
        var recipes = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                RecipeDeclaration.AttributeName,
                static (node, _) => node is ClassDeclarationSyntax,
                static (syntax, cancellation) => RecipeSpec.Of(syntax, cancellation))
            .Where(static spec => spec is not null)
            .Select(static (spec, _) => spec!)
            .WithTrackingName(FoldStep);

        context.RegisterSourceOutput(recipes, static (output, spec) => output.AddSource(Emitter.HintName(spec), Emitter.Recipe(spec)));

        var registry = recipes.Select(static (spec, _) => Emitter.Line(spec)).Collect()
            .Select(static (lines, _) => Emitter.Registry(lines))
            .WithTrackingName(RegistryStep);
        context.RegisterSourceOutput(registry, static (output, source) =>
        {
            if (source.Length > 0)
                output.AddSource("RecipeRegistry.g.cs", source);
        });
    }
}
