using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Execution;

/// <summary>The free space where an output goes.</summary>
public static class DiskSpace
{
    /// <summary>Free bytes for this user on the disk of <paramref name="output"/>; null where the system does not tell.</summary>
    public static long? Free(string output)
    {
        for (var folder = Path.GetFullPath(output); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!Directory.Exists(folder))
                continue;
            try
            {
                return new DriveInfo(folder).AvailableFreeSpace;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>Refuses outputs that won't fit, stages included; what an interrupted run of the same output already took counts as free.</summary>
    /// <exception cref="InvalidInputException">There is not enough space.</exception>
    public static void Check(MergePlan plan, MergeOptions options)
    {
        var (needed, taken) = (BytesOf(plan), Taken(plan, options.Output));
        if (Free(options.Output) is { } free && free + taken < needed)
        {
            throw new InvalidInputException(
                PlanRules.DiskFull.Id,
                Path.GetFullPath(options.Output),
                $"the output takes {(ByteSize)needed}{(plan.Stages.Count > 0 ? " with its stages" : "")}, and {(ByteSize)(free + taken)} are free.",
                "Make room, or name a folder on another disk with --out.");
        }
    }

    private static long BytesOf(MergePlan plan) => plan.BytesToWrite + plan.Stages.Sum(s => BytesOf(s.Plan));

    /// <summary>What stands on the disk of an output and its stages. Files have their full size from the start, so the journal tells.</summary>
    private static long Taken(MergePlan plan, string output)
    {
        var work = WorkFolder.PathOf(output);
        var taken = Directory.Exists(work) ? (long)(Journal.ShareOf(plan, work + WorkFolder.JournalSuffix) * plan.BytesToWrite) : 0;
        for (var i = 0; i < plan.Stages.Count; i++)
        {
            var stage = StageRunner.FolderOf(output, i);
            taken += StageRunner.IsFinished(stage, plan.Stages[i].Plan) ? BytesOf(plan.Stages[i].Plan) : Taken(plan.Stages[i].Plan, stage);
        }

        return taken;
    }
}
