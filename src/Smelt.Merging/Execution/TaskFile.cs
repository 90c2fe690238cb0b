using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Execution;

/// <summary>A task that can be restored from an output.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Mask">The file of its mask, relative to the output.</param>
/// <param name="Rescaler">The factor of its masked task vector.</param>
public sealed record OutputTask(string Name, string Mask, float Rescaler);

/// <summary>
/// <c>tasks.json</c>, which lies beside the weights of an output with task masks: how each task's model is restored. With w the
/// output's weights, b the base's: b + rescaler * mask * (w - b).
/// </summary>
internal static class TaskFile
{
    /// <summary>The file's name.</summary>
    public const string FileName = "tasks.json";

    private const int SchemaVersion = 1;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The text of the file.</summary>
    /// <param name="plan">What was merged, with task masks.</param>
    /// <param name="rescalers">The rescaler of each task.</param>
    public static string Write(MergePlan plan, IReadOnlyList<float> rescalers) => new JsonObject
    {
        ["version"] = SchemaVersion,
        ["method"] = Slots.MethodId(plan.Points[0].Recipe),
        ["base"] = plan.Base!.Reference.ToString(),
        ["model"] = "base + rescaler * mask * (weights - base)",
        ["masks"] = "U8, one bit for each element of the tensor of the same name in flat order, the lowest bit of a byte first",
        ["tasks"] = new JsonArray([.. plan.MaskOutputs!.Names.Select((name, i) => (JsonNode)new JsonObject
        {
            ["name"] = name,
            ["expert"] = plan.Experts[i].Reference.ToString(),
            ["mask"] = MaskOutputs.FileOf(name),
            ["rescaler"] = rescalers[i],
        })]),
    }.ToJsonString(Indented) + "\n";

    /// <summary>The tasks of an output.</summary>
    /// <exception cref="InvalidInputException">It has none, or the file is damaged.</exception>
    public static IReadOnlyList<OutputTask> Read(string output)
    {
        var path = Path.Combine(output, FileName);
        if (!File.Exists(path))
            throw new InvalidInputException(PlanRules.NoManifest.Id, output, $"there is no {FileName} in it, so it has no task masks.", "Name the folder of an output of tall_masks or emr; of a sweep, that of one point.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path));
            OutputTask[] tasks = [.. document.RootElement.GetProperty("tasks").EnumerateArray().Select(t =>
                new OutputTask(t.GetProperty("name").GetString()!, t.GetProperty("mask").GetString()!, t.GetProperty("rescaler").GetSingle()))];
            if (document.RootElement.GetProperty("version").GetInt32() != SchemaVersion || tasks.Any(t => t.Mask != MaskOutputs.FileOf(t.Name) || !Checkpoints.RelativePath.IsInside(t.Mask) || !float.IsFinite(t.Rescaler)))
                throw new FormatException("it is not of this version of Smelt.");
            return tasks;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidInputException(PlanRules.NoManifest.Id, path, $"the list of tasks is damaged: {e.Message}", "Restore it, or merge again.");
        }
    }
}
