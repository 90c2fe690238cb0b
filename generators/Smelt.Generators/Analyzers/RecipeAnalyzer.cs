using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Smelt.Generators.Folding;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
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
            var names = new ConcurrentBag<(string Name, Location Location)>();
            var inventories = ModelInventories.Of(start.Options, text => start.TryGetValue(text, ModelInventories.Names, out var tensors) ? tensors : []);
            start.RegisterSymbolAction(symbol => Analyze(symbol, names, inventories), SymbolKind.NamedType);
            start.RegisterCompilationEndAction(end => ReportDuplicates(end, names));
        });
    }

    private static void Analyze(SymbolAnalysisContext context, ConcurrentBag<(string Name, Location Location)> names, ModelInventories inventories)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (RecipeDeclaration.AttributeOf(type) is not { } attribute || RecipeDeclaration.NameOf(attribute) is not { } name)
            return;
        var place = type.Locations[0];
        var namePlace = RecipeDeclaration.NamePlaceOf(attribute, context.CancellationToken) ?? place;
        names.Add((name, namePlace));
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
            problems.AddRange(inventories.Check(recipe));
            if (!problems.Any(p => p.Severity == Severity.Error))
            {
                problems.AddRange(StyleRules.Check(recipe));
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

    private static void ReportDuplicates(CompilationAnalysisContext context, ConcurrentBag<(string Name, Location Location)> names)
    {
        var taken = new HashSet<string>(names.Select(n => n.Name), StringComparer.OrdinalIgnoreCase);
        foreach (var group in names.GroupBy(n => n.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
        {
            foreach (var (name, location) in group.OrderBy(n => n.Location.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(n => n.Location.SourceSpan.Start).Skip(1))
            {
                var number = 2;
                while (!taken.Add($"{name}-{number}"))
                    number++;
                var problem = RuleTable.DuplicateRecipe.At("/name", $"the recipe name '{name}' is used by another recipe; names become folders, so case does not tell them apart.");
                context.ReportDiagnostic(RecipeDescriptors.Diagnose(problem with { Replacement = CanonicalJson.Write($"{name}-{number}") }, location, isExact: true));
            }
        }
    }

    private static void Report(SymbolAnalysisContext context, Rule rule, Location location, string message) =>
        Report(context, rule.At("", message), location, isExact: false);

    private static void Report(SymbolAnalysisContext context, Problem problem, Location location, bool isExact) =>
        context.ReportDiagnostic(RecipeDescriptors.Diagnose(problem, location, isExact));
}
