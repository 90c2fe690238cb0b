using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Smelt.CodeFixes.Editing;

namespace Smelt.CodeFixes.Fixes;

/// <summary>
/// Removes an expert that is listed twice (SM1002) or is the base (SM1003), a tensor rule that does nothing (SM3002, SM3003)
/// or is not an expert's (SM3004), and a point that a sweep has twice (SM4002).
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RemoveElementFix)), Shared]
public sealed class RemoveElementFix() : RecipeCodeFix("SM1002", "SM1003", "SM3002", "SM3003", "SM3004", "SM4002")
{
    private protected override Edit? Find(Breach breach)
    {
        // A point of an axis can't go alone, and a dead value of a rule is not the rule.
        if (!breach.IsExact || breach.Pointer.Contains("/zip/") || RemoveSettingFix.SettingOf(breach) is not null)
            return null;
        var isPattern = breach.Pointer.Contains("/keep/") || breach.Pointer.Contains("/sweep/");
        var element = isPattern ? Lists.ElementOf(breach.Node) : Lists.ItemOf(breach.Node);
        return element is null or SpreadElementSyntax
            ? null
            : new Edit($"Remove {element.WithoutTrivia()}", element, editor => editor.RemoveNode(element, SyntaxRemoveOptions.KeepNoTrivia));
    }
}

/// <summary>
/// Removes a setting that has no effect (SM2005), belongs elsewhere (SM1012, SM3004), never wins (SM3002) or says what holds
/// anyway (SM0001, SM0002).
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RemoveSettingFix)), Shared]
public sealed class RemoveSettingFix() : RecipeCodeFix("SM1012", "SM2005", "SM3002", "SM3004", "SM0001", "SM0002")
{
    private protected override Edit? Find(Breach breach)
    {
        if (SettingOf(breach) is not { Parent: InitializerExpressionSyntax initializer } setting)
            return null;
        var title = $"Remove {setting.Left}";

        // What would be left empty goes as well: "new(model) { }" is the model, "On(...) with { }" is no rule.
        if (initializer.Expressions.Count == 1 && initializer.Parent is ImplicitObjectCreationExpressionSyntax { ArgumentList.Arguments: [var model], Parent: CollectionElementSyntax } creation)
            return new Edit(title, creation, editor => editor.ReplaceNode(creation, model.Expression.WithTriviaFrom(creation)));
        if (initializer.Expressions.Count == 1 && initializer.Parent is WithExpressionSyntax with)
        {
            return breach.Pointer.Contains("/tensors/") && Lists.ItemOf(with) is { } rule
                ? new Edit(title, rule, editor => editor.RemoveNode(rule, SyntaxRemoveOptions.KeepNoTrivia))
                : new Edit(title, with, editor => editor.ReplaceNode(with, with.Expression.WithTriviaFrom(with)));
        }

        // Several settings of one initialiser may go, each by itself; its last comma and line end stay those of the one before.
        return new Edit(title, setting, editor =>
        {
            editor.TrackNode(setting);
            editor.ReplaceNode(initializer, (current, _) => Without((InitializerExpressionSyntax)current, current.GetCurrentNode(setting)!));
        });
    }

    /// <summary>The assignment of the setting that a breach is about; null where it is about something else.</summary>
    internal static AssignmentExpressionSyntax? SettingOf(Breach breach) =>
        breach.IsExact && breach.Node.Parent is AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax, Left: IdentifierNameSyntax left } setting && setting.Right == breach.Node
            && string.Equals(left.Identifier.ValueText, breach.Part, StringComparison.OrdinalIgnoreCase)
            ? setting
            : null;

    private static InitializerExpressionSyntax Without(InitializerExpressionSyntax initializer, ExpressionSyntax setting)
    {
        var index = initializer.Expressions.IndexOf(setting);
        var rest = initializer.Expressions.RemoveAt(index);
        if (rest.Count > 0 && index == rest.Count && rest.SeparatorCount < rest.Count)
            rest = rest.Replace(rest[index - 1], rest[index - 1].WithTrailingTrivia(setting.GetTrailingTrivia()));
        return initializer.WithExpressions(rest);
    }
}
