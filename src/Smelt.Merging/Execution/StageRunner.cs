using System.Text;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Execution;

/// <summary>
/// Merges the stages of a plan into a folder beside the output's work folder, then the plan itself out of them. A finished
/// stage is not merged again by a run that goes on; the folder goes away with the commit. Stages are not forced onto the
/// disk, so that small ones are gone before they reach it; a run that goes on takes their hashes instead.
/// </summary>
internal static class StageRunner
{
    /// <summary>The file beside a finished stage with what it was made of.</summary>
    private const string DoneSuffix = ".done";

    /// <summary>Refuses a memory limit that is too small for a plan or one of its stages, before the first of them is merged.</summary>
    public static void CheckMemory(MergePlan plan, MergeOptions options)
    {
        foreach (var (_, stage) in plan.Stages)
            CheckMemory(stage, options);
        if (plan.Stages.Count == 0)
            _ = MemoryBudget.For(plan, options);
    }

    /// <summary>Carries out a plan with stages in a folder that is locked.</summary>
    public static MergeResult Run(MergePlan plan, MergeOptions options, WorkFolder work, ProgressCounter progress, CancellationToken cancellation)
    {
        var folder = WorkFolder.StagesOf(options.Output);
        try
        {
            var folders = new Dictionary<StageModel, string>();
            for (var i = 0; i < plan.Stages.Count; i++)
                folders.Add(plan.Stages[i].Model, Merge(plan.Stages[i].Plan, FolderOf(options.Output, i), options, progress, cancellation));
            var changed = plan.GivenFiles.Concat(plan.Stages.SelectMany(s => s.Plan.GivenFiles)).Select(f => f.VerifyUnchanged()).OfType<Problem>().Distinct().ToArray();
            if (changed.Length > 0)
                throw new InvalidInputException(changed);
            var whole = Planner.Plan(plan.Name, plan.Recipe, plan.Configuration, plan.Root, folders);
            if (plan.MergekitSeed is { } seed)
                whole = whole.WithMergekitSeed(seed);
            return MergeExecutor.Run(whole, options, work, progress, cancellation);
        }
        catch (InvalidInputException invalid) when (PlanRules.BlameInputs(invalid))
        {
            WorkFolder.Remove(folder);
            throw;
        }
    }

    /// <summary>The folder of a stage of an output.</summary>
    public static string FolderOf(string output, int stage) => Path.Combine(WorkFolder.StagesOf(output), $"stage-{stage + 1}");

    /// <summary>Whether an earlier run says that it finished a stage.</summary>
    public static bool IsFinished(string folder, MergePlan stage) =>
        Directory.Exists(folder) && File.Exists(folder + DoneSuffix) && File.ReadAllText(folder + DoneSuffix, Encoding.ASCII) == MarkOf(stage);

    private static string MarkOf(MergePlan plan) => Convert.ToHexString(Journal.Fingerprint(plan));

    private static string Merge(MergePlan plan, string output, MergeOptions options, ProgressCounter progress, CancellationToken cancellation)
    {
        if (IsFinished(output, plan) && IsWhole(output, plan, options, cancellation))
            return output;
        WorkFolder.Remove(output);
        MergeExecutor.Run(plan, options with { Output = output, Force = false, Durable = false, Statistics = false }, progress, cancellation);
        File.WriteAllText(output + DoneSuffix, MarkOf(plan), Encoding.ASCII);
        return output;
    }

    /// <summary>Whether a finished stage is on the disk as its manifest says: with the power its last writes may have gone.</summary>
    private static bool IsWhole(string output, MergePlan plan, MergeOptions options, CancellationToken cancellation)
    {
        try
        {
            return Verification.Run(output, inputs: false, plan.Root, options.Threads, new ProgressCounter(), cancellation).Problems.Count == 0;
        }
        catch (InvalidInputException)
        {
            return false;
        }
    }
}
