namespace Smelt.Recipes;

/// <summary>
/// A run of a model's layers, counted from 0, the last one excluded. Converts from a C# range: <c>0..16</c> are the first 16
/// layers, <c>8..</c> all from the ninth on.
/// </summary>
public sealed record LayerRange
{
    /// <param name="first">The first layer.</param>
    /// <param name="end">The layer after the last; null for all that follow.</param>
    public LayerRange(int first, int? end)
    {
        First = first;
        End = end;
    }

    /// <summary>The first layer.</summary>
    public int First { get; }

    /// <summary>The layer after the last; null for all that follow.</summary>
    public int? End { get; }

    /// <summary>Whether the range can name layers at all: not before the first one, and not empty.</summary>
    public bool IsValid => First >= 0 && (End is not { } end || end > First);

#if NET
    /// <summary>A range counted from the start. One that counts from the end has no meaning before the model is known and is reported by rule SM2010.</summary>
    public static implicit operator LayerRange(Range range) => new(
        range.Start.IsFromEnd ? -1 : range.Start.Value,
        range.End switch
        {
            { IsFromEnd: false, Value: var value } => value,
            { Value: 0 } => null,
            _ => -1,
        });
#endif

    /// <inheritdoc/>
    public override string ToString() => $"{First}..{End}";
}
