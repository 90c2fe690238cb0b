using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Smelt.Generators.Folding;
using Smelt.Recipes;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Analyzers;

/// <summary>
/// Reports every broken rule of a recipe on the expression that breaks it. It folds the recipe as the generator does and
/// runs the same rules as the tool.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RecipeAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => RecipeDescriptors.All;

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
        {
            if (start.Compilation.GetTypeByMetadataName(RecipeDeclaration.AttributeName) is null)
                return;
            var names = new RecipeNames(start.Compilation);
            var locked = new Lazy<LockedModels>(() => LockedModels.Of(start.Options, start.CancellationToken));
            start.RegisterSymbolAction(symbol => Analyze(symbol, names, locked), SymbolKind.NamedType);
            start.RegisterAdditionalFileAction(static file => LockedModels.Report(file));
        });
    }

    private static void Analyze(SymbolAnalysisContext context, RecipeNames names, Lazy<LockedModels> locked)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (RecipeDeclaration.AttributeOf(type) is not { } attribute || RecipeDeclaration.NameOf(attribute) is not { } name)
            return;
        var place = type.Locations[0];
        var namePlace = RecipeDeclaration.NamePlaceOf(attribute, context.CancellationToken) ?? place;
        if (names.Check(name, namePlace) is { } duplicate)
            Report(context, duplicate, namePlace, isExact: true);
        foreach (var problem in RecipeValidator.ValidateName(name))
            Report(context, problem, namePlace, isExact: true);
        if (!RecipeDeclaration.HasRightKind(type) || !RecipeDeclaration.IsExtensible(type))
            Report(context, RuleTable.NotPartial, place, $"the recipe class {type.Name} must be static (or an IRecipe) and partial, the classes around it partial, and none local to its file, so that its accessors can be generated.");
        if (RecipeDeclaration.DefineOf(type) is not { } define)
        {
            Report(context, RuleTable.NoDefine, place, $"the recipe class {type.Name} needs a method 'public static Recipe Define()'.");
            return;
        }

        try
        {
            var recipe = RecipeFolder.Fold(define, context.Compilation, out var places, context.CancellationToken);
            var problems = RecipeValidator.Validate(name, recipe, RecipeDeclaration.IsReproducible(attribute)).Where(p => p.Where != "/name").ToList();
            if (!problems.Any(p => p.Severity == Severity.Error))
            {
                var found = locked.Value.Check(recipe);
                problems.RemoveAll(p => p.Id == RuleTable.MisspeltPattern.Id && found.Any(f => f.Where == p.Where));
                problems.AddRange(found);
                problems.AddRange(StyleRules.Check(recipe, problems));
                RepeatedModels.Report(context, define);
            }

            foreach (var problem in problems)
                Report(context, problem, places.LocationOf(problem.Where), places.Contains(problem.Where));
        }
        catch (NotConstantException notConstant) when (notConstant.IsBroken)
        {
            // The compiler's own error says all there is to say.
        }
        catch (NotConstantException notConstant) when (notConstant.Rule == RuleTable.NotConstant)
        {
            Report(context, RuleTable.NotConstant, notConstant.Place, $"{notConstant.Message}; the recipe is evaluated when it runs, and its rules are checked then.");
        }
        catch (NotConstantException notConstant)
        {
            Report(context, notConstant.Rule, notConstant.Place, notConstant.Message);
        }
    }

    private static void Report(SymbolAnalysisContext context, Rule rule, Location location, string message) =>
        Report(context, rule.At("", message), location, isExact: false);

    private static void Report(SymbolAnalysisContext context, Problem problem, Location location, bool isExact) =>
        context.ReportDiagnostic(RecipeDescriptors.Diagnose(problem, location, isExact));
}
