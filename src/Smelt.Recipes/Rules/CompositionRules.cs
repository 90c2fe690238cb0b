namespace Smelt.Recipes.Rules;

/// <summary>What holds for recipes made of other recipes.</summary>
internal static class CompositionRules
{
    /// <summary>Checks a composite recipe and, by <paramref name="checkInner"/>, its inner recipes.</summary>
    public static void Check(CompositeRecipe recipe, string path, List<Problem> problems, Action<Recipe, string, List<Problem>> checkInner)
    {
        var id = Slots.MethodId(recipe);
        var list = recipe is Stack ? "slices" : "parts";
        if (recipe.Inner.Count == 0)
            problems.Add(RuleTable.Composition.At($"{path}/{list}", $"{id} has no {list}.", recipe is Stack ? "Add at least one: Stack(From(Folder(\"...\"), 0..16))." : "Add at least one: Part(\"**\", new Average { ... })."));
        if (recipe.Tensors.Count > 0)
            problems.Add(RuleTable.WrongLevel.At(path + "/tensors", $"rules for tensors belong to the {list} of a {id}.", $"Move them into the {list}."));
        if (recipe.Layers is not null)
            problems.Add(RuleTable.WrongLevel.At(path + "/layers", $"layers belong to the {list} of a {id}.", $"Move them into the {list}."));
        var seen = new List<Glob>();
        for (var i = 0; i < recipe.Inner.Count; i++)
        {
            var inner = recipe.Inner[i];
            var where = recipe is Stack ? $"{path}/slices/{i}" : $"{path}/parts/{i}/merge";
            checkInner(inner, where, problems);
            foreach (var slot in Slots.Of(typeof(Recipe)).Where(s => s.Property is nameof(Recipe.Dtype) or nameof(Recipe.PromoteDtype) or nameof(Recipe.MaxShardSize) or nameof(Recipe.ChatTemplate) or nameof(Recipe.MoeLayout) or nameof(Recipe.NonFinite) && s.Get(inner) is not null))
                problems.Add(RuleTable.WrongLevel.At($"{where}/{slot.Name}", $"{slot.Name} holds for the whole output.", $"Move it to the {id}."));
            if (inner is Modules || (inner is Stack && recipe is Stack))
                problems.Add(RuleTable.Composition.At(where, $"a {Slots.MethodId(inner)} can't stand in a {id}; allowed: {(recipe is Stack ? "a merge with layers" : "a merge or a stack")}.", "Join the two."));
            else if (inner.WritesMasks)
                problems.Add(RuleTable.Composition.At(where, $"{Slots.MethodId(inner)} writes masks beside a whole output, and can't stand in a {id}.", "Merge it on its own."));
            else if (recipe is Stack && inner.Layers is null && inner.Experts.All(e => e.Layers is null))
                problems.Add(RuleTable.BadLayers.At(where, "the slice does not say which layers take part.", "Set Layers = 0..16."));
            if (recipe is not Modules modules)
                continue;
            var match = modules.Parts[i].Match;
            if (TensorRules.CheckGlob(match, $"{path}/parts/{i}/match", problems) is not { } glob)
                continue;
            if (seen.Find(s => s.Contains(glob)) is { } winner)
                problems.Add(RuleTable.ShadowedRule.At($"{path}/parts/{i}/match", $"the pattern '{match}' matches only tensors that '{winner}' of an earlier part matches, which wins.", "Put the part for fewer tensors first."));
            seen.Add(glob);
        }
    }
}
