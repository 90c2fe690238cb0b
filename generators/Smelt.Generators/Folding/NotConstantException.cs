using Microsoft.CodeAnalysis;

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

    /// <summary>Whether recipes name each other as stages in a circle, so that running them would never end.</summary>
    public bool IsCycle { get; private init; }

    /// <summary>A recipe that, by way of its stages, is made of itself.</summary>
    public static NotConstantException Cycle(SyntaxNode syntax, string recipe) => new(syntax.GetLocation(), $"{recipe} is a stage of itself") { IsCycle = true };

    /// <summary>An expression that does not compile.</summary>
    public static NotConstantException Broken(SyntaxNode syntax) => new(syntax.GetLocation(), "the expression has no meaning yet", isBroken: true);
}
