using System.Globalization;
using Smelt.Merging.Execution;
using Smelt.Recipes;
using Smelt.Tool.Output;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt plan</c>: shows what a merge would do, from headers alone; writes nothing.</summary>
internal static class PlanCommand
{
    /// <summary>Plans the recipes of a path.</summary>
    public static ExitCode Execute(MergeArguments arguments, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("plan", terminal, arguments.Json, session =>
        {
            session.Document = session.Document with { Plans = [] };
            var (merges, worst) = PreparedMerge.Prepare(session, arguments, cancellation);
            foreach (var merge in merges)
            {
                var code = session.Guard(merge.Recipe.Name, () =>
                {
                    DiskSpace.Check(merge.Plan, merge.Options);
                    return ExitCode.Done;
                });
                worst = (ExitCode)Math.Max((int)worst, (int)code);
            }

            session.Document = session.Document with { Plans = [.. merges.Select(ToDocument)] };
            if (!session.Json)
            {
                foreach (var (plan, i) in session.Document.Plans.Select((plan, i) => (plan, i)))
                    Write(terminal, plan, i == 0);
            }

            if (worst == ExitCode.Done)
                arguments.Step?.Finish("plan", merges.Select(m => m.Plan), [], []);
            return worst;
        }, arguments.Step is not null);

    private static PlanDocument ToDocument(PreparedMerge merge) => new()
    {
        Recipe = merge.Recipe.Name,
        Method = merge.Method,
        Sha256 = merge.Plan.ConfigurationHash,
        Inputs = [.. merge.Plan.Inputs.Select(input => new InputDocument(
            merge.Plan.RoleOf(input),
            input.Reference.ToString()!,
            input.Checkpoint.Path,
            input.Commit,
            input.Checkpoint.Tensors.Count,
            input.Checkpoint.Files.Sum(f => f.Length)))],
        Reads = [.. merge.Reads],
        Outputs = merge.Folders,
        Tensors = merge.Tensors,
        BytesPerPass = merge.Plan.BytesPerPass,
        Passes = merge.Plan.Passes,
        UsualPasses = merge.Plan.UsualPasses,
        BytesToWrite = merge.Plan.BytesToWrite,
        Shards = merge.Plan.Layout.Files.Count,
        WeightType = merge.Plan.WeightType.Name,
        Threads = merge.Budget.Threads,
        PeakBytes = merge.Budget.PeakBytes,
        FreeBytes = DiskSpace.Free(merge.Options.Output),
    };

    private static void Write(Terminal terminal, PlanDocument plan, bool first)
    {
        if (!first)
            terminal.Out.WriteLine();
        terminal.Out.WriteLine($"{plan.Recipe}: {plan.Method}, configuration {plan.Sha256[..12]}");
        TextTable.Write(
            terminal,
            ["input ", "tensors", "size", "model ", "path "],
            plan.Inputs.Select(i => (IReadOnlyList<string>)[i.Role, i.Tensors.ToString(CultureInfo.InvariantCulture), Size(i.Bytes), i.Commit is null ? i.Model : $"{i.Model} ({i.Commit[..Math.Min(12, i.Commit.Length)]})", i.Path]));
        Line(terminal, "tensors", $"{plan.Tensors.Merged} merged, {plan.Tensors.Kept} kept, {plan.Tensors.Copied} copied; mostly {plan.WeightType}");
        Line(terminal, "read", $"{Size(plan.BytesPerPass)} x {plan.UsualPasses} {(plan.UsualPasses == 1 ? "pass" : "passes")}{(plan.Passes > plan.UsualPasses ? $" as a rule, {plan.Passes} or more where a sample misleads or memory is short" : "")}");
        Line(terminal, "write", $"{Size(plan.BytesToWrite)} in {plan.Outputs.Count} {(plan.Outputs.Count == 1 ? "output" : "outputs")} of {plan.Shards} {(plan.Shards == 1 ? "file" : "files")}");
        Line(terminal, "memory", $"{Size(plan.PeakBytes)} at the peak, {plan.Threads} {(plan.Threads == 1 ? "thread" : "threads")}");
        Line(terminal, "disk", plan.FreeBytes is { } free ? $"{Size(free)} free" : "free space unknown");
        foreach (var folder in plan.Outputs)
            Line(terminal, "output", folder);
    }

    private static void Line(Terminal terminal, string what, string text) => terminal.Out.WriteLine($"  {what,-8} {text}");

    private static string Size(long bytes) => ((ByteSize)bytes).ToString();
}
