using System.Globalization;
using Smelt.Recipes.Configuration;
using Smelt.Recipes.Rules;

namespace Smelt.Recipes.Inventories;

/// <summary>
/// Checks a recipe against the inventories of its models: patterns that match nothing, tensors and layers that are not there,
/// shapes that differ. What the tool finds in headers, known while the recipe is typed.
/// </summary>
public static class InventoryValidator
{
    /// <summary>All problems of a recipe that breaks no other rule; models without an inventory are passed over.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="inventories">The inventories by <see cref="ModelInventory.KeyOf"/>.</param>
    public static IReadOnlyList<Problem> Validate(Recipe recipe, IReadOnlyDictionary<string, ModelInventory> inventories)
    {
        var problems = new List<Problem>();
        Check(recipe, "", inventories, problems);
        return problems;
    }

    private static void Check(Recipe recipe, string path, IReadOnlyDictionary<string, ModelInventory> inventories, List<Problem> problems)
    {
        if (recipe is CompositeRecipe composite)
        {
            for (var i = 0; i < composite.Inner.Count; i++)
                Check(composite.Inner[i], recipe is Stack ? $"{path}/slices/{i}" : $"{path}/parts/{i}/merge", inventories, problems);
            return;
        }

        var inputs = new List<(ModelInventory Inventory, string Where, LayerRange? Layers)>();
        void Add(Model? model, string where, LayerRange? layers)
        {
            if (model is StageModel stage)
                Check(stage.Recipe, where + "/stage", inventories, problems);
            else if (model is not null && ModelInventory.KeyOf(model) is { } key && inventories.TryGetValue(key, out var inventory))
                inputs.Add((inventory, where, layers));
        }

        Add(recipe.Base, path + "/base", recipe.Layers);
        for (var i = 0; i < recipe.Experts.Count; i++)
            Add(recipe.Experts[i].Model, $"{path}/experts/{i}/model", recipe.Experts[i].Layers ?? recipe.Layers);
        if (inputs.Count == 0)
            return;

        foreach (var (inventory, where, layers) in inputs)
            CheckLayers(inventory, where, layers, problems);

        // Inventories have the names and shapes of the files, which a merge of fused experts does not go by.
        if (recipe.MoeLayout == MoeLayout.Fused)
            return;
        CheckPatterns(recipe.Tensors, path + "/tensors", inputs[0].Inventory, problems);
        for (var i = 0; i < recipe.Experts.Count; i++)
        {
            if (inputs.Find(input => input.Where == $"{path}/experts/{i}/model").Inventory is { } inventory)
                CheckPatterns(recipe.Experts[i].Tensors, $"{path}/experts/{i}/tensors", inventory, problems);
        }

        if (inputs.All(i => i.Layers is null))
            CheckTensors(recipe, inputs, problems);
    }

    private static void CheckLayers(ModelInventory inventory, string where, LayerRange? layers, List<Problem> problems)
    {
        if (layers is null)
            return;
        var count = inventory.Tensors.Select(t => LayerOf(t.Name)).Max() + 1;
        if (layers.First >= count || layers.End > count)
            problems.Add(RuleTable.LockedLayers.At(where, $"the layers are {layers}, and {inventory.Model} has {count}.", $"Stay within 0..{count}."));
    }

    /// <summary>The number of a tensor's layer: the first segment of digits in its name; -1 outside of layers.</summary>
    private static int LayerOf(string name)
    {
        foreach (var part in name.Split('.'))
        {
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return number;
        }

        return -1;
    }

    private static void CheckPatterns(Sequence<TensorRule> rules, string path, ModelInventory inventory, List<Problem> problems)
    {
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i] is TensorOverride rule)
                CheckPattern(rule.Match, $"{path}/{i}/on", inventory, problems);
            else if (rules[i] is KeepRule keep)
            {
                for (var g = 0; g < keep.Globs.Count; g++)
                    CheckPattern(keep.Globs[g], $"{path}/{i}/keep/{g}", inventory, problems);
            }
        }
    }

    private static void CheckPattern(string pattern, string where, ModelInventory inventory, List<Problem> problems)
    {
        if (Glob.TryParse(pattern, out _) is not { } glob || inventory.Tensors.Any(t => glob.IsMatch(t.Name)))
            return;
        var meant = Meant(pattern, inventory);
        problems.Add(RuleTable.LockedPattern.At(
            where,
            $"the pattern '{pattern}' matches none of the {inventory.Tensors.Count} tensors of {inventory.Model}; its first is {inventory.Tensors.Select(t => t.Name).DefaultIfEmpty("").First()}.",
            meant is null ? "" : $"Did you mean '{meant}'?") with
        {
            Replacement = meant is null ? null : CanonicalJson.Write(meant),
        });
    }

    /// <summary>The pattern with one segment as the model spells it, or with stars around it, such that it matches.</summary>
    private static string? Meant(string pattern, ModelInventory inventory)
    {
        bool Matches(string candidate) => Glob.TryParse(candidate, out _) is { } glob && inventory.Tensors.Any(t => glob.IsMatch(t.Name));
        var known = inventory.Tensors.SelectMany(t => t.Name.Split('.')).Where(s => s.Length > 1 && !s.All(char.IsDigit)).Distinct().ToArray();
        var segments = pattern.Split('.');
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments[i].IndexOf('*') >= 0 || known.Contains(segments[i]) || EditDistance.Nearest(segments[i], known) is not { } near)
                continue;
            var candidate = string.Join(".", segments.Select((s, k) => k == i ? near : s));
            if (Matches(candidate))
                return candidate;
        }

        return Matches($"**.{pattern}.**") ? $"**.{pattern}.**" : null;
    }

    private static void CheckTensors(Recipe recipe, List<(ModelInventory Inventory, string Where, LayerRange? Layers)> inputs, List<Problem> problems)
    {
        var globs = recipe.Tensors.OfType<KeepRule>().SelectMany(k => k.Globs).Select(g => Glob.TryParse(g, out _)).ToArray();
        bool Kept(string name) => globs.Any(g => g is not null && g.IsMatch(name));
        var donor = inputs[0].Inventory;
        foreach (var (inventory, where, _) in inputs.Skip(1))
        {
            if (ReferenceEquals(inventory.Tensors, donor.Tensors))
                continue;
            var own = inventory.Tensors.ToDictionary(t => t.Name, t => t);
            foreach (var tensor in donor.Tensors.Where(t => !Kept(t.Name)))
            {
                if (own.TryGetValue(tensor.Name, out var counterpart) && !counterpart.Shape.Equals(tensor.Shape))
                    problems.Add(RuleTable.LockedShape.At(where, $"{inventory.Model} has {tensor.Name} in the shape {counterpart.Shape}, and {donor.Model} in {tensor.Shape}.", $"Merge models of one architecture and vocabulary, or Keep(\"{tensor.Name}\")."));
            }

            var missing = donor.Tensors.Where(t => !Kept(t.Name) && !own.ContainsKey(t.Name) && t.Name != "lm_head.weight").Select(t => t.Name).ToArray();
            if (missing.Length > 0 && recipe.Missing is null or MissingTensors.Fail)
                problems.Add(RuleTable.LockedMissing.At(where, $"{inventory.Model} lacks {missing.Length} tensors of {donor.Model}: {string.Join(", ", missing.Take(3))}{(missing.Length > 3 ? ", ..." : "")}.", "Merge models of one architecture, or set Missing."));
        }
    }
}
