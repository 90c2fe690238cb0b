using System.Globalization;

namespace Smelt.Recipes.Rules;

/// <summary>Rules of how much is kept.</summary>
public static class DensityRules
{
    /// <summary>What rounding may make of 0.85 + 0.15.</summary>
    private const double Rounding = 1e-9;

    /// <summary>
    /// What is wrong with a density and an epsilon as ends of keep probabilities; null where nothing is. A density of 0 or 1
    /// has no ends.
    /// </summary>
    public static string? ProblemOf(double density, double epsilon)
    {
        if (density is <= 0 or >= 1 || (density - epsilon >= -Rounding && density + epsilon <= 1 + Rounding))
            return null;
        return string.Format(
            CultureInfo.InvariantCulture,
            "density {0} and epsilon {1} make keep probabilities of {2:0.######} to {3:0.######}; allowed: 0 to 1, or a density of 0 or 1.",
            density, epsilon, density - epsilon, density + epsilon);
    }

    /// <summary>
    /// Adds pairs of a density and an epsilon that do not fit, as far as the recipe alone tells: rules for tensors and
    /// gradients are looked at for each tensor.
    /// </summary>
    internal static void Check(SparseRecipe recipe, string path, List<Problem> problems)
    {
        if (recipe is not IGradedDrop)
            return;
        var resolved = (SparseRecipe)recipe.Resolve();
        var whole = false;
        for (var i = 0; i < Math.Max(1, recipe.Experts.Count); i++)
        {
            var (ownDensity, ownEpsilon) = i < recipe.Experts.Count ? (recipe.Experts[i].Density, recipe.Experts[i].Epsilon) : (null, null);
            if (ownDensity is null && ownEpsilon is null && whole)
                continue;
            whole |= ownDensity is null && ownEpsilon is null;
            var density = ownDensity ?? resolved.Density!;
            var epsilon = ownEpsilon ?? ((IGradedDrop)resolved).Epsilon!;
            if (density.IsGradient || epsilon.IsGradient)
                continue;
            var where = ownEpsilon is not null ? $"{path}/experts/{i}/epsilon"
                : ownDensity is not null ? $"{path}/experts/{i}/density"
                : ((IGradedDrop)recipe).Epsilon is not null ? path + "/epsilon"
                : recipe.Density is not null ? path + "/density"
                : path;
            var problem = density.Values.SelectMany(d => epsilon.Values.Select(e => ProblemOf(d, e))).FirstOrDefault(p => p is not null);
            if (problem is not null)
                problems.Add(RuleTable.KeepProbability.At(where, problem, "Make epsilon smaller."));
        }
    }
}
