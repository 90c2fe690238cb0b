namespace Smelt.Recipes;

/// <summary>One output of a recipe: a recipe without sweeps, and the values that tell it from its siblings.</summary>
/// <param name="Label">The swept values, <c>lambda=0.4,density=0.2</c>, fit for a folder name; empty without sweeps.</param>
/// <param name="Recipe">The recipe at that point: resolved, every scalar a constant.</param>
public sealed record SweepPoint(string Label, Recipe Recipe);

/// <summary>A swept number of a recipe.</summary>
/// <param name="Name">Its slot, <c>experts.0.weight</c>, as labels have it.</param>
/// <param name="Where">Its JSON pointer, <c>/experts/0/weight</c>.</param>
/// <param name="Scalar">The sweep.</param>
public sealed record SweptSlot(string Name, string Where, Scalar Scalar);

/// <summary>Numbers of a recipe that advance together: one sweep, or all that are tied by <see cref="Syntax.Zip"/>.</summary>
/// <param name="Tie">The name of the axis that ties them; null for a sweep of its own.</param>
/// <param name="Slots">The numbers, in the order of the configuration.</param>
public sealed record SweepAxis(string? Tie, IReadOnlyList<SweptSlot> Slots)
{
    /// <summary>The number of points. All numbers of a sound recipe's axis have as many (rule SM4004); else the shortest counts.</summary>
    public int Count => Slots.Min(s => s.Scalar.Values.Count);

    /// <summary>
    /// The point in a label: <c>lambda=0.4</c>; for tied numbers <c>axis=0.4</c> where they are alike, and else all of
    /// them, <c>axis=0.4_0.2</c>.
    /// </summary>
    public string LabelAt(int index)
    {
        var values = Slots.Select(s => s.Scalar.Values[index]).ToArray();
        return (Tie ?? Slots[0].Name) + "=" + string.Join("_", values.All(v => v.Equals(values[0])) ? [Text(values[0])] : values.Select(Text));
    }

    private static string Text(double value) => Configuration.CanonicalJson.Number(value);
}

/// <summary>Expands sweeps: the product of all axes of a recipe is the list of its outputs.</summary>
public static class SweepExpansion
{
    /// <summary>The most outputs that one recipe may have (rule SM4003).</summary>
    public const int MaxPoints = 1024;

    /// <summary>
    /// All points of a recipe, resolved first; the last axis in the order of the configuration varies fastest. Labels name
    /// a slot of an expert or a rule with its index: <c>experts.0.weight=0.2</c>.
    /// </summary>
    public static IReadOnlyList<SweepPoint> Expand(Recipe recipe)
    {
        var resolved = recipe.Resolve();
        var swept = Sweeps(resolved);
        if (swept.Count == 0)
            return [new SweepPoint("", resolved)];
        var axes = Group(swept).ToArray();
        var axisOf = swept.Select(s => Array.FindIndex(axes, a => a.Slots.Contains(s))).ToArray();
        var points = new List<SweepPoint>();
        var indices = new int[axes.Length];
        do
        {
            var label = string.Join(",", axes.Select((axis, i) => axis.LabelAt(indices[i])));
            var next = 0;
            points.Add(new SweepPoint(label, (Recipe)Replace(resolved, sweep => sweep.Values[indices[axisOf[next++]]])));
        }
        while (Advance(indices, axes));

        return points;
    }

    /// <summary>The axes of a recipe, in the order of the configuration.</summary>
    public static IEnumerable<SweepAxis> Axes(Recipe recipe) => Group(Sweeps(recipe));

    /// <summary>The number of points, as a double since a product of sweeps may be beyond any integer.</summary>
    public static double CountPoints(Recipe recipe) => CountPoints(Axes(recipe));

    internal static double CountPoints(IEnumerable<SweepAxis> axes)
    {
        var points = 1.0;
        foreach (var axis in axes)
            points *= axis.Count;
        return points;
    }

