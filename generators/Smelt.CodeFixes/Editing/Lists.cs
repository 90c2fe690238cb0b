using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smelt.CodeFixes.Editing;

/// <summary>Elements of the lists that recipes are made of: collection expressions, array initialisers and arguments.</summary>
internal static class Lists
{
    /// <summary>The element of the innermost list that holds a node; null where it is in none.</summary>
    public static SyntaxNode? ElementOf(SyntaxNode node)
    {
        for (var n = node; n is not null and not StatementSyntax and not MemberDeclarationSyntax; n = n.Parent)
        {
            if (n is CollectionElementSyntax
                || n is ArgumentSyntax { Parent.Parent: InvocationExpressionSyntax { ArgumentList.Arguments.Count: > 1 } }
                || n.Parent is InitializerExpressionSyntax { Parent: ArrayCreationExpressionSyntax or ImplicitArrayCreationExpressionSyntax or EqualsValueClauseSyntax })
                return n;
        }

        return null;
    }

    /// <summary>The element of the innermost collection, arguments not counted, that holds a node; null where it is in none.</summary>
    public static SyntaxNode? ItemOf(SyntaxNode node)
    {
        var element = ElementOf(node);
        while (element is ArgumentSyntax)
            element = element.Parent is { } parent ? ElementOf(parent) : null;
        return element;
    }
}
