namespace Smelt.Recipes.Rules;

/// <content>Models, experts and their statistics.</content>
public static partial class RecipeValidator
{
    private static void CheckModels(Recipe recipe, string path, List<Problem> problems)
    {
        if (recipe.Experts.Count == 0 && recipe.FewestExperts > 0)
            problems.Add(RuleTable.NoExpert.At(path + "/experts", "the recipe lists no expert.", "Add at least one: Experts = [Folder(\"...\")]."));
        else if (recipe.Experts.Count < recipe.FewestExperts || recipe.Experts.Count > recipe.MostExperts)
            problems.Add(RuleTable.ExpertCount.At(path + "/experts", $"{Slots.MethodId(recipe)} has {recipe.Experts.Count} experts; allowed: {Allowed(recipe)}."));
        if (recipe.Base is { } baseModel)
            CheckModel(baseModel, path + "/base", problems);
        else if (recipe.NeedsBase)
            problems.Add(RuleTable.NoBase.At(path + "/base", $"{Slots.MethodId(recipe)} needs a base, and none is given.", "Set Base = Folder(\"...\") or Hub(\"...\")."));

        for (var i = 0; i < recipe.Experts.Count; i++)
        {
            var (model, index) = (recipe.Experts[i].Model, i);
            CheckModel(model, $"{path}/experts/{i}/model", problems);
            var first = recipe.Experts.Take(i).ToList().FindIndex(e => Same(e.Model, model) && e.Layers == recipe.Experts[index].Layers);
            if (first >= 0)
                problems.Add(RuleTable.DuplicateExpert.At($"{path}/experts/{i}/model", $"the expert {model} is already listed as expert {first}.", "Remove one, and add up their weights if that is meant."));
            else if (recipe.UsesBase && recipe.Base is { } b && Same(b, model) && (recipe.Experts[i].Layers ?? recipe.Layers) == recipe.Layers)
                problems.Add(RuleTable.BaseAmongExperts.At($"{path}/experts/{i}/model", $"the expert {model} is the base itself, so its task vector is zero.", "Remove it from the experts."));
        }
    }

    private static string Allowed(Recipe recipe) =>
        (recipe.FewestExperts == recipe.MostExperts ? $"exactly {recipe.MostExperts}" : $"at least {recipe.FewestExperts}")
        + (recipe.NeedsBase ? " besides the base" : "");

    private static bool Same(Model a, Model b) => (a, b) switch
    {
        (FolderModel x, FolderModel y) => Normalize(x.Path) == Normalize(y.Path),
        _ => a == b,
    };

    private static string Normalize(string path) =>
        string.Join("/", path.Replace('\\', '/').Split('/').Where((part, i) => part != "." && (part.Length > 0 || i == 0)));

    private static void CheckModel(Model model, string where, List<Problem> problems)
    {
        switch (model)
        {
            case StageModel { Recipe: var stage }:
                CheckWhole(stage, where + "/stage", problems);
                if (SweepExpansion.Axes(stage).Any())
                    problems.Add(RuleTable.StageSweeps.At(where + "/stage", "a stage has one output, and this one sweeps.", "Sweep in the recipe that names the stage, or write a recipe for each value."));
                break;
            case FolderModel { Path: var path } when string.IsNullOrWhiteSpace(path) || path.IndexOf('\0') >= 0:
                problems.Add(RuleTable.ModelReference.At(where, "the model's folder is empty.", "Name a checkpoint folder or a .safetensors file."));
                break;
            case HubModel { Id: var id, Revision: var revision }:
                if (!IsHubId(id))
                    problems.Add(RuleTable.ModelReference.At(where, $"'{id}' is no hub id; allowed: organisation/name of letters, digits, '-', '_' and '.'.", "For a folder on this machine write Folder(\"...\")."));
                if (string.IsNullOrWhiteSpace(revision) || revision.Contains("..") || revision.StartsWith("/", StringComparison.Ordinal) || revision.IndexOf('\\') >= 0)
                    problems.Add(RuleTable.ModelReference.At(where, $"'{revision}' is no revision; allowed: a branch, a tag or a commit hash.", "Leave it out for main."));
                break;
        }
    }

    private static bool IsHubId(string id)
    {
        var parts = (id ?? "").Split('/');
        return parts.Length is 1 or 2 && parts.All(p => p.Length is > 0 and <= 96 && !p.Contains("..") && !p.Contains("--")
            && p.All(c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '-' or '_' or '.')
            && p[0] is not ('-' or '.') && p[p.Length - 1] is not ('-' or '.'));
    }

    private static void CheckExpert(Recipe recipe, Expert expert, string path, List<Problem> problems)
    {
        CheckSlots(expert, path, problems);
        CheckStatistics(recipe, expert, path + "/statistics", problems);
        CheckRules(expert.Tensors, path + "/tensors", problems);
        for (var i = 0; i < expert.Tensors.Count; i++)
        {
            var where = $"{path}/tensors/{i}";
            if (expert.Tensors[i] is KeepRule)
                problems.Add(RuleTable.ExpertRule.At(where, "Keep holds for the whole output, not for one expert.", "Move it to the recipe's Tensors, or set Weight = 0 here."));
            else
            {
                foreach (var slot in Slots.Of(typeof(TensorOverride)).Where(s => Slots.Of(typeof(Expert)).All(own => own.Name != s.Name) && s.Get(expert.Tensors[i]) is not null))
                    problems.Add(RuleTable.ExpertRule.At($"{where}/{slot.Name}", $"{slot.Property} holds for the merged tensor, not one expert's.", "Move it to the recipe's Tensors."));
            }
        }
    }

    private static void CheckStatistics(Recipe recipe, Expert expert, string where, List<Problem> problems)
    {
        var method = Slots.MethodId(recipe);
        if (recipe.UsesStatistics && expert.Statistics is null)
            problems.Add(RuleTable.RequiredValue.At(where, $"{method} needs statistics of each expert's data, and none are given for {expert.Model}.", "Set them: Statistics = Folder(\"statistics.safetensors\")."));
        else if (expert.Statistics is StageModel)
            problems.Add(RuleTable.ModelReference.At(where, "statistics are a file, not the output of a recipe.", "Name a safetensors file: Folder(\"statistics.safetensors\")."));
        else if (expert.Statistics is { } file)
        {
            CheckModel(file, where, problems);
            if (!recipe.UsesStatistics)
                problems.Add(RuleTable.NoEffect.At(where, $"statistics has no effect: {method} needs none.", "Remove it."));
        }
    }
}
