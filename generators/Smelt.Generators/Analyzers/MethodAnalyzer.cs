using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Smelt.Generators.Methods;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Analyzers;

/// <summary>Reports records marked as merge methods that can't be registered.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class MethodAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [RecipeDescriptors.Of(RuleTable.MethodDeclaration.Id)];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSymbolAction(
            static symbol =>
            {
                var type = (INamedTypeSymbol)symbol.Symbol;
                if (MethodDeclaration.IdOf(type) is { } id && MethodDeclaration.ProblemOf(type, id) is { } problem)
                    symbol.ReportDiagnostic(RecipeDescriptors.Diagnose(RuleTable.MethodDeclaration.At("", problem), type.Locations[0], isExact: false));
            },
            SymbolKind.NamedType);
    }
}
