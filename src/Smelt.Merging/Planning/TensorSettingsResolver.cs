using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// Finds the values that hold for one tensor: of the expert's own rules and then the recipe's, the first that matches and
/// sets the value; else the expert's value; else the recipe's.
/// </summary>
internal sealed class TensorSettingsResolver
{
    private readonly IReadOnlyList<SweepPoint> _points;
    private readonly GlobSet _rules;
    private readonly GlobSet[] _expertRules;

    /// <param name="points">The points of a recipe that breaks no rule; they differ in values alone, not in their rules.</param>
    public TensorSettingsResolver(IReadOnlyList<SweepPoint> points)
    {
        _points = points;
        _rules = Compile(points[0].Recipe.Tensors);
        _expertRules = [.. points[0].Recipe.Experts.Select(e => Compile(e.Tensors))];
    }

    /// <summary>The settings of every sweep point for the tensor <paramref name="name"/>.</summary>
    public TensorSettings[] Resolve(string name)
    {
        var matching = _rules.Matching(name);
        var expertMatching = Array.ConvertAll(_expertRules, rules => rules.Matching(name));
        return [.. _points.Select(point => At(point.Recipe, matching, expertMatching))];
    }

    /// <summary>The patterns that no resolved tensor matched, with their JSON pointers.</summary>
    public IEnumerable<(string Where, string Pattern)> Unused() =>
        Unused(_rules, "/tensors").Concat(_expertRules.SelectMany((rules, i) => Unused(rules, $"/experts/{i}/tensors")));

    private static TensorSettings At(Recipe recipe, int[] matching, int[][] expertMatching)
    {
        var weights = new double[recipe.Experts.Count];
        var densities = recipe is TrimmedRecipe ? new double[recipe.Experts.Count] : [];
        for (var i = 0; i < weights.Length; i++)
        {
            var expert = recipe.Experts[i];
            Scalar? Find(Func<TensorOverride, Scalar?> slot) =>
                First(expert.Tensors, expertMatching[i], slot) ?? First(recipe.Tensors, matching, slot);
            weights[i] = (Find(r => r.Weight) ?? expert.Weight)?.Value ?? 1;
            if (recipe is TrimmedRecipe trimmed)
                densities[i] = (Find(r => r.Density) ?? expert.Density ?? trimmed.Density)!.Value;
        }

        var lambda = recipe is TaskVectorRecipe taskVector ? (First(recipe.Tensors, matching, r => r.Lambda) ?? taskVector.Lambda)!.Value : 1;
        return new TensorSettings(weights, densities, lambda, WithOverrides(recipe, matching));
    }

    /// <summary>The recipe, its own slots replaced by what matching rules set under the same names.</summary>
    private static Recipe WithOverrides(Recipe recipe, int[] matching)
    {
        if (matching.Length == 0)
            return recipe;
        var slots = Slots.Of(recipe.GetType());
        var copy = recipe with { };
        foreach (var own in Slots.Of(typeof(TensorOverride)))
        {
            if (slots.FirstOrDefault(s => s.Name == own.Name) is { } slot && First(recipe.Tensors, matching, r => (Scalar?)own.Get(r)) is { } value)
                slot.Property.SetValue(copy, value);
        }

        return copy;
    }

    private static Scalar? First(Sequence<TensorRule> rules, int[] matching, Func<TensorOverride, Scalar?> slot) =>
        matching.Select(i => slot((TensorOverride)rules[i])).FirstOrDefault(value => value is not null);

    private static GlobSet Compile(Sequence<TensorRule> rules) =>
        new(rules.Select(rule => rule is TensorOverride o ? Glob.TryParse(o.Match, out _) : null));

    private static IEnumerable<(string Where, string Pattern)> Unused(GlobSet rules, string path) =>
        rules.Unused().Select(r => ($"{path}/{r.Index}/on", r.Pattern));
}
