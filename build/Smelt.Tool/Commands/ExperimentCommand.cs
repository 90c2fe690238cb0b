using System.Globalization;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using Smelt.Tool.Building;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary>
/// <c>smelt experiment</c>: merges the grid of an experiment, one cell after another, each into a folder of its own. Cells
/// that are finished are left as they are, so a run that was stopped, or an experiment that grew, goes on where it was.
/// </summary>
internal static class ExperimentCommand
{
    /// <summary>Plans or merges the experiments of a path.</summary>
    /// <param name="arguments">The command line; its recipes are names of experiments.</param>
    /// <param name="planOnly">Whether nothing is merged.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ExitCode Execute(MergeArguments arguments, bool planOnly, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("experiment", terminal, arguments.Json, session =>
        {
            session.Document = session.Document with { Experiments = [] };
            arguments.ToOptions(".");
            var catalog = ExperimentCatalog.Open(arguments.Path, arguments.Recipes, cancellation);
            session.ReportBuild(catalog.Warnings);
            var folders = OutputFolders.Of([.. catalog.Entries.Select(e => e.Name)], arguments.Output, catalog.IsIndex);
            var documents = new List<ExperimentDocument>();
            var planned = new List<(MergePlan Plan, MergeOptions Options)>();
            var worst = ExitCode.Done;
            for (var i = 0; i < catalog.Entries.Count && worst != ExitCode.Interrupted; i++)
            {
                var (entry, folder) = (catalog.Entries[i], folders[i]);
                session.SetPlace(entry.Name, entry.Place);
                session.Report(entry.Name, entry.Problems);
                var code = entry.Experiment is not { } experiment ? ExitCode.BadInput : session.Guard(entry.Name, () =>
                {
                    var (document, outcome) = One(session, entry, experiment, catalog.Root, folder, arguments, planOnly, planned, cancellation);
                    documents.Add(document);
                    return outcome;
                });
                worst = (ExitCode)Math.Max((int)worst, (int)code);
            }

            session.Document = session.Document with { Experiments = documents };
            if (worst == ExitCode.Done && !planOnly)
                arguments.Step?.Finish("experiment", planned.Select(c => c.Plan), planned.SelectMany(c => c.Plan.Points.Select(p => Path.Combine(c.Options.Output, p.Label))), folders);
            return worst;
        }, arguments.Step is not null);

    private static (ExperimentDocument Document, ExitCode Worst) One(
        Session session, LoadedExperiment entry, Experiment experiment, string root, string folder, MergeArguments arguments, bool planOnly, List<(MergePlan Plan, MergeOptions Options)> planned, CancellationToken cancellation)
    {
        var cells = new List<(ExperimentCell Cell, MergePlan Plan, MergeOptions Options)>();
        var worst = ExitCode.Done;
        foreach (var cell in ExperimentGrid.Cells(experiment))
        {
            session.SetPlace(cell.Name, entry.Place);
            var name = $"{entry.Name}.{cell.Name.Replace('/', '.')}";
            var code = session.Guard(cell.Name, () =>
            {
                var plan = Planner.Plan(name, cell.Recipe, ConfigurationWriter.Write(name, cell.Recipe), root);
                var options = arguments.ToOptions(Path.Combine(folder, cell.Name)) with { Lock = PreparedMerge.CheckLock(session, cell.Name, plan, root) };
                cells.Add((cell, plan, options));
                return ExitCode.Done;
            });
            worst = (ExitCode)Math.Max((int)worst, (int)code);
            cancellation.ThrowIfCancellationRequested();
        }

        // A build always replaces what is not up to date, and looks at the inputs' times besides.
        var states = cells.Select(c => (arguments.Step?.IsCurrent(c.Plan, c.Options) ?? (Manifest.IsOf(c.Options.Output, c.Plan) && !arguments.Force)) ? CellState.Finished : CellState.Open).ToArray();
        if (worst == ExitCode.Done && !planOnly)
            worst = MergeAll(session, cells, states, arguments.Step, cancellation);
        planned.AddRange(cells.Select(c => (c.Plan, c.Options)));
        var document = new ExperimentDocument
        {
            Name = entry.Name,
            Folder = folder,
            Merges = cells.Sum(c => c.Plan.Points.Count),
            BytesToRead = Open(cells, states, planOnly).Sum(c => c.Plan.BytesToRead),
            BytesToWrite = Open(cells, states, planOnly).Sum(c => c.Plan.BytesToWrite),
            Cells = [.. cells.Select((c, i) => new CellDocument(c.Cell.Name, c.Cell.Pool, c.Cell.Arm, c.Cell.Subset, c.Cell.Experts, [.. c.Plan.Points.Select(p => p.Label)], states[i]))],
        };
        if (!planOnly && worst == ExitCode.Done)
            File.WriteAllText(Path.Combine(folder, "experiment.json"), entry.Configuration + "\n");
        if (!session.Json)
            Write(session.Terminal, document, experiment, planOnly);
        return (document, worst);
    }

    private static IEnumerable<(ExperimentCell Cell, MergePlan Plan, MergeOptions Options)> Open(
        List<(ExperimentCell Cell, MergePlan Plan, MergeOptions Options)> cells, CellState[] states, bool planOnly) =>
        cells.Where((_, i) => states[i] == (planOnly ? CellState.Open : CellState.Merged));

    private static ExitCode MergeAll(Session session, List<(ExperimentCell Cell, MergePlan Plan, MergeOptions Options)> cells, CellState[] states, BuildStep? step, CancellationToken cancellation)
    {
        // Everything that stands in the way is said before the first merge.
        var worst = ExitCode.Done;
        for (var i = 0; i < cells.Count; i++)
        {
            var (cell, plan, options) = cells[i];
            if (states[i] == CellState.Open)
                worst = (ExitCode)Math.Max((int)worst, (int)session.Guard(cell.Name, () =>
                {
                    MergeExecutor.CheckOutput(plan, options);
                    return ExitCode.Done;
                }));
        }

        if (worst != ExitCode.Done)
            return worst;
        var (done, open) = (0, states.Count(s => s == CellState.Open));
        for (var i = 0; i < cells.Count; i++)
        {
            if (states[i] == CellState.Finished)
                continue;
            var (cell, plan, options) = cells[i];
            var title = $"{cell.Name} ({++done}/{open})";
            var code = session.Guard(cell.Name, () =>
            {
                DiskSpace.Check(plan, options);
                var counter = new ProgressCounter();
                using (session.Json ? null : new ProgressReporter(session.Terminal, title, counter))
                    MergeExecutor.Run(plan, options, counter, cancellation);
                step?.Keep(plan, options);
                states[i] = CellState.Merged;
                return ExitCode.Done;
            });
            if (code != ExitCode.Done && states[i] == CellState.Open)
                states[i] = CellState.Failed;
            worst = (ExitCode)Math.Max((int)worst, (int)code);
            if (code == ExitCode.Interrupted)
                break;
        }

        return worst;
    }

    private static void Write(Terminal terminal, ExperimentDocument document, Experiment experiment, bool planOnly)
    {
        terminal.Out.WriteLine($"{document.Name}: {document.Cells.Count} cells, {document.Merges} merges");
        var subsets = document.Cells.Select(c => c.Subset).Distinct().ToArray();
        TextTable.Write(
            terminal,
            ["pool ", "arm ", .. subsets],
            from pool in experiment.Pools
            from arm in experiment.Arms
            select (IReadOnlyList<string>)[pool.Name, arm.Name, .. subsets.Select(s => Cell(document.Cells.FirstOrDefault(c => c.Pool == pool.Name && c.Arm == arm.Name && c.Subset == s)))]);
        if (planOnly)
            terminal.Out.WriteLine($"to read {(ByteSize)document.BytesToRead}, to write {(ByteSize)document.BytesToWrite} into {document.Folder}");
        else
            terminal.Out.WriteLine($"written to {document.Folder}");
    }

    private static string Cell(CellDocument? cell) => cell is null ? "-" : cell.State switch
    {
        CellState.Finished => "finished",
        CellState.Merged => "merged",
        CellState.Failed => "failed",
        _ => cell.Points.Count.ToString(CultureInfo.InvariantCulture) + (cell.Points.Count == 1 ? " merge" : " merges"),
    };
}
