using System.Text;
using System.Text.Json;

namespace Smelt.Recipes.Configuration;

/// <summary>
/// Reads rules of one pattern and some constants, each of them once, as nearly all of a large configuration are: no text is made but the pattern, and
/// no place of anything. It reports nothing, but leaves whatever is not as plain to <see cref="ConfigurationConverter"/>.
/// </summary>
internal sealed class PlainRules
{
    private readonly IReadOnlyList<Slot> _slots = Slots.Of(typeof(TensorOverride));
    private readonly byte[][] _names;
    private readonly double?[] _values;

    public PlainRules()
    {
        _names = new byte[_slots.Count][];
        for (var i = 0; i < _names.Length; i++)
            _names[i] = Encoding.UTF8.GetBytes(_slots[i].Name);
        _values = new double?[_names.Length];
    }

    /// <summary>The rule; null where it is none, or not a plain one.</summary>
    public TensorRule? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        Array.Clear(_values, 0, _values.Length);
        string? match = null;
        foreach (var property in json.EnumerateObject())
        {
            if (match is null && property.NameEquals("on"u8))
            {
                if (property.Value.ValueKind != JsonValueKind.String)
                    return null;
                match = property.Value.GetString();
                continue;
            }

            var slot = SlotOf(property);
            if (slot < 0 || _values[slot] is not null || property.Value.ValueKind != JsonValueKind.Number
                || !property.Value.TryGetDouble(out var value) || double.IsNaN(value) || double.IsInfinity(value))
                return null;
            _values[slot] = value;
        }

        if (match is null)
            return null;
        object rule = Syntax.On(match);
        for (var i = 0; i < _values.Length; i++)
        {
            if (_values[i] is { } value)
                rule = _slots[i].With(rule, (Scalar)value);
        }

        return (TensorOverride)rule;
    }

    private int SlotOf(JsonProperty property)
    {
        for (var i = 0; i < _names.Length; i++)
        {
            if (property.NameEquals(_names[i]))
                return i;
        }

        return -1;
    }
}
