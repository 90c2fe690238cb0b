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

    /// <summary>An expression that does not compile.</summary>
    public static NotConstantException Broken(SyntaxNode syntax) => new(syntax.GetLocation(), "the expression has no meaning yet", isBroken: true);
}
