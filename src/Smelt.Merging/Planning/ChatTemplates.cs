using Smelt.Checkpoints;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>Finds the text of the chat template that a recipe asks for.</summary>
internal static class ChatTemplates
{
    /// <summary>The template in Jinja; null for the donor's own, as it is.</summary>
    /// <param name="asked">What the recipe says; null for nothing.</param>
    /// <param name="donor">What gives the tokenizer.</param>
    /// <param name="inputs">The models that are merged, base first.</param>
    /// <param name="stages">Plans of inputs that are not there yet.</param>
    /// <param name="problems">Gets what can't be read.</param>
    public static string? Find(
        ChatTemplate? asked, PlannedInput donor, IReadOnlyCollection<PlannedInput> inputs, List<(StageModel Model, MergePlan Plan)> stages, List<Problem> problems)
    {
        if (asked is null)
            return StageOf(donor, stages)?.ChatTemplate;
        try
        {
            if (donor.Checkpoint.Folder is { } folder && Path.Combine(folder, ChatTemplateFiles.TokenizerConfigName) is var config && File.Exists(config))
                ChatTemplateFiles.WithTemplate(config, InputFile.ReadAllBytes(config), "");
            if (asked != ChatTemplate.Auto)
                return asked.IsJinja ? asked.Text : ChatTemplateFiles.Known(asked.Text);
            var found = inputs.Select(i => Of(i, stages)).OfType<string>().ToArray();
            if (found.Length > 0)
                return found.GroupBy(t => t.Trim()).OrderByDescending(g => g.Count()).First().First();
            problems.Add(PlanRules.NoChatTemplate.At("/chatTemplate", "it is to be the most common template of the inputs, and none of them has one; the output has none either.", "Name one: chatml, for example."));
        }
        catch (InvalidInputException invalid)
        {
            problems.AddRange(invalid.Problems);
        }

        return null;
    }

    private static string? Of(PlannedInput input, List<(StageModel Model, MergePlan Plan)> stages) =>
        StageOf(input, stages)?.ChatTemplate ?? (input.Checkpoint.Folder is { } folder ? ChatTemplateFiles.Of(folder) : null);

    private static MergePlan? StageOf(PlannedInput input, List<(StageModel Model, MergePlan Plan)> stages) =>
        stages.Find(s => s.Model == input.Reference).Plan;
}
