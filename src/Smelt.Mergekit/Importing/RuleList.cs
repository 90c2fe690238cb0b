using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>
/// Joins the conditions of several parameters into rules for tensors, one rule for each filter where the orders allow it: the
/// conditions of a parameter keep their order, as the first that matches counts.
/// </summary>
internal sealed class RuleList
{
    private readonly List<(string Glob, List<(Slot Slot, Scalar Value, Place Place)> Values)> _rules = [];

    /// <summary>Adds the conditions of one parameter.</summary>
    public void Add(Slot slot, IEnumerable<(string Glob, Scalar Value, Place Place)> conditions)
    {
        var next = 0;
        foreach (var (glob, value, place) in conditions)
        {
            var index = _rules.FindIndex(next, r => r.Glob == glob && r.Values.All(v => v.Slot != slot));
            if (index < 0)
                _rules.Insert(index = next, (glob, []));
            _rules[index].Values.Add((slot, value, place));
            next = index + 1;
        }
    }

    /// <summary>The rules.</summary>
    /// <param name="pointer">Their place in the recipe.</param>
    /// <param name="places">Gets the places of the rules and their values.</param>
    public Sequence<TensorRule> Build(string pointer, PlaceMap places)
    {
        var built = new List<TensorRule>();
        foreach (var (glob, values) in _rules)
        {
            var rule = Syntax.On(glob);
            var at = $"{pointer}/{built.Count}";
            foreach (var (slot, value, place) in values)
            {
                rule = (TensorOverride)slot.With(rule, value);
                places.Add($"{at}/{slot.Name}", place);
                places.Add(at, place);
            }

            built.Add(rule);
        }

        return Sequence.From(built);
    }
}
