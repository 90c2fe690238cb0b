using Smelt.Merging.Execution;
using Smelt.Snapshots;
using Smelt.Tool.Building;
using Smelt.Tool.Output;

namespace Smelt.Tool.Commands;

/// <summary>
/// <c>smelt test</c>: merges recipes into a temporary folder and compares every output, tensor by tensor, with the verified
/// snapshots in the folder <c>snapshots</c> beside them.
/// </summary>
internal static class TestCommand
{
    /// <summary>The folder of snapshots beside a project.</summary>
    public const string FolderName = "snapshots";

    /// <summary>Tests the recipes of a path.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="accept">Whether what is new or different becomes the verified snapshot.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ExitCode Execute(MergeArguments arguments, bool accept, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("test", terminal, arguments.Json, session =>
        {
            if (accept && SnapshotFile.IsBuildServer)
                throw new InvalidInputException(ToolRules.BadOption.Id, "--accept", "snapshots are accepted by people, not by build servers (CI is set).");
            var temporary = arguments.Output is null ? Directory.CreateTempSubdirectory("smelt-test-").FullName : null;
            try
            {
                var (merges, worst) = PreparedMerge.Prepare(session, arguments with { Output = arguments.Output ?? temporary, Sync = false, Force = true }, cancellation);
                var results = new List<TestedDocument>();
                foreach (var merge in merges)
                {
                    var code = session.Guard(merge.Recipe.Name, () =>
                    {
                        var own = Test(session, merge, accept, cancellation);
                        results.AddRange(own);
                        return own.All(r => r.State is "same" or "accepted") ? ExitCode.Done : ExitCode.Failed;
                    });
                    worst = (ExitCode)Math.Max((int)worst, (int)code);
                    if (code == ExitCode.Interrupted)
                        break;
                }

                if (arguments.Recipes.Count == 0 && merges.Count > 0)
                    ReportDangling(session, merges);
                session.Document = session.Document with { Tests = results };
                if (!session.Json)
                    Write(terminal, results);
                if (arguments.Step is { } step)
                    Finish(session, step, merges, results, worst);
                return worst;
            }
            finally
            {
                if (temporary is not null)
                    Directory.Delete(temporary, recursive: true);
            }
        }, arguments.Step is not null);

    /// <summary>Tells a build what differs as errors of the recipes, and what it looked at where nothing does.</summary>
    private static void Finish(Session session, BuildStep step, IReadOnlyList<PreparedMerge> merges, List<TestedDocument> results, ExitCode worst)
    {
        foreach (var result in results.Where(r => r.Message.Length > 0))
        {
            session.Report(result.Recipe, [ToolRules.SnapshotDiffers.At(
                result.Snapshot,
                result.State == "new" ? "the output has no verified snapshot." : "the output differs from its verified snapshot.",
                "Look at what was received beside it, and accept it with smelt accept if it is right.")]);
        }

        if (worst == ExitCode.Done)
            step.Finish("test", merges.Select(m => m.Plan), [], []);
    }

    private static List<TestedDocument> Test(Session session, PreparedMerge merge, bool accept, CancellationToken cancellation)
    {
        var counter = new ProgressCounter();
        MergeResult result;
        using (session.Json ? null : new ProgressReporter(session.Terminal, merge.Recipe.Name, counter))
            result = MergeExecutor.Run(merge.Plan, merge.Options with { Statistics = false }, counter, cancellation);
        var results = new List<TestedDocument>();
        for (var point = 0; point < result.Folders.Count; point++)
        {
            var file = new SnapshotFile(PathOf(merge, point));
            var text = ModelSnapshot.Of(result.Folders[point], merge.Plan.ConfigurationHash, cancellation);
            var outcome = file.Compare(text, ModelSnapshot.Differences);
            var state = outcome.State == SnapshotState.Same ? "same" : accept && file.Accept() ? "accepted" : outcome.State == SnapshotState.New ? "new" : "different";
            results.Add(new TestedDocument(merge.Recipe.Name, merge.Plan.Points[point].Label, state, file.Verified, state is "same" or "accepted" ? "" : outcome.Message));
        }

        return results;
    }

    private static string PathOf(PreparedMerge merge, int point)
    {
        var label = merge.Plan.Points[point].Label;
        return Path.Combine(merge.Plan.Root, FolderName, $"{merge.Recipe.Name}{(label.Length == 0 ? "" : "@" + label)}{SnapshotFile.VerifiedMark}txt");
    }

    /// <summary>Reports verified snapshots that belong to no recipe any more.</summary>
    private static void ReportDangling(Session session, IReadOnlyList<PreparedMerge> merges)
    {
        var folder = Path.Combine(merges[0].Plan.Root, FolderName);
        var known = merges.SelectMany(m => Enumerable.Range(0, m.Plan.Points.Count).Select(p => PathOf(m, p))).ToHashSet(StringComparer.Ordinal);
        if (Directory.Exists(folder))
            session.Report(null, Directory.EnumerateFiles(folder, "*" + SnapshotFile.VerifiedMark + "txt").Where(f => !known.Contains(f)).Order(StringComparer.Ordinal)
                .Select(f => ToolRules.DanglingSnapshot.At(f, "the snapshot belongs to no recipe of this project.", "Delete it, or give the recipe its name back.")));
    }

    private static void Write(Terminal terminal, IReadOnlyList<TestedDocument> results)
    {
        foreach (var result in results)
        {
            terminal.Out.WriteLine($"{result.Recipe}{(result.Point.Length == 0 ? "" : "/" + result.Point)}: {result.State}");
            if (result.Message.Length > 0)
                terminal.Error.WriteLine(result.Message);
        }
    }
}
