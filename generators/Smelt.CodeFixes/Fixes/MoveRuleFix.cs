using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Smelt.CodeFixes.Editing;

namespace Smelt.CodeFixes.Fixes;

/// <summary>Moves a tensor rule or a part that an earlier one covers to the front, where it wins (SM3002).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(MoveRuleFix)), Shared]
public sealed class MoveRuleFix() : RecipeCodeFix("SM3002")
{
    private protected override Edit? Find(Breach breach)
    {
        // Keep wins wherever it stands.
        if (!breach.IsExact || breach.Pointer.Contains("/keep/")
            || Lists.ItemOf(breach.Node) is not ExpressionElementSyntax { Parent: CollectionExpressionSyntax rules } rule || rules.Elements.IndexOf(rule) == 0)
            return null;
        return new Edit("Put the rule first", rule, editor =>
        {
            editor.TrackNode(rule);
            editor.ReplaceNode(rules, (current, _) => MoveToFront((CollectionExpressionSyntax)current, current.GetCurrentNode(rule)!));
        });
    }

    private static CollectionExpressionSyntax MoveToFront(CollectionExpressionSyntax rules, CollectionElementSyntax rule)
    {
        // The trivia of a place (indentation, line ends) stays there; the rules change places.
        var old = rules.Elements.ToArray();
        var moved = old.Where(e => e != rule).Prepend(rule).ToArray();
        return rules.ReplaceNodes(old, (element, _) => moved[Array.IndexOf(old, element)].WithTriviaFrom(element));
    }
}
