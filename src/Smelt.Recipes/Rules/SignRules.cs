namespace Smelt.Recipes.Rules;

/// <summary>Rules of the switches that decide what is trimmed, elected and combined.</summary>
internal static class SignRules
{
    /// <summary>Adds what is wrong with a recipe that elects.</summary>
    public static void Check(ElectedRecipe recipe, string path, List<Problem> problems)
    {
        var resolved = (ElectedRecipe)recipe.Resolve();
        void Need(bool given, bool needed, string slot, string user, string why)
        {
            if (needed && !given)
                problems.Add(RuleTable.RequiredValue.At($"{path}/{Slots.CamelCase(slot)}", $"{Slots.CamelCase(slot)} is not given, and {user} needs it.", $"Set {slot} = ..."));
            else if (given && !needed)
                NoEffect(slot, why);
        }

        void NoEffect(string slot, string why) =>
            problems.Add(RuleTable.NoEffect.At($"{path}/{Slots.CamelCase(slot)}", $"{Slots.CamelCase(slot)} has no effect: {why}.", "Remove it."));

        var deviation = resolved is TrimmedRecipe { Cut: Cut.Deviation };
        if (recipe is TrimmedRecipe { Deviations: var deviations })
            Need(deviations is not null, deviation, nameof(TrimmedRecipe.Deviations), "the cut Deviation", "only the cut Deviation counts in standard deviations");
        Need(recipe.SignFile is not null, resolved.Election == Election.SignFile, nameof(recipe.SignFile), "the election SignFile", "only the election SignFile takes signs from a file");
        if (recipe.Combine == Combine.Max && recipe.Normalize == true)
            NoEffect(nameof(recipe.Normalize), "combine Max takes a single delta");
        if (resolved.Election == Election.None && recipe.ZeroVote is not null)
            NoEffect(nameof(recipe.ZeroVote), "there is no election");
        if (deviation && recipe is Ties { Density: not null })
            NoEffect(nameof(recipe.Density), "the cut Deviation goes by standard deviations");
        if (deviation && recipe is DareTies { TrimDensity: not null })
            NoEffect(nameof(DareTies.TrimDensity), "the cut Deviation goes by standard deviations");
        if (resolved.Combine == Combine.GeometricMedian && recipe.Normalize == true)
            NoEffect(nameof(recipe.Normalize), "the geometric median is a mean already");
        if (resolved.Combine == Combine.GeometricMedian && recipe is Ties { Stock: true })
            NoEffect(nameof(Ties.Stock), "the geometric median is not scaled");
        if (resolved is { Disjoint: false, Election: not Election.None } && (resolved.Combine == Combine.GeometricMedian || (recipe is Ties { Stock: true } && resolved.Combine != Combine.Median)))
            problems.Add(RuleTable.UndefinedMember.At($"{path}/disjoint", "disjoint is false, and what is combined is made of the deltas that agree.", "Leave it out."));
        if (resolved.Combine == Combine.Median && recipe.Normalize == true)
            NoEffect(nameof(recipe.Normalize), "a median is not divided");
        if (resolved is { Combine: Combine.Median, Disjoint: true })
            problems.Add(RuleTable.UndefinedMember.At($"{path}/disjoint", "disjoint is true, and combine Median takes the median of all deltas.", "Leave it out."));
        if (resolved.Combine == Combine.Median && recipe is Ties { Stock: true })
            problems.Add(RuleTable.UndefinedMember.At($"{path}/stock", "stock is true, and it scales what is combined of the deltas that agree; combine Median takes all.", "Leave it out, or combine by Sum or Max."));
        if (resolved.Combine == Combine.GeometricMedian && recipe is not Ties)
            problems.Add(RuleTable.UndefinedMember.At($"{path}/combine", $"combine is GeometricMedian, which {Slots.MethodId(recipe)} has not; allowed: Sum, Max, Median.", "Use Ties."));
    }
}
