using System.Text;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Execution;

/// <summary>
/// Merges the stages of a plan into a folder beside the output's work folder, then the plan itself out of them. A finished
/// stage is not merged again by a run that goes on; the folder goes away with the commit. Stages are not forced onto the
/// disk, so that small ones are gone before they reach it.
/// </summary>
internal static class StageRunner
{
    /// <summary>The file beside a finished stage with what it was made of.</summary>
    private const string DoneSuffix = ".done";

    /// <summary>Carries out a plan with stages.</summary>
    public static MergeResult Run(MergePlan plan, MergeOptions options, ProgressCounter progress, CancellationToken cancellation)
    {
        MergeExecutor.CheckOutput(options);
        var folder = WorkFolder.StagesOf(options.Output);
        try
        {
            var folders = new Dictionary<StageModel, string>();
            for (var i = 0; i < plan.Stages.Count; i++)
                folders.Add(plan.Stages[i].Model, Merge(plan.Stages[i].Plan, Path.Combine(folder, $"stage-{i + 1}"), options, progress, cancellation));
            var whole = Planner.Plan(plan.Name, plan.Recipe, plan.Configuration, plan.Root, folders);
            if (plan.MergekitSeed is { } seed)
                whole = whole.WithMergekitSeed(seed);
            return MergeExecutor.Run(whole, options, progress, cancellation);
        }
        catch (InvalidInputException)
        {
            // The same inputs would fail again: nothing to resume.
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    private static string Merge(MergePlan plan, string output, MergeOptions options, ProgressCounter progress, CancellationToken cancellation)
    {
        var mark = Convert.ToHexString(Journal.Fingerprint(plan));
        if (Directory.Exists(output) && File.Exists(output + DoneSuffix) && File.ReadAllText(output + DoneSuffix, Encoding.ASCII) == mark)
            return output;
        if (Directory.Exists(output))
            Directory.Delete(output, recursive: true);
        MergeExecutor.Run(plan, options with { Output = output, Force = false, Durable = false, Statistics = false }, progress, cancellation);
        File.WriteAllText(output + DoneSuffix, mark, Encoding.ASCII);
        return output;
    }
}
