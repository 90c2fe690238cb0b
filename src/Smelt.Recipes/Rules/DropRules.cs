namespace Smelt.Recipes.Rules;

/// <summary>Rules of what DARE drops.</summary>
internal static class DropRules
{
    /// <summary>Adds what is wrong with a recipe of DARE.</summary>
    public static void Check(IDare dare, Recipe recipe, string path, List<Problem> problems)
    {
        void NoEffect(bool given, string slot, string why)
        {
            if (given)
                problems.Add(RuleTable.NoEffect.At($"{path}/{slot}", $"{slot} has no effect: {why}.", "Remove it."));
        }

        var smallest = dare.Drop == Drop.Smallest;
        NoEffect(smallest && dare.Seed is not null, "seed", "drop Smallest goes by magnitudes");
        NoEffect(smallest && dare.MaskFile is not null, "maskFile", "drop Smallest goes by magnitudes");
        NoEffect(dare is { OnWeights: true, WriteBack: true }, "writeBack", "onWeights thins the expert as it is stored");
        if (dare.OnWeights == true && ((SparseRecipe)recipe.Resolve()).Rescale == Rescale.L1)
            problems.Add(RuleTable.UndefinedMember.At(path + "/rescale", "rescale is L1, which keeps the norm of a task vector, and onWeights thins whole weights. Allowed with onWeights: Inverse, None.", "Set Rescale = Rescale.Inverse."));
    }
}
