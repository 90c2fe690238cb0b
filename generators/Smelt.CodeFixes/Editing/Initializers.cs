using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace Smelt.CodeFixes.Editing;

/// <summary>Settings of recipes, experts and rules: assignments in initialisers of <c>new</c> and <c>with</c>.</summary>
internal static class Initializers
{
    /// <summary>The initialiser of a recipe's expression; null where it has none.</summary>
    public static InitializerExpressionSyntax? Of(SyntaxNode expression) => expression switch
    {
        BaseObjectCreationExpressionSyntax creation => creation.Initializer,
        WithExpressionSyntax with => with.Initializer,
        ParenthesizedExpressionSyntax inner => Of(inner.Expression),
        _ => null,
    };

    /// <summary>Whether a setting can be added to an expression.</summary>
    public static bool CanSet(SyntaxNode expression) =>
        expression is BaseObjectCreationExpressionSyntax or WithExpressionSyntax || (expression is ParenthesizedExpressionSyntax inner && CanSet(inner.Expression));

    /// <summary>The assignment of a setting; null where the initialiser has none.</summary>
    public static AssignmentExpressionSyntax? Find(InitializerExpressionSyntax? initializer, string name) =>
        initializer?.Expressions.OfType<AssignmentExpressionSyntax>().FirstOrDefault(a => a.Left is IdentifierNameSyntax left && left.Identifier.ValueText == name);

    /// <summary>The expression with a setting, replaced where it is there and added at the end where it is not.</summary>
    public static ExpressionSyntax With(ExpressionSyntax expression, string name, ExpressionSyntax value)
    {
        switch (expression)
        {
            case ParenthesizedExpressionSyntax inner:
                return inner.WithExpression(With(inner.Expression, name, value));
            case WithExpressionSyntax with:
                return with.WithInitializer(With(with.Initializer, name, value));
            case ObjectCreationExpressionSyntax { Initializer: null, ArgumentList.Arguments.Count: 0 } bare:
                return bare.WithArgumentList(null).WithType(bare.Type.WithTrailingTrivia(SyntaxFactory.Space)).WithInitializer(Single(name, value)).WithTrailingTrivia(expression.GetTrailingTrivia());
            case BaseObjectCreationExpressionSyntax { Initializer: null } bare:
                return bare.WithoutTrailingTrivia().WithInitializer(Single(name, value).WithLeadingTrivia(SyntaxFactory.Space)).WithTrailingTrivia(expression.GetTrailingTrivia());
            case BaseObjectCreationExpressionSyntax { Initializer: { } initializer } creation:
                return creation.WithInitializer(With(initializer, name, value));
            default:
                return expression;
        }
    }

    private static InitializerExpressionSyntax With(InitializerExpressionSyntax initializer, string name, ExpressionSyntax value)
    {
        if (Find(initializer, name) is { } there)
            return initializer.ReplaceNode(there.Right, value.WithTriviaFrom(there.Right));
        if (initializer.Expressions.Count == 0)
            return Single(name, value).WithTriviaFrom(initializer);
        var last = initializer.Expressions[initializer.Expressions.Count - 1];
        var assignment = Assignment(name, value);
        var separator = initializer.Expressions.GetSeparators().ElementAtOrDefault(initializer.Expressions.Count - 1);
        var parts = initializer.Expressions.GetWithSeparators().ToList();
        if (separator.RawKind != 0)
        {
            // A comma after the last setting: one setting a line, and the new one is like it.
            parts.Add(assignment.WithLeadingTrivia(last.GetLeadingTrivia()));
            parts.Add(separator);
        }
        else
        {
            var isMultiline = last.GetTrailingTrivia().Any(SyntaxKind.EndOfLineTrivia);
            parts[parts.Count - 1] = last.WithoutTrailingTrivia();
            parts.Add(SyntaxFactory.Token(SyntaxKind.CommaToken).WithTrailingTrivia(isMultiline ? last.GetTrailingTrivia() : SyntaxFactory.TriviaList(SyntaxFactory.Space)));
            parts.Add((isMultiline ? assignment.WithLeadingTrivia(last.GetLeadingTrivia()) : assignment).WithTrailingTrivia(last.GetTrailingTrivia()));
        }

        return initializer.WithExpressions(SyntaxFactory.SeparatedList<ExpressionSyntax>(parts));
    }

    private static AssignmentExpressionSyntax Assignment(string name, ExpressionSyntax value) => SyntaxFactory.AssignmentExpression(
        SyntaxKind.SimpleAssignmentExpression,
        SyntaxFactory.IdentifierName(name).WithTrailingTrivia(SyntaxFactory.Space),
        SyntaxFactory.Token(SyntaxKind.EqualsToken).WithTrailingTrivia(SyntaxFactory.Space),
        value.WithoutTrivia()).WithAdditionalAnnotations(Formatter.Annotation);

    private static InitializerExpressionSyntax Single(string name, ExpressionSyntax value) => SyntaxFactory.InitializerExpression(
        SyntaxKind.ObjectInitializerExpression,
        SyntaxFactory.Token(SyntaxKind.OpenBraceToken).WithTrailingTrivia(SyntaxFactory.Space),
        SyntaxFactory.SingletonSeparatedList<ExpressionSyntax>(Assignment(name, value).WithTrailingTrivia(SyntaxFactory.Space)),
        SyntaxFactory.Token(SyntaxKind.CloseBraceToken));
}
