namespace Smelt.Recipes.Rules;

/// <summary>
/// Checks an experiment against every rule that needs no checkpoint: its own shape, and each arm on the subsets that it will
/// merge. Problems come all at once, with the JSON pointer of their place.
/// </summary>
public static class ExperimentValidator
{
    /// <summary>All problems of an experiment.</summary>
    public static IReadOnlyList<Problem> Validate(string name, Experiment experiment)
    {
        var problems = new List<Problem>();
        problems.AddRange(RecipeValidator.ValidateName(name));
        RecipeValidator.CheckSlots(experiment, "", problems);
        if (experiment.Pools.Count == 0)
            problems.Add(RuleTable.ExperimentShape.At("/pools", "the experiment has no pool of experts.", "Add one: Pools = [Pool(\"small\", Folder(\"base\"), Folder(\"expert-1\"), Folder(\"expert-2\"))]."));
        if (experiment.Arms.Count == 0)
            problems.Add(RuleTable.ExperimentShape.At("/arms", "the experiment compares no recipe.", "Add one: Arms = [Arm(\"average\", new Average())]."));
        CheckNames(experiment.Pools.Select(p => p.Name).ToArray(), "pools", problems);
        CheckNames(experiment.Arms.Select(a => a.Name).ToArray(), "arms", problems);
        CheckPools(experiment, problems);
        var experts = experiment.Pools.Count == 0 ? 0 : experiment.Pools.Max(p => p.Experts.Count);
        var sound = CheckSubsets(experiment.Subsets ?? new AllExperts(), experts, problems);
        CheckArms(experiment, problems);
        if (!sound || problems.Any(p => p.Severity == Severity.Error))
            return problems;

        CheckCells(experiment, problems);
        var merges = ExperimentGrid.CountMerges(experiment);
        var most = experiment.MaxMerges?.Value ?? Experiment.DefaultMaxMerges;
        if (merges > most)
            problems.Add(RuleTable.GridTooLarge.At("", $"the grid has {merges} merges; allowed: {most}.", "Sweep fewer values, take fewer subsets, or set MaxMerges."));
        return problems;
    }

    private static void CheckNames(string[] names, string list, List<Problem> problems)
    {
        for (var i = 0; i < names.Length; i++)
        {
            var where = $"/{list}/{i}/name";
            problems.AddRange(RecipeValidator.ValidateName(names[i]).Select(p => p with { Where = where }));
            if (names.Take(i).Contains(names[i], StringComparer.OrdinalIgnoreCase))
                problems.Add(RuleTable.ExperimentNames.At(where, $"the name '{names[i]}' is used twice among the {list}; names become folders, so case does not tell them apart.", "Give it another name."));
        }
    }

    private static void CheckPools(Experiment experiment, List<Problem> problems)
    {
        for (var i = 0; i < experiment.Pools.Count; i++)
        {
            var pool = experiment.Pools[i];
            if (pool.Experts.Count == 0)
                problems.Add(RuleTable.NoExpert.At($"/pools/{i}/experts", $"the pool {pool.Name} lists no expert."));
            else if (pool.Experts.Count != experiment.Pools[0].Experts.Count)
                problems.Add(RuleTable.ExperimentShape.At($"/pools/{i}/experts", $"the pool {pool.Name} has {pool.Experts.Count} experts, and {experiment.Pools[0].Name} has {experiment.Pools[0].Experts.Count}; subsets name experts by their numbers, so all pools have as many.", "List the experts of every pool, in the same order."));
        }
    }

    private static bool CheckSubsets(ExpertSubsets subsets, int experts, List<Problem> problems)
    {
        var before = problems.Count;
        void Complain(string message) => problems.Add(RuleTable.ExperimentShape.At("/subsets", message, "Sizes run from 1 to the number of experts, draws from 1, experts from 0."));
        var (sizes, draws) = subsets switch
        {
            NestedSubsets nested => (nested.Sizes, nested.Draws),
            IndependentSubsets independent => (independent.Sizes, independent.Draws),
            _ => (Sequence<int>.Empty, 1),
        };
        if (subsets is NestedSubsets or IndependentSubsets && sizes.Count == 0)
            Complain("the subsets have no size.");
        if (draws < 1)
            Complain($"the number of draws is {draws}.");
        foreach (var size in sizes.Where(s => s < 1 || s > experts))
            Complain($"a subset has {size} experts, and the pools have {experts}.");
        if (sizes.Distinct().Count() < sizes.Count)
            Complain("a size stands twice.");
        if (subsets is ExplicitSubsets { Sets: var sets })
        {
            if (sets.Count == 0 || sets.Any(s => s.Count == 0))
                Complain("a subset is empty.");
            foreach (var number in sets.SelectMany(s => s).Where(i => i < 0 || i >= experts).Distinct())
                Complain($"a subset names the expert {number}, and the pools have {experts}, counted from 0.");
            if (sets.Any(s => s.Distinct().Count() < s.Count) || sets.Select(s => string.Join("+", s.OrderBy(i => i))).Distinct().Count() < sets.Count)
                Complain("a subset, or an expert in a subset, stands twice.");
        }

        return problems.Count == before;
    }

    private static void CheckArms(Experiment experiment, List<Problem> problems)
    {
        for (var i = 0; i < experiment.Arms.Count; i++)
        {
            var (where, recipe) = ($"/arms/{i}/recipe", experiment.Arms[i].Recipe);
            if (recipe is CompositeRecipe)
                problems.Add(RuleTable.ExperimentShape.At(where, $"a {Slots.MethodId(recipe)} names its own models; an arm takes its experts from the pools.", "Write it as a recipe of its own."));
            if (recipe.Base is not null)
                problems.Add(RuleTable.ExperimentShape.At(where + "/base", "the base comes from the pools.", "Remove it."));
            if (recipe.Experts.Count > 0)
                problems.Add(RuleTable.ExperimentShape.At(where + "/experts", "the experts come from the pools.", "Remove them."));
        }
    }

    /// <summary>Checks each arm with the experts that it will get; of several subsets with the same problem the first counts.</summary>
    private static void CheckCells(Experiment experiment, List<Problem> problems)
    {
        var seen = new HashSet<(string, string, string)>();
        for (var a = 0; a < experiment.Arms.Count; a++)
        {
            for (var p = 0; p < experiment.Pools.Count; p++)
            {
                foreach (var (label, experts) in (experiment.Subsets ?? new AllExperts()).Of(experiment.Pools[p].Experts.Count))
                {
                    foreach (var problem in RecipeValidator.Validate("cell", ExperimentGrid.RecipeOf(experiment.Arms[a].Recipe, experiment.Pools[p], experts)))
                    {
                        var where = Place(problem.Where, a, p, experts);
                        if (seen.Add((problem.Id, where, problem.Message)))
                            problems.Add(problem with { Where = where, Message = problem.Message.TrimEnd('.') + $" (on {experiment.Pools[p].Name}, {label})." });
                    }
                }
            }
        }
    }

    /// <summary>A place in a cell's recipe as a place in the experiment.</summary>
    private static string Place(string where, int arm, int pool, int[] experts)
    {
        var parts = where.Split('/');
        if (parts.Length > 1 && parts[1] == "base")
            return $"/pools/{pool}{where}";
        if (parts.Length > 2 && parts[1] == "experts")
        {
            parts[2] = experts[int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture)].ToString(System.Globalization.CultureInfo.InvariantCulture);
            return $"/pools/{pool}{string.Join("/", parts)}";
        }

        return $"/arms/{arm}/recipe{where}";
    }
}
