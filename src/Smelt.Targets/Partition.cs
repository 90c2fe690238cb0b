using System.Globalization;

namespace Smelt.Targets;

/// <summary>The part of the work that this process does.</summary>
/// <param name="Part">Which part, from 1.</param>
/// <param name="Total">How many parts there are.</param>
public sealed record Partition(int Part, int Total)
{
    /// <summary>All of it.</summary>
    public static Partition Single { get; } = new(1, 1);

    /// <summary>The items of this part: every <see cref="Total"/>-th, so that the parts of a list together are the list.</summary>
    public IEnumerable<T> GetCurrent<T>(IEnumerable<T> items) => items.Where((_, i) => i % Total == Part - 1);

    /// <summary>The part as <c>2/4</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Part}/{Total}");

    /// <summary>Reads <c>2/4</c>; null where the text is no part.</summary>
    internal static Partition? Parse(string text) =>
        text.Split('/') is [var part, var total]
        && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var p)
        && int.TryParse(total, NumberStyles.None, CultureInfo.InvariantCulture, out var t)
        && p >= 1 && p <= t ? new Partition(p, t) : null;
}
