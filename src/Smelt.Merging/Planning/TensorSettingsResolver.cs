using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// Finds the values that hold for one tensor: of the expert's own rules and then the recipe's, the first that matches and
/// sets the value; else the expert's value; else the recipe's.
/// </summary>
internal sealed class TensorSettingsResolver
{
    private readonly IReadOnlyList<SweepPoint> _points;
    private readonly Func<string, int, int, string> _nameIn;
    private readonly GlobSet _rules;
    private readonly GlobSet[] _expertRules;
    private readonly bool _hasGradients;

    /// <summary>The recipe's own numbers.</summary>
    private readonly Slot[] _numbers;

    /// <summary>For each of these the value of the same name in a rule; null where rules have none.</summary>
    private readonly Func<TensorOverride, Scalar?>?[] _setByRules;

    /// <param name="points">The points of a recipe that breaks no rule; they differ in values alone, not in their rules.</param>
    /// <param name="nameIn">The name that a tensor of the donor, with its layer's number, has in an expert.</param>
    public TensorSettingsResolver(IReadOnlyList<SweepPoint> points, Func<string, int, int, string> nameIn)
    {
        _points = points;
        _nameIn = nameIn;
        var recipe = points[0].Recipe;
        _rules = Compile(recipe.Tensors);
        _hasGradients = Slots.Of(recipe).Any(s => s.Get(recipe) is Scalar { IsGradient: true });
        _numbers = [.. Slots.Of(recipe).Where(s => s.Type == typeof(Scalar))];
        _setByRules = Array.ConvertAll(_numbers, n => Slots.Find(Slots.Of(typeof(TensorOverride)), n.Name) is { } slot ? (Func<TensorOverride, Scalar?>)(r => (Scalar?)slot.Get(r)) : null);
        _expertRules = [.. points[0].Recipe.Experts.Select(e => Compile(e.Tensors))];
    }

    /// <summary>The settings of every sweep point for a tensor.</summary>
    /// <param name="name">Its name in the output, which the recipe's rules go by.</param>
    /// <param name="depth">Where it stands in the depth of the model, for gradients: 0 to 1.</param>
    /// <param name="donorName">Its name in the donor, of which its name in an expert follows, which that expert's rules go by.</param>
    /// <param name="layer">The number of its layer in a slice; -1 outside of slices.</param>
    public TensorSettings[] Resolve(string name, double depth, string donorName, int layer)
    {
        var matching = _rules.Matching(name);
        var expertMatching = new int[_expertRules.Length][];
        for (var i = 0; i < expertMatching.Length; i++)
            expertMatching[i] = _expertRules[i].Matching(_nameIn(donorName, layer, i));
        var settings = new TensorSettings[_points.Count];
        for (var i = 0; i < settings.Length; i++)
            settings[i] = At(_points[i].Recipe, depth, matching, expertMatching);
        return settings;
    }

    /// <summary>The patterns that no resolved tensor matched, with their JSON pointers.</summary>
    public IEnumerable<(string Where, string Pattern)> Unused()
    {
        foreach (var (index, pattern) in _rules.Unused())
            yield return ($"/tensors/{index}/on", pattern);
        for (var i = 0; i < _expertRules.Length; i++)
        {
            foreach (var (index, pattern) in _expertRules[i].Unused())
                yield return ($"/experts/{i}/tensors/{index}/on", pattern);
        }
    }

    private TensorSettings At(Recipe recipe, double depth, int[] matching, int[][] expertMatching)
    {
        var weights = new double[recipe.Experts.Count];
        var densities = recipe is SparseRecipe ? new double[recipe.Experts.Count] : [];
        var gammas = recipe is IOutlierTrim ? new double[recipe.Experts.Count] : [];
        var epsilons = recipe is IGradedDrop ? new double[recipe.Experts.Count] : [];
        for (var i = 0; i < weights.Length; i++)
        {
            var expert = recipe.Experts[i];
            var ofExpert = expertMatching[i];
            Scalar? Find(Func<TensorOverride, Scalar?> slot) =>
                First(expert.Tensors, ofExpert, slot) ?? First(recipe.Tensors, matching, slot);
            weights[i] = (Find(static r => r.Weight) ?? expert.Weight)?.At(depth) ?? 1;
            if (recipe is SparseRecipe sparse)
                densities[i] = (Find(static r => r.Density) ?? expert.Density ?? sparse.Density)!.At(depth);
            if (recipe is IOutlierTrim outliers)
                gammas[i] = (Find(static r => r.Gamma) ?? expert.Gamma ?? outliers.Gamma)!.At(depth);
            if (recipe is IGradedDrop graded)
                epsilons[i] = (Find(static r => r.Epsilon) ?? expert.Epsilon ?? graded.Epsilon)!.At(depth);
        }

        var lambda = recipe is TaskVectorRecipe taskVector ? (First(recipe.Tensors, matching, r => r.Lambda) ?? taskVector.Lambda)!.At(depth) : 1;
        return new TensorSettings(weights, densities, lambda, _hasGradients || matching.Length > 0 ? WithValues(recipe, depth, matching) : recipe)
        {
            Gammas = gammas,
            Epsilons = epsilons,
        };
    }

    /// <summary>
    /// The recipe, its own slots replaced by what matching rules set under the same names, and gradients by their values at
    /// the tensor's depth.
    /// </summary>
    private Recipe WithValues(Recipe recipe, double depth, int[] matching)
    {
        Recipe? copy = null;
        for (var i = 0; i < _numbers.Length; i++)
        {
            var own = (Scalar?)_numbers[i].Get(recipe);
            var value = (_setByRules[i] is { } rule ? First(recipe.Tensors, matching, rule) : null) ?? own;
            if (value is { IsGradient: true })
                value = value.At(depth);
            if (value is null || ReferenceEquals(value, own))
                continue;
            copy = (Recipe)_numbers[i].With(copy ?? recipe, value);
        }

        return copy ?? recipe;
    }

    private static Scalar? First(Sequence<TensorRule> rules, int[] matching, Func<TensorOverride, Scalar?> slot)
    {
        foreach (var i in matching)
        {
            if (slot((TensorOverride)rules[i]) is { } value)
                return value;
        }

        return null;
    }

    private static GlobSet Compile(Sequence<TensorRule> rules) =>
        new(rules.Select(rule => rule is TensorOverride o ? Glob.TryParse(o.Match, out _) : null));
}
