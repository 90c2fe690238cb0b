using System.Globalization;
using Smelt.Merging.Execution;
using Smelt.Recipes;
using Smelt.Tool.Output;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt run</c>: merges the recipes of a path, one after another.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan WorthALine = TimeSpan.FromSeconds(2);

    /// <summary>Merges; a recipe that fails does not stop the others, and the worst result counts.</summary>
    public static ExitCode Execute(MergeArguments arguments, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("run", terminal, arguments.Json, session =>
        {
            session.Document = session.Document with { Merges = [] };
            var (planned, worst) = PreparedMerge.Prepare(session, arguments, cancellation);
            var merges = new List<PreparedMerge>();
            foreach (var merge in planned)
            {
                if (arguments.Step?.IsCurrent(merge.Plan, merge.Options) != true)
                    merges.Add(merge);
                else
                    terminal.Out.WriteLine($"{merge.Recipe.Name}: up to date");
            }

            if (merges.Find(m => m.Options.Statistics) is { } measured)
                Merging.Kernels.Rehearsal.StartStatistics(measured.Plan);
            if (!OutputsAreFree(session, merges))
                return ExitCode.BadInput;

            var results = new List<(PreparedMerge Merge, MergeResult Result)>();
            for (var i = 0; i < merges.Count; i++)
            {
                var merge = merges[i];
                var title = merges.Count == 1 ? merge.Recipe.Name : $"{merge.Recipe.Name} ({i + 1}/{merges.Count})";
                var code = session.Guard(merge.Recipe.Name, () =>
                {
                    results.Add((merge, Run(session, merge, title, cancellation)));
                    arguments.Step?.Keep(merge.Plan, merge.Options);
                    return ExitCode.Done;
                });
                worst = (ExitCode)Math.Max((int)worst, (int)code);
                if (code != ExitCode.Interrupted)
                    continue;
                if (HowToGoOn(arguments, [.. results.Select(r => r.Merge)], [.. merges.Skip(i)]) is { } hint)
                    terminal.Error.WriteLine(hint);
                break;
            }

            session.Document = session.Document with { Merges = [.. results.Select(r => ToDocument(r.Merge, r.Result))] };
            if (!session.Json && results.Count > 0)
                RunReport.Write(terminal, session.Document.Merges);
            if (worst == ExitCode.Done)
                arguments.Step?.Finish("run", planned.Select(m => m.Plan), planned.SelectMany(m => m.Folders), planned.Select(m => m.Options.Output));
            return worst;
        }, arguments.Step is not null);

    /// <summary>Reports every output that stands in the way, so that nothing is found out after hours of work.</summary>
    private static bool OutputsAreFree(Session session, IReadOnlyList<PreparedMerge> merges) =>
        merges.All(merge => session.Guard(merge.Recipe.Name, () =>
        {
            MergeExecutor.CheckOutput(merge.Plan, merge.Options);
            return ExitCode.Done;
        }) == ExitCode.Done);

    /// <summary>Carries out one merge.</summary>
    internal static MergeResult Run(Session session, PreparedMerge merge, string title, CancellationToken cancellation)
    {
        DiskSpace.Check(merge.Plan, merge.Options);
        var counter = new ProgressCounter();
        MergeResult result;
        using (session.Json ? null : new ProgressReporter(session.Terminal, title, counter))
            result = merge.Recipe.Located(() => MergeExecutor.Run(merge.Plan, merge.Options, counter, cancellation));
        if (!session.Json && result.Elapsed >= WorthALine)
            session.Terminal.Error.WriteLine($"{title}: {RunReport.Summary(result.BytesMoved, result.Elapsed)}");
        return result;
    }

    /// <summary>
    /// What to add to the command line where some outputs are finished, since they would stand in the way; null where
    /// the same command goes on by itself.
    /// </summary>
    internal static string? HowToGoOn(MergeArguments arguments, IReadOnlyList<PreparedMerge> finished, IReadOnlyList<PreparedMerge> left)
    {
        if (finished.Count == 0)
            return null;
        var names = string.Join(" ", left.Select(m => "--recipe " + m.Recipe.Name));
        var output = left.Count == 1 && arguments.Output is not null ? $" --out {left[0].Options.Output}" : "";
        return $"finished: {string.Join(", ", finished.Select(m => m.Recipe.Name))}; for the rest: {names}{output}";
    }

    private static StatisticsDocument Measured(PreparedMerge merge, TaskVectorStatistics statistics)
    {
        var norms = new NormDocument[statistics.Norms.Count];
        for (var i = 0; i < norms.Length; i++)
            norms[i] = new NormDocument(merge.Plan.Experts[i].Reference.ToString()!, statistics.Norms[i]);
        return new StatisticsDocument(norms, statistics.Conflicts, statistics.Contested);
    }

    /// <summary>What the JSON document says of a merge.</summary>
    internal static MergeDocument ToDocument(PreparedMerge merge, MergeResult result) => new()
    {
        Recipe = merge.Recipe.Name,
        Method = merge.Method,
        Sha256 = merge.Plan.ConfigurationHash,
        Experts = merge.Plan.Experts.Count,
        Outputs = [.. merge.Plan.Points.Zip(result.Folders, (point, folder) => new OutputDocument(point.Label, folder, merge.Plan.Layout.TotalFileBytes))],
        Tensors = merge.Tensors,
        BytesMoved = result.BytesMoved,
        Seconds = result.Elapsed.TotalSeconds,
        ResumedBlocks = result.ResumedBlocks,
        Statistics = result.Statistics is { } statistics ? Measured(merge, statistics) : null,
    };
}
