using System.Globalization;

namespace Smelt.Conformance;

/// <summary>What a comparison found.</summary>
/// <param name="Errors">One text for each thing that is wrong; empty where all agrees.</param>
/// <param name="Elements">The number of elements compared.</param>
/// <param name="Worst">The largest difference of an element, in parts of what is allowed.</param>
internal sealed record Comparison(IReadOnlyList<string> Errors, long Elements, double Worst)
{
    /// <summary>Whether all agrees.</summary>
    public bool Agrees => Errors.Count == 0;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Elements} elements, worst {Worst:0.###} of the tolerance") + string.Concat(Errors.Select(e => "\n  " + e));
}
