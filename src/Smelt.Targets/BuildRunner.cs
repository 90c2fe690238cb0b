using System.Diagnostics;
using System.Text.Json;
using Smelt.Recipes.Configuration;

namespace Smelt.Targets;

/// <summary>Reads the command line of a build, plans and carries it out.</summary>
internal sealed class BuildRunner(SmeltBuild build, BuildHost host)
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadInput = 2;
    public const int Interrupted = 130;

    private readonly List<Problem> _problems = [];
    private readonly BuildReport _report = new(host);

    /// <summary>Does what a command line says.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="defaults">The targets that run where it names none.</param>
    /// <returns>The exit code.</returns>
    public int Run(IReadOnlyList<string> arguments, Func<IReadOnlyList<Target>> defaults)
    {
        try
        {
            return Run(arguments, defaults, build);
        }
        catch (InvalidInputException invalid)
        {
            foreach (var problem in invalid.Problems)
                _report.Problem(problem);
            return BadInput;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine("the build's state can't be kept: " + e.Message);
            return Failed;
        }
    }

    private int Run(IReadOnlyList<string> arguments, Func<IReadOnlyList<Target>> defaults, SmeltBuild build)
    {
        var parameters = BuildParameter.Of(build.GetType(), _problems);
        var line = CommandLine.Parse(arguments, parameters, _problems);
        build.RootDirectory = RootOf(line);
        build.Partition = PartitionOf(line);
        SetParameters(line, parameters);
        if (line.Help)
            _problems.Clear();

        // Where a value could not be read, a definition that uses it may fail: that is no problem of its own.
        var sound = _problems.Count == 0;
        var unsound = new List<Problem>();
        var nodes = TargetNode.Of(build, unsound);
        _problems.AddRange(unsound.Where(p => sound || p.Id != TargetRules.BadDefinition.Id));
        var (requested, named) = (Find(line.Targets, nodes), Find(line.Skipped ?? [], nodes));
        if (unsound.Count > 0)
            ThrowProblems();
        var standard = defaults().Select(t => nodes.First(n => n.Factory.Equals(t))).ToArray();
        if (line.Help)
        {
            _report.Help(build, nodes, standard, parameters);
            return Done;
        }

        var state = BuildState.Read(StateFile);
        var previous = line.Continue ? state.LastRun : null;
        if (line.Targets.Count == 0)
            requested = previous is null ? [.. standard] : Find(previous.Requested, nodes);
        var skipped = named.Count > 0 || line.Skipped is [] ? named : null;
        if (line.Targets.Count == 0 && requested.Count == 0)
            _problems.Add(TargetRules.UnknownTarget.At("", "no target is named, and the build has none that runs by default.", "--help lists them."));
        if (line.Continue && (previous is null || previous.Finished))
        {
            ThrowProblems();
            host.Out.WriteLine(previous is null ? "nothing to continue: there was no run" : "nothing to continue: the last run succeeded");
            return Done;
        }

        var plan = ExecutionPlan.Create(requested, skipped);
        if (build.Partition.Total > 1 && plan.Select(t => t.Target.Definition.Parts).Max() is var parts && (parts ?? 1) < build.Partition.Total)
            _problems.Add(TargetRules.BadValue.At("--partition", parts is null ? "no target of the plan can be divided." : $"{build.Partition.Total} parts are too many; allowed: up to {parts}."));
        var values = parameters.ToDictionary(p => p.Name, p => JsonSerializer.Serialize(p.Read(build), p.Type));
        if (sound && !line.Plan && !line.Graph)
        {
            CheckRequirements(plan, parameters);
            CheckContinuation(previous, values);
        }

        ThrowProblems();
        var check = new UpToDateCheck(build, state, [.. parameters.Where(p => p.Attribute.AffectsOutput).Select(p => $"{p.Name}={values[p.Name]}")], line.Force);
        if (line.Graph)
            _report.Graph(plan);
        else if (line.Plan)
            _report.Plan(plan, check, previous?.Succeeded ?? []);
        else
            return Carry(plan, requested, values, previous, state, check);
        return Done;
    }

    private string StateFile => BuildState.PathOf(build.RootDirectory, build.Name, build.Partition);

    /// <summary>Runs the targets of a plan in their order and writes down each that succeeds.</summary>
    private int Carry(IReadOnlyList<PlannedTarget> plan, IReadOnlyList<TargetNode> requested, Dictionary<string, string> values, RunRecord? previous, BuildState state, UpToDateCheck check)
    {
        var succeeded = new List<string>(previous?.Succeeded ?? []);
        var results = new Dictionary<TargetNode, TargetResult>();
        var stopped = false;
        void Keep(bool finished)
        {
            state.LastRun = new RunRecord([.. requested.Select(r => r.Name)], values.ToDictionary(v => v.Key, v => FileSet.HashOfText(v.Value)), succeeded, finished);
            state.Write(StateFile);
        }

        Keep(finished: false);
        foreach (var planned in plan)
        {
            var target = planned.Target;
            var watch = Stopwatch.StartNew();
            var result = host.Cancellation.IsCancellationRequested || (stopped && !target.Definition.Assured) ? new TargetResult(Outcome.NotRun)
                : planned.SkipReason is { } reason ? new TargetResult(Outcome.Skipped, reason)
                : previous?.Succeeded.Contains(target.Name) == true ? new TargetResult(Outcome.DoneBefore)
                : planned.OnlyTriggered && !target.TriggeredBy.Any(t => results.TryGetValue(t, out var r) && r.Outcome is Outcome.Done or Outcome.DoneBefore)
                    ? new TargetResult(Outcome.Skipped, "what triggers it did not run")
                : RunTarget(target, state, check);
            results[target] = result with { Time = watch.Elapsed };
            stopped |= result.Outcome == Outcome.Stopped || (result.Outcome == Outcome.Failed && !target.Definition.Proceeds);
            if (result.Outcome == Outcome.Done)
            {
                succeeded.Add(target.Name);
                Keep(finished: false);
            }
            else if (result.Outcome is not (Outcome.Failed or Outcome.Stopped or Outcome.NotRun))
            {
                _report.NotStarted(target, result);
            }
        }

        var code = host.Cancellation.IsCancellationRequested && results.Values.Any(r => r.Outcome is Outcome.NotRun or Outcome.Stopped) ? Interrupted
            : results.Values.Any(r => r.Outcome == Outcome.Failed) ? Failed
            : Done;
        Keep(finished: code == Done);
        _report.Summary([.. plan.Select(p => (p.Target, results[p.Target]))], code);
        return code;
    }

    private TargetResult RunTarget(TargetNode target, BuildState state, UpToDateCheck check)
    {
        try
        {
            if (target.Definition.Conditions.Find(c => !c.Test()) is { } condition)
                return new TargetResult(Outcome.Skipped, "only when " + condition.Text);
            if (check.IsUpToDate(target, out var key))
                return new TargetResult(Outcome.UpToDate);

            // What it produced is about to change: should this run be killed, nothing says that it is still what it was.
            if (state.Targets.Remove(target.Name))
                state.Write(StateFile);
            _report.Started(target);
            foreach (var work in target.Definition.Work)
                work().GetAwaiter().GetResult();
            check.Keep(target, key);
            return new TargetResult(Outcome.Done);
        }
        catch (OperationCanceledException) when (host.Cancellation.IsCancellationRequested)
        {
            return new TargetResult(Outcome.Stopped);
        }
        catch (Exception e)
        {
            return new TargetResult(Outcome.Failed, _report.Failure(target, e));
        }
    }

    private string RootOf(CommandLine line)
    {
        if (line.Root is { } root)
        {
            var full = Path.GetFullPath(root, host.Folder);
            if (!Directory.Exists(full))
                _problems.Add(TargetRules.BadValue.At("--root", $"there is no folder '{root}'."));
            return full;
        }

        for (var folder = host.Folder; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Path.Exists(Path.Combine(folder, ".smelt")) || Path.Exists(Path.Combine(folder, ".git")))
                return folder;
        }

        return host.Folder;
    }

    private Partition PartitionOf(CommandLine line)
    {
        if (line.Partition is null)
            return Partition.Single;
        if (Partition.Parse(line.Partition) is { } partition)
            return partition;
        _problems.Add(TargetRules.BadValue.At("--partition", $"'{line.Partition}' is not allowed; allowed: a part and their number, as in 2/4."));
        return Partition.Single;
    }

    /// <summary>The command line comes first, then the environment, then the file; each replaces the value as a whole.</summary>
    private void SetParameters(CommandLine line, IReadOnlyList<BuildParameter> parameters)
    {
        var file = ParameterFile.Read(build.RootDirectory, parameters, _problems);
        foreach (var parameter in parameters)
        {
            if (line.Values.TryGetValue(parameter, out var given))
                build.SetValue(parameter, parameter.Parse(given, parameter.Option, _problems));
            else if (host.Variable(parameter.Variable) is { Length: > 0 } text)
                build.SetValue(parameter, parameter.Parse(parameter.IsList ? text.Split(';') : [text], parameter.Variable, _problems));
            else if (file.TryGetValue(parameter, out var written) && (parameter.IsList || written.Count > 0))
                build.SetValue(parameter, parameter.Parse(written, $".smelt/parameters.json: {parameter.Name}", _problems));
        }
    }

    private List<TargetNode> Find(IEnumerable<string> names, IReadOnlyList<TargetNode> nodes)
    {
        var found = new List<TargetNode>();
        foreach (var name in names)
        {
            if (nodes.FirstOrDefault(n => n.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } node)
                found.Add(node);
            else
                _problems.Add(TargetRules.UnknownTarget.At(name, $"the build has no target '{name}'; it has {string.Join(", ", nodes.Select(n => n.Name))}.", EditDistance.DidYouMean(name, nodes.Select(n => n.Name))));
        }

        return [.. found.Distinct()];
    }

    private void CheckRequirements(IReadOnlyList<PlannedTarget> plan, IReadOnlyList<BuildParameter> parameters)
    {
        foreach (var group in plan.Where(p => p.SkipReason is null).SelectMany(p => p.Target.Definition.Requirements.Where(r => !IsMet(r.Ask(p.Target.Name))).Select(r => (r.Text, p.Target.Name))).GroupBy(r => r.Text))
        {
            var targets = string.Join(", ", group.Select(g => g.Name).Distinct());
            _problems.Add(parameters.FirstOrDefault(p => p.Name == group.Key) is { } parameter
                ? TargetRules.Missing.At(parameter.Option, $"{targets} requires the parameter {parameter.Name}.", $"Give {parameter.Option} VALUE, set {parameter.Variable}, or write \"{parameter.Name}\" into .smelt/parameters.json.")
                : TargetRules.Missing.At(targets, $"it requires {group.Key}."));
        }
    }

    private static bool IsMet(object? value) => value is not (null or false or "" or System.Collections.ICollection { Count: 0 });

    private void CheckContinuation(RunRecord? previous, Dictionary<string, string> values)
    {
        foreach (var (name, value) in values.Where(_ => previous is not null))
        {
            if (previous!.Parameters.GetValueOrDefault(name) != FileSet.HashOfText(value))
                _problems.Add(TargetRules.CannotContinue.At(name, "the parameter has another value than in the run to continue.", "Give the same value, or run without --continue."));
        }
    }

    private void ThrowProblems()
    {
        if (_problems.Count > 0)
            throw new InvalidInputException(_problems);
    }
}
