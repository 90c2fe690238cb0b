using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Smelt.Generators.Folding;
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
            start.RegisterSymbolAction(symbol => Analyze(symbol, names), SymbolKind.NamedType);
            start.RegisterCompilationEndAction(end => ReportDuplicates(end, names));
        });
    }

    private static void Analyze(SymbolAnalysisContext context, ConcurrentBag<(string Name, Location Location)> names)
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
        if (!RecipeDeclaration.IsStaticPartial(type))
            Report(context, RuleTable.NotPartial, place, $"the recipe class {type.Name} must be static and partial, and the classes around it partial, so that its accessors can be generated.");
        if (RecipeDeclaration.DefineOf(type) is not { } define)
        {
            Report(context, RuleTable.NoDefine, place, $"the recipe class {type.Name} needs a method 'public static Recipe Define()'.");
            return;
        }

        try
        {
            var recipe = RecipeFolder.Fold(define, context.Compilation, out var places, context.CancellationToken);
            foreach (var problem in RecipeValidator.Validate(name, recipe))
            {
                var location = problem.Where == "/name" ? attributePlace : LocationOf(places, problem.Where);
                Report(context, problem.Id, location, problem.Message + (problem.Fix.Length > 0 ? " " + problem.Fix : ""));
            }
        }
        catch (NotConstantException notConstant)
        {
            Report(context, RuleTable.NotConstant, notConstant.Syntax.GetLocation(), $"{notConstant.Message}; the recipe is evaluated when it runs, and its rules are checked then.");
        }
    }

    /// <summary>The expression of a JSON pointer, or of the nearest part around it that has one.</summary>
    private static Location LocationOf(IReadOnlyDictionary<string, SyntaxNode> places, string pointer)
    {
        while (!places.ContainsKey(pointer))
            pointer = pointer.Substring(0, pointer.LastIndexOf('/'));
        return places[pointer].GetLocation();
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
        Report(context, rule.Id, location, message);

    private static void Report(SymbolAnalysisContext context, string id, Location location, string message) =>
        context.ReportDiagnostic(Diagnostic.Create(RecipeDescriptors.Of(id), location, message));
}