    private static List<SweptSlot> Sweeps(Recipe recipe)
    {
        var sweeps = new List<SweptSlot>();
        Collect(recipe, "", "", sweeps);
        return sweeps;
    }

    private static IEnumerable<SweepAxis> Group(List<SweptSlot> sweeps)
    {
        if (sweeps.Count == 0)
            return [];
        var axes = new List<(string? Tie, List<SweptSlot> Slots)>();
        foreach (var slot in sweeps)
        {
            var tie = slot.Scalar.Axis;
            if (tie is not null && axes.Find(a => a.Tie == tie).Slots is { } tied)
                tied.Add(slot);
            else
                axes.Add((tie, [slot]));
        }

        return axes.Select(a => new SweepAxis(a.Tie, a.Slots));
    }

    private static void Collect(object owner, string prefix, string path, List<SweptSlot> sweeps)
    {
        foreach (var slot in Slots.Of(owner))
        {
            var value = slot.Get(owner);
            if (value is Scalar { IsSweep: true } sweep)
                sweeps.Add(new SweptSlot(prefix + slot.Name, $"{path}/{slot.Name}", sweep));
            for (var i = 0; i < CountOfInner(value); i++)
            {
                // Of thousands of rules few sweep: names are made for those alone.
                var inner = Inner(value, i);
                if (HasSweep(inner))
                    Collect(inner, $"{prefix}{slot.Name}.{i}.", $"{path}/{slot.Name}/{i}{(value is Sequence<Part> ? "/merge" : "")}", sweeps);
            }
        }
    }

    private static bool HasSweep(object owner)
    {
        var slots = Slots.Of(owner);
        for (var s = 0; s < slots.Count; s++)
        {
            var value = slots[s].Get(owner);
            if (value is null or Scalar { IsSweep: false })
                continue;
            if (value is Scalar)
                return true;
            for (var i = 0; i < CountOfInner(value); i++)
            {
                if (HasSweep(Inner(value, i)))
                    return true;
            }
        }

        return false;
    }

    /// <summary>How many owners of slots the value of a slot holds.</summary>
    private static int CountOfInner(object? value) => value switch
    {
        Sequence<Expert> experts => experts.Count,
        Sequence<TensorRule> rules => rules.Count,
        Sequence<Recipe> slices => slices.Count,
        Sequence<Part> parts => parts.Count,
        _ => 0,
    };

    private static object Inner(object? value, int index) => value switch
    {
        Sequence<Expert> experts => experts[index],
        Sequence<TensorRule> rules => rules[index],
        Sequence<Recipe> slices => slices[index],
        _ => ((Sequence<Part>)value!)[index].Merge,
    };

    /// <summary>A copy in which each sweep, in the order of <see cref="Sweeps"/>, is the constant that <paramref name="pick"/> gives.</summary>
    private static object Replace(object owner, Func<Scalar, double> pick)
    {
        foreach (var slot in Slots.Of(owner))
        {
            object? value = slot.Get(owner) switch
            {
                Scalar { IsSweep: true } sweep => (Scalar)pick(sweep),
                Sequence<Expert> experts => Sequence.From(experts.Select(e => (Expert)Replace(e, pick))),
                Sequence<TensorRule> rules => Sequence.From(rules.Select(r => (TensorRule)Replace(r, pick))),
                Sequence<Recipe> slices => Sequence.From(slices.Select(r => (Recipe)Replace(r, pick))),
                Sequence<Part> parts => Sequence.From(parts.Select(p => p with { Merge = (Recipe)Replace(p.Merge, pick) })),
                _ => null,
            };
            if (value is not null)
                owner = slot.With(owner, value);
        }

        return owner;
    }

    private static bool Advance(int[] indices, SweepAxis[] axes)
    {
        for (var i = indices.Length - 1; i >= 0; i--)
        {
            if (++indices[i] < axes[i].Count)
                return true;
            indices[i] = 0;
        }

        return false;
    }
}
