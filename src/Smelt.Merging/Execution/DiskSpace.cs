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

    /// <summary>Refuses outputs that won't fit; what an interrupted run of the same output already took counts as free.</summary>
    /// <exception cref="InvalidInputException">There is not enough space.</exception>
    public static void Check(MergePlan plan, MergeOptions options)
    {
        var work = WorkFolder.PathOf(options.Output);
        var taken = Directory.Exists(work) ? new DirectoryInfo(work).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length) : 0;
        if (Free(options.Output) is { } free && free + taken < plan.BytesToWrite)
        {
            throw new InvalidInputException(
                PlanRules.DiskFull.Id,
                Path.GetFullPath(options.Output),
                $"the output takes {(ByteSize)plan.BytesToWrite}, and {(ByteSize)(free + taken)} are free.",
                "Make room, or name a folder on another disk with --out.");
        }
    }
}
