namespace Smelt.Recipes;

/// <summary>One merge recipe of an experiment: an arm on a subset of the experts of a pool. Its sweeps make its outputs.</summary>
/// <param name="Name">The cell's folder below the experiment's: <c>pool/arm/subset</c>.</param>
/// <param name="Pool">The pool's name.</param>
/// <param name="Arm">The arm's name.</param>
/// <param name="Subset">The subset's label.</param>
/// <param name="Experts">The experts' numbers in their pool, counted from 0.</param>
/// <param name="Recipe">The recipe.</param>
public sealed record ExperimentCell(string Name, string Pool, string Arm, string Subset, IReadOnlyList<int> Experts, Recipe Recipe);

/// <summary>Lays out the grid of an experiment.</summary>
public static class ExperimentGrid
{
    /// <summary>All cells: pools, then arms, then subsets in their order.</summary>
    /// <param name="experiment">An experiment that breaks no rule.</param>
    public static IReadOnlyList<ExperimentCell> Cells(Experiment experiment) =>
    [
        .. from pool in experiment.Pools
           from arm in experiment.Arms
           from subset in (experiment.Subsets ?? new AllExperts()).Of(pool.Experts.Count)
           select new ExperimentCell(
               $"{pool.Name}/{arm.Name}/{subset.Label}",
               pool.Name,
               arm.Name,
               subset.Label,
               subset.Experts,
               RecipeOf(arm.Recipe, pool, subset.Experts)),
    ];

    /// <summary>The number of merges of a grid, sweep points counted.</summary>
    public static double CountMerges(Experiment experiment) => experiment.Pools.Sum(pool =>
        (double)(experiment.Subsets ?? new AllExperts()).Of(pool.Experts.Count).Count() * experiment.Arms.Sum(arm => SweepExpansion.CountPoints(arm.Recipe)));

    /// <summary>An arm's recipe with the experts of a subset.</summary>
    internal static Recipe RecipeOf(Recipe arm, ExpertPool pool, int[] experts) =>
        arm with { Base = pool.Base, Experts = Sequence.From(experts.Select(i => pool.Experts[i])) };
}
