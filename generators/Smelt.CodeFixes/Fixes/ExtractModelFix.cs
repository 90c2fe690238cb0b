using System.Composition;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Editing;
using Microsoft.CodeAnalysis.Formatting;

namespace Smelt.CodeFixes.Fixes;

/// <summary>Names a model that a recipe writes out several times by a static member of the recipe's class (SM0005).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ExtractModelFix)), Shared]
public sealed class ExtractModelFix() : RecipeCodeFix("SM0005")
{
    private protected override Edit? Find(Breach breach)
    {
        if (breach.Node is not InvocationExpressionSyntax call || call.FirstAncestorOrSelf<MethodDeclarationSyntax>() is not { Parent: ClassDeclarationSyntax type } define)
            return null;
        var groups = define.DescendantNodes().OfType<InvocationExpressionSyntax>()
            .Where(i => i.Expression is IdentifierNameSyntax { Identifier.ValueText: "Folder" or "Hub" } && i.ArgumentList.Arguments.All(a => a.Expression.IsKind(SyntaxKind.StringLiteralExpression)))
            .GroupBy(Text)
            .Where(g => g.Count() > 1)
            .ToArray();

        // All repeated models get their names at once, so that two that are fixed together do not get the same.
        var taken = new HashSet<string>(type.Members.SelectMany(NamesOf).Append(type.Identifier.ValueText).Concat(["Folder", "Hub", "From", "Stack", "Keep", "On", "Part", "Sweep", "Zip", "Gradient"]), StringComparer.Ordinal);
        foreach (var group in groups)
        {
            var name = NameOf(group.First());
            for (var number = 2; !taken.Add(name); number++)
                name = NameOf(group.First()) + number.ToString(CultureInfo.InvariantCulture);
            if (group.Key == Text(call))
                return new Edit($"Name the model {name}", group.First(), editor => Extract(editor, type, [.. group], name));
        }

        return null;
    }

    private static void Extract(DocumentEditor editor, ClassDeclarationSyntax type, InvocationExpressionSyntax[] calls, string name)
    {
        foreach (var call in calls)
            editor.ReplaceNode(call, SyntaxFactory.IdentifierName(name).WithTriviaFrom(call));
        var field = SyntaxFactory.ParseMemberDeclaration($"private static readonly Model {name} = {calls[0].WithoutTrivia()};")!;
        var lineEnd = type.DescendantTrivia().FirstOrDefault(t => t.IsKind(SyntaxKind.EndOfLineTrivia)) is { RawKind: not 0 } written ? written : SyntaxFactory.EndOfLine("\n");
        editor.ReplaceNode(type, (current, generator) =>
        {
            var isBeforeFields = ((ClassDeclarationSyntax)current).Members[0] is FieldDeclarationSyntax;
            var placed = field.WithTrailingTrivia(Enumerable.Repeat(lineEnd, isBeforeFields ? 1 : 2)).WithAdditionalAnnotations(Formatter.Annotation);
            return generator.InsertMembers(current, 0, placed);
        });
    }

    private static string Text(InvocationExpressionSyntax call) => call.WithoutTrivia().NormalizeWhitespace().ToString();

    /// <summary>A name made of the last part of the model's: <c>models/meta-math</c> is MetaMath.</summary>
    private static string NameOf(InvocationExpressionSyntax call)
    {
        var model = ((LiteralExpressionSyntax)call.ArgumentList.Arguments[0].Expression).Token.ValueText;
        var last = model.Split('/', '\\').LastOrDefault(p => p.Any(char.IsLetterOrDigit)) ?? "";
        var words = new string([.. last.Select(c => char.IsLetterOrDigit(c) && c < 128 ? c : ' ')]).Split([' '], StringSplitOptions.RemoveEmptyEntries);
        var name = string.Concat(words.Select(w => char.ToUpperInvariant(w[0]) + w.Substring(1)));
        return name.Length == 0 ? "Model1" : char.IsDigit(name[0]) ? "Model" + name : name;
    }

    private static IEnumerable<string> NamesOf(MemberDeclarationSyntax member) => member switch
    {
        BaseFieldDeclarationSyntax field => field.Declaration.Variables.Select(v => v.Identifier.ValueText),
        PropertyDeclarationSyntax property => [property.Identifier.ValueText],
        MethodDeclarationSyntax method => [method.Identifier.ValueText],
        BaseTypeDeclarationSyntax type => [type.Identifier.ValueText],
        _ => [],
    };
}
