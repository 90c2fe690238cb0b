using System.Text;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Execution;

/// <summary>The README.md of an output: what was merged and how, with the front matter that the Hugging Face hub reads.</summary>
internal static class ModelCard
{
    /// <summary>The text of the card for one sweep point.</summary>
    public static string Write(MergePlan plan, int point)
    {
        var card = new StringBuilder();
        var hubModels = plan.Inputs.Where(i => plan.RoleOf(i) != "statistics").Select(i => i.Reference).OfType<HubModel>().Select(m => m.Id).Distinct().ToArray();
        card.Append("---\n");
        if (hubModels.Length > 0)
            card.Append("base_model:\n").AppendJoin("", hubModels.Select(id => $"- {id}\n"));
        card.Append("library_name: transformers\ntags:\n- merge\n- smelt\n---\n\n");

        var label = plan.Points[point].Label;
        card.Append($"# {plan.Name}{(label.Length > 0 ? " at " + label : "")}\n\n");
        card.Append($"A merge by the method `{Slots.MethodId(plan.Points[point].Recipe)}`, made with Smelt {Manifest.ToolVersion}.\n\n");
        card.Append("| model | role | weight | density |\n|---|---|---|---|\n");
        foreach (var part in plan.Parts)
        {
            if (part.Base is { } baseInput)
                card.Append($"| {Reference(baseInput)} | base | | |\n");
            var merge = part.Points[point].Recipe;
            for (var i = 0; i < part.Experts.Count; i++)
            {
                var expert = merge.Experts[i];
                var layers = expert.Layers ?? merge.Layers;
                card.Append($"| {Reference(part.Experts[i])}{(layers is null ? "" : $", layers {layers}")} | expert | {expert.Weight} | {expert.Density ?? (merge as SparseRecipe)?.Density} |\n");
            }
        }

        var recipe = plan.Points[point].Recipe;
        if (plan.MaskOutputs is { OfTasks: true } masks)
        {
            card.Append("\n## Tasks\n\nBeside these weights lie masks of the tasks ").AppendJoin(", ", masks.Names.Select(n => $"`{n}`"));
            card.Append($". `smelt apply` restores a task's model, base + rescaler · mask · (weights - base); `{TaskFile.FileName}` says how the masks are stored.\n");
        }

        // Without a sweep the recipe is its only point.
        var configuration = label.Length == 0 ? plan.Configuration : Recipes.Configuration.ConfigurationWriter.Write(plan.Name, recipe);
        card.Append("\n## Configuration\n\n```json\n").Append(configuration).Append("\n```\n\n");
        card.Append($"SHA-256 of the recipe's configuration: `{plan.ConfigurationHash}`. `smelt verify` checks this folder against `{Manifest.FileName}`.\n");
        return card.ToString();
    }

    private static string Reference(PlannedInput input) =>
        $"{input.Reference}{(input.Commit is null ? "" : $" ({input.Commit[..Math.Min(12, input.Commit.Length)]})")}";
}
