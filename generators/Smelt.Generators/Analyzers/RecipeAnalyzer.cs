using System.Collections.Concurrent;
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
            var names = new ConcurrentBag<(string Name, Location Location)>();
            var inventories = new Lazy<LockedModels>(() => LockedModels.Of(start.Options, start.CancellationToken));
            start.RegisterSymbolAction(symbol => Analyze(symbol, names, inventories), SymbolKind.NamedType);
            start.RegisterAdditionalFileAction(file => LockedModels.Report(file));
            start.RegisterCompilationEndAction(end => ReportDuplicates(end, names));
        });
    }

    private static void Analyze(SymbolAnalysisContext context, ConcurrentBag<(string Name, Location Location)> names, Lazy<LockedModels> locked)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (RecipeDeclaration.AttributeOf(type) is not { } attribute)
            return;
        var place = type.Locations[0];
        var attributePlace = attribute.ApplicationSyntaxReference is { } reference
            ? Location.Create(reference.SyntaxTree, reference.Span)
            : place;
        if (RecipeDeclaration.NameOf(attribute) is not { } name)
            return;

        names.Add((name, attributePlace));
        foreach (var problem in RecipeValidator.ValidateName(name))
            Report(context, problem, attributePlace);
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
            var problems = RecipeValidator.Validate(name, recipe);
            foreach (var problem in problems.Where(p => p.Where != "/name"))
                Report(context, problem, places.LocationOf(problem.Where));
            if (!problems.Any(p => p.Severity == Severity.Error))
            {
                foreach (var problem in locked.Value.Check(recipe))
                    Report(context, problem, places.LocationOf(problem.Where));
            }
        }
        catch (NotConstantException notConstant) when (notConstant.IsBroken)
        {
            // The compiler's own error says all there is to say.
        }
        catch (NotConstantException notConstant) when (notConstant.IsCycle)
        {
            Report(context, RuleTable.StageCycle, notConstant.Place, $"{notConstant.Message}; stages may not form a circle.");
        }
        catch (NotConstantException notConstant)
        {
            Report(context, RuleTable.NotConstant, notConstant.Place, $"{notConstant.Message}; the recipe is evaluated when it runs, and its rules are checked then.");
        }
    }

    private static void ReportDuplicates(CompilationAnalysisContext context, ConcurrentBag<(string Name, Location Location)> names)
    {
        foreach (var group in names.GroupBy(n => n.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
        {
            foreach (var (name, location) in group.OrderBy(n => n.Location.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(n => n.Location.SourceSpan.Start).Skip(1))
                context.ReportDiagnostic(Diagnostic.Create(RecipeDescriptors.Of(RuleTable.DuplicateRecipe.Id), location, $"the recipe name '{name}' is used by another recipe; names become folders, so case does not tell them apart."));
        }
    }

    private static void Report(SymbolAnalysisContext context, Rule rule, Location location, string message) =>
        Report(context, rule.At("", message), location);

    private static void Report(SymbolAnalysisContext context, Problem problem, Location location) =>
        context.ReportDiagnostic(Diagnostic.Create(
            RecipeDescriptors.Of(problem.Id), location, problem.Message + (problem.Fix.Length > 0 ? " " + problem.Fix : "")));
}
