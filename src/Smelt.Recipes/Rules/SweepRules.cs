using Smelt.Recipes.Configuration;

namespace Smelt.Recipes.Rules;

/// <summary>What holds for the sweeps of a recipe taken together.</summary>
internal static class SweepRules
{
    private const int LongestAxisName = 40;

    /// <summary>Checks a recipe that has an output of its own, inner recipes included.</summary>
    public static void Check(Recipe recipe, string path, List<Problem> problems)
    {
        var axes = SweepExpansion.Axes(recipe).ToArray();
        var ties = axes.Where(a => a.Tie is not null).ToArray();
        foreach (var axis in ties)
            CheckTie(axis, [.. ties.Where(t => t != axis && IsUsable(t.Tie!)).Select(t => t.Tie!)], path, problems);
        var points = SweepExpansion.CountPoints(axes);
        if (points > SweepExpansion.MaxPoints)
            problems.Add(RuleTable.GridTooLarge.At(path, $"the product of the sweeps has {CanonicalJson.Number(points)} points; allowed: {SweepExpansion.MaxPoints}.", "Sweep fewer values at once, tie some with Zip, or split the recipe."));
    }

    private static void CheckTie(SweepAxis axis, string[] others, string path, List<Problem> problems)
    {
        var (tie, first) = (axis.Tie!, axis.Slots[0]);
        if (!IsUsable(tie))
            problems.AddRange(axis.Slots.Select(s => RuleTable.AxisName.At($"{path}{s.Where}/axis", $"the axis name '{tie}' is not usable in a folder name; allowed: 1 to {LongestAxisName} letters (a-z, A-Z), digits, '_', '-'.") with { Replacement = CanonicalJson.Write(Usable(tie)) }));
        else if (axis.Slots.Count == 1)
        {
            var meant = EditDistance.Nearest(tie, others);
            problems.Add(RuleTable.LonelyAxis.At($"{path}{first.Where}/axis", $"{first.Name} is the only number on the axis '{tie}', so nothing advances with it.", meant is null ? "Put another number on the axis, or write Sweep(...)." : $"Did you mean '{meant}'?") with
            {
                Replacement = meant is null ? null : CanonicalJson.Write(meant),
            });
        }

        var differing = axis.Slots.Where(s => s.Scalar.Values.Count != first.Scalar.Values.Count).ToArray();
        foreach (var slot in differing)
            problems.Add(RuleTable.ZipLengths.At(path + slot.Where, $"{slot.Name} has {slot.Scalar.Values.Count} values on the axis '{tie}', and {first.Name} has {first.Scalar.Values.Count}; allowed: as many."));
        if (differing.Length > 0)
            return;
        var seen = new HashSet<Sequence<double>>();
        for (var i = 0; i < axis.Count; i++)
        {
            if (!seen.Add(Sequence.From(axis.Slots.Select(s => s.Scalar.Values[i]))))
                problems.Add(RuleTable.DuplicatePoint.At($"{path}{first.Where}/zip/{i}", $"the axis '{tie}' has the point {string.Join(", ", axis.Slots.Select(s => s.Name + "=" + RecipeValidator.Text(s.Scalar.Values[i])))} twice; both would be the same output.", "Remove one."));
        }
    }

    private static bool IsUsable(string name) => name.Length is > 0 and <= LongestAxisName && name.All(IsUsable);

    private static bool IsUsable(char c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_' or '-';

    /// <summary>A name with what no axis may be called taken out.</summary>
    private static string Usable(string name)
    {
        var kept = string.Concat(name.Select(c => IsUsable(c) ? c : '-')).Trim('-');
        return kept.Length == 0 ? "axis" : kept.Substring(0, Math.Min(kept.Length, LongestAxisName));
    }
}
