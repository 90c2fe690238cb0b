namespace Smelt.Recipes;

/// <summary>One output of a recipe: a recipe without sweeps, and the values that tell it from its siblings.</summary>
/// <param name="Label">The swept values, <c>lambda=0.4,density=0.2</c>, fit for a folder name; empty without sweeps.</param>
/// <param name="Recipe">The recipe at that point: resolved, every scalar a constant.</param>
public sealed record SweepPoint(string Label, Recipe Recipe);

/// <summary>Expands sweeps: the product of all sweeps of a recipe is the list of its outputs.</summary>
public static class SweepExpansion
{
    /// <summary>The most outputs that one recipe may have (rule SM4003).</summary>
    public const int MaxPoints = 1024;

    /// <summary>
    /// All points of a recipe, resolved first; the last sweep in the order of the configuration varies fastest. Labels name
    /// a slot of an expert or a rule with its index: <c>experts.0.weight=0.2</c>.
    /// </summary>
    public static IReadOnlyList<SweepPoint> Expand(Recipe recipe)
    {
        var resolved = recipe.Resolve();
        var axes = Axes(resolved).ToArray();
        var points = new List<SweepPoint>();
        var indices = new int[axes.Length];
        do
        {
            var label = string.Join(",", axes.Select((axis, i) => axis.Name + "=" + Configuration.CanonicalJson.Number(axis.Scalar.Values[indices[i]])));
            var next = 0;
            points.Add(new SweepPoint(label, axes.Length == 0 ? resolved : (Recipe)Replace(resolved, s => s.Values[indices[next++]])));
        }
        while (Advance(indices, axes));

        return points;
    }

    /// <summary>The sweeps of a recipe with the names of their slots, in the order of the configuration.</summary>
    public static IEnumerable<(string Name, Scalar Scalar)> Axes(Recipe recipe) =>
        Scalars(recipe, "").Where(s => s.Scalar.IsSweep);

    /// <summary>The number of points, as a double since a product of sweeps may be beyond any integer.</summary>
    public static double CountPoints(Recipe recipe) => Axes(recipe).Aggregate(1.0, (n, axis) => n * axis.Scalar.Values.Count);

    private static IEnumerable<(string Name, Scalar Scalar)> Scalars(object owner, string prefix)
    {
        foreach (var slot in Slots.Of(owner.GetType()))
        {
            switch (slot.Get(owner))
            {
                case Scalar scalar:
                    yield return (prefix + slot.Name, scalar);
                    break;
                case Sequence<Expert> experts:
                    foreach (var inner in experts.SelectMany((e, i) => Scalars(e, $"{prefix}{slot.Name}.{i}.")))
                        yield return inner;
                    break;
                case Sequence<TensorRule> rules:
                    foreach (var inner in rules.SelectMany((r, i) => Scalars(r, $"{prefix}{slot.Name}.{i}.")))
                        yield return inner;
                    break;
                case Sequence<Recipe> slices:
                    foreach (var inner in slices.SelectMany((r, i) => Scalars(r, $"{prefix}{slot.Name}.{i}.")))
                        yield return inner;
                    break;
                case Sequence<Part> parts:
                    foreach (var inner in parts.SelectMany((p, i) => Scalars(p.Merge, $"{prefix}{slot.Name}.{i}.")))
                        yield return inner;
                    break;
            }
        }
    }

    /// <summary>A copy in which each sweep, in the order of <see cref="Scalars"/>, is the constant that <paramref name="pick"/> gives.</summary>
    private static object Replace(object owner, Func<Scalar, double> pick)
    {
        foreach (var slot in Slots.Of(owner.GetType()))
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

    private static bool Advance(int[] indices, (string Name, Scalar Scalar)[] axes)
    {
        for (var i = indices.Length - 1; i >= 0; i--)
        {
            if (++indices[i] < axes[i].Scalar.Values.Count)
                return true;
            indices[i] = 0;
        }

        return false;
    }
}
