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
    private readonly bool _hasGradients;

    /// <param name="points">The points of a recipe that breaks no rule; they differ in values alone, not in their rules.</param>
    public TensorSettingsResolver(IReadOnlyList<SweepPoint> points)
    {
        _points = points;
        var recipe = points[0].Recipe;
        _rules = Compile(recipe.Tensors);
        _hasGradients = Slots.Of(recipe).Any(s => s.Get(recipe) is Scalar { IsGradient: true });
        _expertRules = [.. points[0].Recipe.Experts.Select(e => Compile(e.Tensors))];
    }

    /// <summary>The settings of every sweep point for a tensor.</summary>
    /// <param name="name">Its name in the output, which the recipe's rules go by.</param>
    /// <param name="depth">Where it stands in the depth of the model, for gradients: 0 to 1.</param>
    /// <param name="nameIn">Its name in an expert, which that expert's rules go by.</param>
    public TensorSettings[] Resolve(string name, double depth, Func<int, string> nameIn)
    {
        var matching = _rules.Matching(name);
        var expertMatching = new int[_expertRules.Length][];
        for (var i = 0; i < expertMatching.Length; i++)
            expertMatching[i] = _expertRules[i].Matching(nameIn(i));
        return [.. _points.Select(point => At(point.Recipe, depth, matching, expertMatching))];
    }

    /// <summary>The patterns that no resolved tensor matched, with their JSON pointers.</summary>
    public IEnumerable<(string Where, string Pattern)> Unused() =>
        Unused(_rules, "/tensors").Concat(_expertRules.SelectMany((rules, i) => Unused(rules, $"/experts/{i}/tensors")));

    private TensorSettings At(Recipe recipe, double depth, int[] matching, int[][] expertMatching)
    {
        var weights = new double[recipe.Experts.Count];
        var densities = recipe is SparseRecipe ? new double[recipe.Experts.Count] : [];
        var gammas = recipe is IOutlierTrim ? new double[recipe.Experts.Count] : [];
        var epsilons = recipe is IGradedDrop ? new double[recipe.Experts.Count] : [];
        for (var i = 0; i < weights.Length; i++)
        {
            var expert = recipe.Experts[i];
            Scalar? Find(Func<TensorOverride, Scalar?> slot) =>
                First(expert.Tensors, expertMatching[i], slot) ?? First(recipe.Tensors, matching, slot);
            weights[i] = (Find(r => r.Weight) ?? expert.Weight)?.At(depth) ?? 1;
            if (recipe is SparseRecipe sparse)
                densities[i] = (Find(r => r.Density) ?? expert.Density ?? sparse.Density)!.At(depth);
            if (recipe is IOutlierTrim outliers)
                gammas[i] = (Find(r => r.Gamma) ?? expert.Gamma ?? outliers.Gamma)!.At(depth);
            if (recipe is IGradedDrop graded)
                epsilons[i] = (Find(r => r.Epsilon) ?? expert.Epsilon ?? graded.Epsilon)!.At(depth);
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
    private static Recipe WithValues(Recipe recipe, double depth, int[] matching)
    {
        Recipe? copy = null;
        foreach (var slot in Slots.Of(recipe))
        {
            if (slot.Type != typeof(Scalar))
                continue;
            var rule = matching.Length == 0 ? null : Slots.Of(typeof(TensorOverride)).FirstOrDefault(r => r.Name == slot.Name);
            var value = (rule is null ? null : First(recipe.Tensors, matching, r => (Scalar?)rule.Get(r))) ?? (Scalar?)slot.Get(recipe);
            if (value is { IsGradient: true })
                value = value.At(depth);
            if (value is null || ReferenceEquals(value, slot.Get(recipe)))
                continue;
            copy = (Recipe)slot.With(copy ?? recipe, value);
        }

        return copy ?? recipe;
    }

    private static Scalar? First(Sequence<TensorRule> rules, int[] matching, Func<TensorOverride, Scalar?> slot) =>
        matching.Select(i => slot((TensorOverride)rules[i])).FirstOrDefault(value => value is not null);

    private static GlobSet Compile(Sequence<TensorRule> rules) =>
        new(rules.Select(rule => rule is TensorOverride o ? Glob.TryParse(o.Match, out _) : null));

    private static IEnumerable<(string Where, string Pattern)> Unused(GlobSet rules, string path) =>
        rules.Unused().Select(r => ($"{path}/{r.Index}/on", r.Pattern));
}
