using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Smelt.Generators.Folding;
using Smelt.Recipes;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Analyzers;

/// <summary>Reports every broken rule of an experiment on the expression that breaks it.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ExperimentAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => RecipeDescriptors.All;

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSymbolAction(Analyze, SymbolKind.NamedType);
    }

    private static void Analyze(SymbolAnalysisContext context)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (RecipeDeclaration.AttributeOf(type, RecipeDeclaration.ExperimentAttributeName) is not { } attribute || RecipeDeclaration.NameOf(attribute) is not { } name)
            return;
        var namePlace = RecipeDeclaration.NamePlaceOf(attribute, context.CancellationToken) ?? type.Locations[0];
        if (RecipeDeclaration.DefineOf(type, "Smelt.Recipes.Experiment") is not { } define)
        {
            Report(context, RuleTable.NoDefine.At("", $"the experiment class {type.Name} needs a method 'public static Experiment Define()'."), type.Locations[0]);
            return;
        }

        try
        {
            var experiment = RecipeFolder.Fold<Experiment>(define, context.Compilation, out var places, context.CancellationToken);
            foreach (var problem in ExperimentValidator.Validate(name, experiment))
                Report(context, problem, problem.Where == "/name" ? namePlace : places.LocationOf(problem.Where), problem.Where == "/name" || places.Contains(problem.Where));
        }
        catch (NotConstantException notConstant) when (notConstant.IsBroken)
        {
            // The compiler's own error says all there is to say.
        }
        catch (NotConstantException notConstant)
        {
            var message = notConstant.Rule == RuleTable.NotConstant ? $"{notConstant.Message}; the experiment is evaluated when it runs, and its rules are checked then." : notConstant.Message;
            Report(context, notConstant.Rule.At("", message), notConstant.Place);
        }
    }

    private static void Report(SymbolAnalysisContext context, Problem problem, Location location, bool isExact = false) =>
        context.ReportDiagnostic(RecipeDescriptors.Diagnose(problem, location, isExact));
}
