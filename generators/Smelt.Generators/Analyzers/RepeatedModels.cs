using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Smelt.Recipes;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Analyzers;

/// <summary>Finds models that a recipe writes out several times, where a static member of its own would name it once.</summary>
internal static class RepeatedModels
{
    /// <summary>Reports each place where a model of a Define method is written out, if there are several.</summary>
    public static void Report(SymbolAnalysisContext context, IMethodSymbol define)
    {
        if (define.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax(context.CancellationToken) is not MethodDeclarationSyntax method)
            return;
        var calls = method.DescendantNodes().OfType<InvocationExpressionSyntax>()
            .Where(i => i.Expression is IdentifierNameSyntax { Identifier.ValueText: nameof(Syntax.Folder) or nameof(Syntax.Hub) }
                && i.ArgumentList.Arguments.All(a => a.Expression.IsKind(SyntaxKind.StringLiteralExpression)))
            .GroupBy(i => i.WithoutTrivia().NormalizeWhitespace().ToString())
            .Where(g => g.Count() > 1);
        foreach (var group in calls)
        {
            foreach (var call in group)
                context.ReportDiagnostic(Diagnostic.Create(RecipeDescriptors.Of(RuleTable.RepeatedModel.Id), call.GetLocation(), ImmutableDictionary<string, string?>.Empty, $"{group.Key} is written {group.Count()} times in this recipe; a static readonly Model would name it once."));
        }
    }
}
