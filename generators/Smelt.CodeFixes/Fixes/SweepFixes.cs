using System.Composition;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smelt.CodeFixes.Fixes;

/// <summary>Sorts the points of a sweep (SM0004).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SortSweepFix)), Shared]
public sealed class SortSweepFix() : RecipeCodeFix("SM0004")
{
    private protected override Edit? Find(Breach breach)
    {
        if (!breach.IsExact || PointsOf(breach.Node) is not { Length: > 1 } points)
            return null;
        var values = points.Select(p => breach.Model.GetConstantValue(p) is { HasValue: true, Value: IConvertible value and not string } ? Convert.ToDouble(value, CultureInfo.InvariantCulture) : double.NaN).ToArray();
        if (values.Any(double.IsNaN))
            return null;
        var sorted = Enumerable.Range(0, points.Length).OrderBy(i => values[i]).Select(i => points[i]).ToArray();
        return new Edit("Sort the values", breach.Node, editor =>
            editor.ReplaceNode(breach.Node, breach.Node.ReplaceNodes(points, (point, _) => sorted[Array.IndexOf(points, point)].WithTriviaFrom(point))));
    }

    /// <summary>The values of <c>Sweep(1, 2)</c> or <c>Sweep([1, 2])</c>; null where they are not written there.</summary>
    private static ExpressionSyntax[]? PointsOf(SyntaxNode node)
    {
        if (node is not InvocationExpressionSyntax { ArgumentList.Arguments: var arguments })
            return null;
        if (arguments is not [{ Expression: CollectionExpressionSyntax list }])
            return [.. arguments.Select(a => a.Expression)];
        return list.Elements.All(e => e is ExpressionElementSyntax) ? [.. list.Elements.Select(e => ((ExpressionElementSyntax)e).Expression)] : null;
    }
}

/// <summary>Calls another word of the recipe language with the same values.</summary>
public abstract class WordFix : RecipeCodeFix
{
    private readonly string _word;

    private protected WordFix(string word, params string[] ids)
        : base(ids) => _word = word;

    /// <summary>The call that a breach is about; null where there is none.</summary>
    private protected abstract InvocationExpressionSyntax? CallOf(Breach breach);

    /// <summary>Its arguments in the new call.</summary>
    private protected virtual SeparatedSyntaxList<ArgumentSyntax> ArgumentsOf(InvocationExpressionSyntax call) => call.ArgumentList.Arguments;

    private protected sealed override Edit? Find(Breach breach)
    {
        if (CallOf(breach) is not { Expression: IdentifierNameSyntax name } call)
            return null;
        var replaced = call.WithExpression(SyntaxFactory.IdentifierName(_word).WithTriviaFrom(name)).WithArgumentList(call.ArgumentList.WithArguments(ArgumentsOf(call)));
        return new Edit($"Write {replaced.WithoutTrivia()}", call, editor => editor.ReplaceNode(call, replaced));
    }
}

/// <summary>Writes a sweep of its own for a number that is alone on its axis (SM4005).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ZipToSweepFix)), Shared]
public sealed class ZipToSweepFix() : WordFix("Sweep", "SM4005")
{
    private protected override InvocationExpressionSyntax? CallOf(Breach breach) =>
        breach.IsExact && breach.Node.Parent is ArgumentSyntax { NameColon: null, Parent.Parent: InvocationExpressionSyntax call } argument && call.ArgumentList.Arguments[0] == argument ? call : null;

    private protected override SeparatedSyntaxList<ArgumentSyntax> ArgumentsOf(InvocationExpressionSyntax call) => call.ArgumentList.Arguments.RemoveAt(0);
}

/// <summary>Writes a sweep for a gradient over what is one number for all tensors (SM2011).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(GradientToSweepFix)), Shared]
public sealed class GradientToSweepFix() : WordFix("Sweep", "SM2011")
{
    private protected override InvocationExpressionSyntax? CallOf(Breach breach) =>
        breach.IsExact && breach.Node is InvocationExpressionSyntax { ArgumentList.Arguments.Count: > 0, Expression: IdentifierNameSyntax { Identifier.ValueText: "Gradient" } } call ? call : null;
}

/// <summary>
/// Writes <c>Sweep</c> or <c>Gradient</c> around a bare list of numbers, which could mean either and so does not compile
/// (the compiler's CS9174 for <c>[0.2, 0.4]</c>, CS0029 for <c>new[] { 0.2, 0.4 }</c>).
/// </summary>
public abstract class ListFix : RecipeCodeFix
{
    private readonly string _word;

    private protected ListFix(string word)
        : base("CS9174", "CS0029") => _word = word;

    private protected sealed override Edit? Find(Breach breach)
    {
        var items = breach.Node switch
        {
            CollectionExpressionSyntax list => list.Elements.Select(e => (e as ExpressionElementSyntax)?.Expression),
            ArrayCreationExpressionSyntax { Initializer: { } initializer } => initializer.Expressions,
            ImplicitArrayCreationExpressionSyntax { Initializer: { } initializer } => initializer.Expressions,
            _ => null,
        };
        if (items is null || breach.Node.Parent is not AssignmentExpressionSyntax { Left: var slot } || TypeOf(breach.Model.GetSymbolInfo(slot).Symbol) is not { Name: "Scalar", ContainingNamespace.Name: "Recipes" })
            return null;
        var numbers = items.ToArray();
        if (numbers.Length == 0 || numbers.Any(n => n is null))
            return null;
        var call = SyntaxFactory.ParseExpression($"{_word}({string.Join(", ", numbers.Select(n => n!.WithoutTrivia()))})").WithTriviaFrom(breach.Node);
        return new Edit($"Write {call.WithoutTrivia()}", breach.Node, editor => editor.ReplaceNode(breach.Node, call));
    }

    private static ITypeSymbol? TypeOf(ISymbol? symbol) => symbol is IPropertySymbol property ? property.Type : null;
}

/// <summary>Makes a bare list of numbers a sweep: one output for each.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ListToSweepFix)), Shared]
public sealed class ListToSweepFix() : ListFix("Sweep");

/// <summary>Makes a bare list of numbers a gradient over the depth of the model.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ListToGradientFix)), Shared]
public sealed class ListToGradientFix() : ListFix("Gradient");
