using Microsoft.CodeAnalysis;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Folding;

/// <summary>An expression that is not in the closed set that can be folded.</summary>
/// <param name="place">Where it stands.</param>
/// <param name="what">Why it can't be folded.</param>
/// <param name="isBroken">Whether it does not compile, so that the compiler's own error says all there is to say.</param>
internal sealed class NotConstantException(Location place, string what, bool isBroken = false) : Exception(what)
{
    /// <summary>Where the expression stands.</summary>
    public Location Place { get; } = place;

    /// <summary>Whether the expression does not compile.</summary>
    public bool IsBroken { get; } = isBroken;

    /// <summary>The rule that the recipe breaks; where it is not that of constants, running the recipe would not help.</summary>
    public Rule Rule { get; private init; } = RuleTable.NotConstant;

    /// <summary>A recipe that, by way of its stages, is made of itself.</summary>
    public static NotConstantException Cycle(SyntaxNode syntax, string recipe) =>
        new(syntax.GetLocation(), $"{recipe} is a stage of itself; stages may not form a circle.") { Rule = RuleTable.StageCycle };

    /// <summary>A stage whose class is not marked as a recipe.</summary>
    public static NotConstantException UnknownStage(SyntaxNode syntax, string type) =>
        new(syntax.GetLocation(), $"the stage {type} is no recipe: its class is not marked with [Recipe(\"...\")].") { Rule = RuleTable.UnknownStage };

    /// <summary>An expression that does not compile.</summary>
    public static NotConstantException Broken(SyntaxNode syntax) => new(syntax.GetLocation(), "the expression has no meaning yet", isBroken: true);
}
