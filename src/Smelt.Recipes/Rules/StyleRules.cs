namespace Smelt.Recipes.Rules;

/// <summary>
/// How a recipe reads. Nothing here changes what it makes, so it is looked at in the editor alone: a configuration has every
/// default written out.
/// </summary>
public static class StyleRules
{
    /// <summary>
    /// Models that moved on the Hugging Face hub: the hub still answers to the old name, but the local cache names its
    /// folders by the new one.
    /// </summary>
    private static readonly (string Owner, string[] Models)[] Moved =
    [
        ("openai-community", ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "openai-gpt", "roberta-base-openai-detector", "roberta-large-openai-detector"]),
        ("google-bert", ["bert-base-uncased", "bert-base-cased", "bert-large-uncased", "bert-large-cased", "bert-base-multilingual-cased", "bert-base-multilingual-uncased", "bert-base-chinese", "bert-base-german-cased"]),
        ("google-t5", ["t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b"]),
        ("FacebookAI", ["roberta-base", "roberta-large", "roberta-large-mnli", "xlm-roberta-base", "xlm-roberta-large", "xlm-mlm-en-2048"]),
        ("distilbert", ["distilbert-base-uncased", "distilbert-base-cased", "distilbert-base-multilingual-cased", "distilbert-base-uncased-finetuned-sst-2-english", "distilgpt2", "distilroberta-base"]),
        ("albert", ["albert-base-v1", "albert-base-v2", "albert-large-v2", "albert-xlarge-v2", "albert-xxlarge-v2"]),
        ("xlnet", ["xlnet-base-cased", "xlnet-large-cased"]),
        ("Salesforce", ["ctrl"]),
        ("transfo-xl", ["transfo-xl-wt103"]),
        ("almanach", ["camembert-base"]),
    ];

    private static readonly Dictionary<string, string> NewNames = Moved
        .SelectMany(m => m.Models.Select(model => (Old: model, New: m.Owner + "/" + model)))
        .ToDictionary(m => m.Old, m => m.New, StringComparer.Ordinal);

    /// <summary>What could be written more plainly in a recipe, its stages included.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="known">What is known to be wrong with it: there nothing is said of style.</param>
    public static IReadOnlyList<Problem> Check(Recipe recipe, IReadOnlyList<Problem> known)
    {
        var problems = new List<Problem>();
        CheckRecipe(recipe, "", problems);
        return known.Count == 0 ? problems : [.. problems.Where(p => known.All(k => k.Where != p.Where))];
    }

    private static void CheckRecipe(Recipe recipe, string path, List<Problem> problems)
    {
        CheckModel(recipe.Base, path + "/base", problems);
        for (var i = 0; i < recipe.Experts.Count; i++)
        {
            CheckModel(recipe.Experts[i].Model, $"{path}/experts/{i}/model", problems);
            CheckSlots(recipe.Experts[i], $"{path}/experts/{i}", problems);
            CheckRules(recipe.Experts[i].Tensors, $"{path}/experts/{i}/tensors", problems);
        }

        CheckRules(recipe.Tensors, path + "/tensors", problems);
        CheckSlots(recipe, path, problems);
        CheckWeights(recipe, path, problems);
        CheckDefaults(recipe, path, problems);
        for (var i = 0; recipe is CompositeRecipe composite && i < composite.Inner.Count; i++)
            CheckRecipe(composite.Inner[i], recipe is Stack ? $"{path}/slices/{i}" : $"{path}/parts/{i}/merge", problems);
    }

    private static void CheckModel(Model? model, string where, List<Problem> problems)
    {
        if (model is StageModel { Recipe: var stage })
            CheckRecipe(stage, where + "/stage", problems);
        else if (model is HubModel { Id: var id } && NewNames.TryGetValue(id, out var name))
            problems.Add(RuleTable.OldHubName.At(where + "/hub", $"'{id}' is the old name of {name}; the local cache has it under the new one.") with { Replacement = Configuration.CanonicalJson.Write(name) });
    }

    private static void CheckRules(Sequence<TensorRule> rules, string path, List<Problem> problems)
    {
        for (var i = 0; i < rules.Count; i++)
            CheckSlots(rules[i], $"{path}/{i}", problems);
    }

    private static void CheckSlots(object owner, string path, List<Problem> problems)
    {
        foreach (var slot in Slots.Of(owner).Where(s => s.Type == typeof(Scalar)))
        {
            if (slot.Get(owner) is not Scalar scalar || scalar.Values.Count == 0)
                continue;
            var (where, values) = ($"{path}/{slot.Name}", scalar.Values);
            if (scalar.IsGradient && values.All(v => v.Equals(values[0])))
                problems.Add(RuleTable.FlatGradient.At(where, $"the gradient of {slot.Name} is {RecipeValidator.Text(values[0])} everywhere.", "Write the number.") with { Replacement = Constant(values[0]) });
            else if (scalar is { IsSweep: true, Axis: null } && values.Count == 1)
                problems.Add(RuleTable.SinglePoint.At(where, $"the sweep over {slot.Name} has one value, {RecipeValidator.Text(values[0])}.", "Write the number.") with { Replacement = Constant(values[0]) });
            else if (scalar is { IsSweep: true, Axis: null } && !InOrder(values))
                problems.Add(RuleTable.UnsortedSweep.At(where, $"the sweep over {slot.Name} goes up and down; its outputs are made and listed in this order.", "Sort its values."));
        }
    }

    /// <summary>Values that rise, or that fall, all the way.</summary>
    private static bool InOrder(Sequence<double> values) =>
        Enumerable.Range(1, values.Count - 1).All(i => !(values[i] < values[i - 1])) || Enumerable.Range(1, values.Count - 1).All(i => !(values[i] > values[i - 1]));

    private static void CheckWeights(Recipe recipe, string path, List<Problem> problems)
    {
        if (!recipe.UsesWeights || !recipe.Experts.All(e => e.Weight is null || IsConstant(e.Weight, 1)))
            return;
        for (var i = 0; i < recipe.Experts.Count; i++)
        {
            if (recipe.Experts[i].Weight is not null)
                problems.Add(RuleTable.OmittableWeight.At($"{path}/experts/{i}/weight", "all weights are 1, which they are unless given.", "Leave it out."));
        }
    }

    private static void CheckDefaults(Recipe recipe, string path, List<Problem> problems)
    {
        foreach (var slot in Slots.Of(recipe))
        {
            // A seed is worth writing: it says that the outcome is drawn.
            var isSetting = slot.Type == typeof(Scalar) || slot.Type == typeof(bool) || slot.Type == typeof(ByteSize) || slot.Type.IsEnum;
            if (!isSetting || slot.Attribute.Required || slot.Name == "seed" || slot.Get(recipe) is not { } value)
                continue;
            if (value.Equals(slot.Get(((Recipe)slot.With(recipe, null)).Resolve())))
                problems.Add(RuleTable.OmittableValue.At($"{path}/{slot.Name}", $"{slot.Name} is {(value is bool flag ? (flag ? "true" : "false") : value)} unless given.", "Leave it out."));
        }
    }

    private static bool IsConstant(Scalar scalar, double value) => scalar is { IsSweep: false, IsGradient: false } && scalar.Value.Equals(value);

    private static string? Constant(double value) =>
        double.IsNaN(value) || double.IsInfinity(value) ? null : Configuration.CanonicalJson.Number(value);
}
