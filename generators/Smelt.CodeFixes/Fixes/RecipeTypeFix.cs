using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smelt.CodeFixes.Fixes;

/// <summary>
/// Writes the recipe that was probably meant by a stage whose class the compiler does not know (its CS0246 and CS0103), in
/// <c>From&lt;Name&gt;()</c> and <c>From(Name.Define())</c>.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RecipeTypeFix)), Shared]
public sealed class RecipeTypeFix() : RecipeCodeFix("CS0246", "CS0103")
{
    private protected override Edit? Find(Breach breach)
    {
        if (breach.Node is not IdentifierNameSyntax { Identifier.ValueText: var name } identifier || !IsStage(identifier))
            return null;
        var isTypeArgument = identifier.Parent is TypeArgumentListSyntax;
        var known = breach.Model.Compilation.GetSymbolsWithName(_ => true, SymbolFilter.Type).OfType<INamedTypeSymbol>()
            .Where(t => t.GetAttributes().Any(a => a.AttributeClass?.ToDisplayString() == "Smelt.Recipes.RecipeAttribute") && !(isTypeArgument && t.IsStatic));
        var meant = known.Select(t => (Type: t, Distance: Smelt.Recipes.Configuration.EditDistance.Of(name.ToLowerInvariant(), t.Name.ToLowerInvariant())))
            .Where(t => t.Distance <= Math.Max(2, name.Length / 3))
            .OrderBy(t => t.Distance).ThenBy(t => t.Type.Name, StringComparer.Ordinal)
            .Select(t => t.Type).FirstOrDefault();
        if (meant is null)
            return null;
        var path = meant.ToMinimalDisplayString(breach.Model, identifier.SpanStart);
        var written = (isTypeArgument ? SyntaxFactory.ParseTypeName(path) : SyntaxFactory.ParseExpression(path)).WithTriviaFrom(identifier);
        return new Edit($"Change to {written.WithoutTrivia()}", identifier, editor => editor.ReplaceNode(identifier, written));
    }

    private static bool IsStage(IdentifierNameSyntax name) =>
        name.Parent is TypeArgumentListSyntax { Parent: GenericNameSyntax { Identifier.ValueText: "From" } }
        || (name.Parent is MemberAccessExpressionSyntax { Name.Identifier.ValueText: "Define" } access && access.Expression == name);
}
