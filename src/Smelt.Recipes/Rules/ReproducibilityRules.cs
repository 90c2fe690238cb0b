namespace Smelt.Recipes.Rules;

/// <summary>What a recipe says that is to have the same output whenever it is merged.</summary>
internal static class ReproducibilityRules
{
    /// <summary>Checks a recipe, its stages and parts included.</summary>
    public static void Check(Recipe recipe, string path, List<Problem> problems)
    {
        var id = Slots.MethodId(recipe);
        var slots = Slots.Of(recipe);
        if (slots.FirstOrDefault(s => s.Name == "seed") is { } seed && seed.Get(recipe) is null && slots.All(s => s.Name != "maskFile" || s.Get(recipe) is null) && recipe is not IDare { Drop: Drop.Smallest })
            problems.Add(RuleTable.SeedMissing.At(path + "/seed", $"{id} draws at random, and its seed is not given; allowed: {seed.Attribute.Range("seed")}.", "Write it down, as in Seed = 42; 0 is what is used now.") with { Replacement = "0" });
        CheckModel(recipe.Base, path + "/base", problems);
        for (var i = 0; i < recipe.Experts.Count; i++)
            CheckModel(recipe.Experts[i].Model, $"{path}/experts/{i}/model", problems);
        for (var i = 0; recipe is CompositeRecipe composite && i < composite.Inner.Count; i++)
            Check(composite.Inner[i], recipe is Stack ? $"{path}/slices/{i}" : $"{path}/parts/{i}/merge", problems);
    }

    private static void CheckModel(Model? model, string where, List<Problem> problems)
    {
        if (model is StageModel { Recipe: var stage })
            Check(stage, where + "/stage", problems);
        else if (model is HubModel { Revision: var revision } && !IsCommit(revision))
            problems.Add(RuleTable.NotPinned.At(where + "/revision", $"'{revision}' is a branch or a tag, which may move; allowed: a full commit hash of 40 hexadecimal digits.", "Write Hub(\"org/name\", \"COMMIT\"); smelt plan --json shows the commit in the local cache."));
    }

    private static bool IsCommit(string revision) =>
        revision.Length == 40 && revision.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));
}
