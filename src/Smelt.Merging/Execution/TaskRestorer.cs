using Smelt.Checkpoints;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Merging.Execution;

/// <summary>Restores the model of one task from an output with task masks: b + rescaler * mask * (w - b), a merge like any other.</summary>
public static class TaskRestorer
{
    private const int LongestName = 100;

    /// <summary>The tasks of an output.</summary>
    /// <exception cref="InvalidInputException">It has none.</exception>
    public static IReadOnlyList<OutputTask> Tasks(string output) => TaskFile.Read(output);

    /// <summary>Plans the restoration of a task's model.</summary>
    /// <param name="output">The output with task masks.</param>
    /// <param name="task">The task's name.</param>
    /// <param name="baseModel">The base that was merged; null for the one that the output's recipe names.</param>
    /// <param name="root">The folder that relative paths start from.</param>
    /// <exception cref="InvalidInputException">The output or its base can't be used; all problems.</exception>
    public static MergePlan Plan(string output, string task, Model? baseModel, string root)
    {
        root = Path.GetFullPath(root);
        var tasks = Tasks(output);
        var known = tasks.FirstOrDefault(t => t.Name == task) ?? throw new InvalidInputException(
            PlanRules.NoSuchTask.Id, output, $"there is no task '{task}'; it has {string.Join(", ", tasks.Select(t => t.Name))}.", "Name one of these.");
        var manifest = Verification.ReadManifest(output);
        var read = ConfigurationReader.ReadAny(manifest.Configuration, Path.Combine(output, Manifest.FileName));
        if (read.HasErrors)
            throw new InvalidInputException(read.Problems);

        string FromRoot(string path) => Path.GetRelativePath(root, Path.GetFullPath(path));
        var merged = read.Recipe!;
        var name = $"{read.Name}-{task}";
        var recipe = new Masked
        {
            Base = baseModel ?? merged.Base,
            Experts = Sequence.From<Expert>([new FolderModel(FromRoot(output))]),
            MaskFile = FromRoot(Path.Combine(output, known.Mask)),
            Lambda = known.Rescaler,
            Missing = merged.Missing,
            Dtype = merged.Dtype,
            PromoteDtype = merged.PromoteDtype,
            MoeLayout = merged.MoeLayout,
            MaxShardSize = merged.MaxShardSize,
            NonFinite = merged.NonFinite,
            ChatTemplate = merged.ChatTemplate is not null && ChatTemplateFiles.Of(output) is { } template ? template : merged.ChatTemplate,
        };
        var whole = ConfigurationReader.Read(ConfigurationWriter.Write(name.Length <= LongestName ? name : task, recipe), output);
        if (whole.HasErrors)
            throw new InvalidInputException(whole.Problems);
        return Planner.Plan(whole.Name, whole.Recipe!, whole.CanonicalJson, root) with { ExpectedInputs = [manifest.Sources.Inputs[0].Tensors, manifest.Tensors] };
    }
}
