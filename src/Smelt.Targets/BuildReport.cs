using System.Globalization;
using System.Reflection;

namespace Smelt.Targets;

/// <summary>How a target of a plan ended; <see cref="DoneBefore"/>: by the run that this one continues.</summary>
internal enum Outcome { Done, DoneBefore, UpToDate, Skipped, Failed, Stopped, NotRun }

/// <summary>How a target ended, why, and how long it took.</summary>
internal sealed record TargetResult(Outcome Outcome, string Reason = "")
{
    public TimeSpan Time { get; init; }

    /// <summary>The outcome in words.</summary>
    public override string ToString() => BuildParameter.Words(Outcome.ToString(), ' ') + (Reason.Length == 0 ? "" : ": " + Reason);
}

/// <summary>Writes what a build tells: help, plan, graph, headlines, failures and the summary.</summary>
internal sealed class BuildReport(BuildHost host)
{
    private const string Bold = "1", Red = "31", Green = "32", Yellow = "33";

    /// <summary>Longer reasons of failures are cut in the table; the headline has them in full.</summary>
    private const int LongestReason = 60;

    private static readonly (string Option, string Text)[] Options =
    [
        ("--plan", "show what would run, and why not; run nothing"),
        ("--graph", "print the plan as a mermaid graph; run nothing"),
        ("--skip [TARGET ...]", "skip these targets, or all but those asked for"),
        ("--continue", "go on with the run that failed or was stopped, without what it had done"),
        ("--force", "run targets that are up to date, too"),
        ("--partition K/N", "do part K of N of the targets that can be divided"),
        ("--root DIR", "the folder that relative paths start from"),
        ("--help", "show this"),
    ];

    public void Problem(Problem problem) => host.Error.WriteLine(problem.ToString().ReplaceLineEndings(" "));

    public void Help(SmeltBuild build, IReadOnlyList<TargetNode> nodes, IReadOnlyList<TargetNode> defaults, IReadOnlyList<BuildParameter> parameters)
    {
        host.Out.WriteLine($"{host.Command} [TARGET ...] [--PARAMETER VALUE ...] [OPTION ...]");
        Section("Targets", ExecutionPlan.Create(nodes, null).Select(p => p.Target).Select(n => (n.Name + (defaults.Contains(n) ? " (default)" : ""), Sentence(n))));
        Section("Parameters", parameters.Select(p => (p.Option, $"{p.Attribute.Description}{(p.Attribute.Description.Length == 0 ? "" : " ")}({p.Allowed}{(p.IsList ? "; several" : "")}{(Shown(p, build) is { Length: > 0 } value ? "; now " + value : "")}) [{p.Variable}]")));
        Section("Options", Options);
    }

    public void Plan(IReadOnlyList<PlannedTarget> plan, UpToDateCheck check, IReadOnlyList<string> doneBefore)
    {
        var states = new Dictionary<TargetNode, string>();
        foreach (var (target, skip, triggered) in plan)
        {
            var changing = target.Sources.Find(s => states.GetValueOrDefault(s)?.StartsWith("runs", StringComparison.Ordinal) == true);
            states[target] = skip is not null ? "skipped: " + skip
                : doneBefore.Contains(target.Name) ? "done before"
                : target.Definition.Conditions.FirstOrDefault() is { } condition ? "runs only when " + condition.Text
                : changing is not null && check.HasRecord(target) ? $"runs if {changing.Name} makes something else"
                : changing is null && IsCurrent(check, target) ? "up to date"
                : triggered ? "runs if what triggers it does" : "runs";
        }

        Table(["", "target", "state", "after"], plan.Select((p, i) => (string[])[(i + 1).ToString(CultureInfo.InvariantCulture), p.Target.Name, states[p.Target], string.Join(", ", p.Target.Before.Select(b => b.Node).Where(states.ContainsKey).Select(b => b.Name).Distinct())]));
    }

    /// <summary>Solid arrows for dependencies, dotted ones for mere order, thick ones for triggers.</summary>
    public void Graph(IReadOnlyList<PlannedTarget> plan)
    {
        host.Out.WriteLine("flowchart LR");
        foreach (var planned in plan)
            host.Out.WriteLine($"    {planned.Target.Name}{(planned.SkipReason is null ? "" : ":::skipped")}");
        foreach (var (from, to, arrow) in plan.SelectMany(p => Arrows(p.Target)).Distinct().Where(a => plan.Any(p => p.Target == a.From)))
            host.Out.WriteLine($"    {from.Name} {arrow} {to.Name}");
        if (plan.Any(p => p.SkipReason is not null))
            host.Out.WriteLine("    classDef skipped stroke-dasharray: 4");
    }

    public void Started(TargetNode target) => host.Out.WriteLine(Paint(Bold, "== " + target.Name));

    public void NotStarted(TargetNode target, TargetResult result) => host.Out.WriteLine(Paint(Bold, "== " + target.Name) + " " + result);

    /// <summary>Writes why a target failed.</summary>
    /// <returns>The reason in a line.</returns>
    public string Failure(TargetNode target, Exception e)
    {
        while (e is AggregateException or TargetInvocationException or TypeInitializationException && e.InnerException is { } inner)
            e = inner;
        if (e is InvalidInputException invalid)
        {
            foreach (var problem in invalid.Problems)
                Problem(problem);
            return $"{invalid.Problems.Count} problem{(invalid.Problems.Count == 1 ? "" : "s")}";
        }

        // What is thrown on purpose says what is wrong; of anything else the place matters.
        var reason = e is CommandFailedException or IOException or UnauthorizedAccessException ? e.Message : $"{e.GetType().Name}: {e.Message}";
        host.Error.WriteLine(host.Colours ? Paint(Red, $"{target.Name} failed: {reason}") : $"{target.Name} failed: {reason}");
        if (Environment.GetEnvironmentVariable("SMELT_TRACE") == "1")
            host.Error.WriteLine(e.StackTrace);
        else if (e is not CommandFailedException && e.StackTrace?.Split('\n').FirstOrDefault(f => f.Contains(":line ", StringComparison.Ordinal)) is { } frame)
            host.Error.WriteLine($"   at {frame.TrimEnd()[(frame.LastIndexOf(" in ", StringComparison.Ordinal) + 4)..]} (SMELT_TRACE=1 shows the way there)");
        return reason.ReplaceLineEndings(" ");
    }

    public void Summary(IReadOnlyList<(TargetNode Target, TargetResult Result)> results, int code)
    {
        host.Out.WriteLine();
        Table(
            ["target", "outcome", "time"],
            results.Select(r => (string[])[r.Target.Name, Cut(r.Result.ToString()), r.Result.Outcome is Outcome.Done or Outcome.Failed or Outcome.Stopped ? Time(r.Result.Time) : ""])
                .Append(["total", "", Time(TimeSpan.FromTicks(results.Sum(r => r.Result.Time.Ticks)))]),
            row => row == results.Count ? "" : results[row].Result.Outcome switch
            {
                Outcome.Done or Outcome.DoneBefore or Outcome.UpToDate => Green,
                Outcome.Failed => Red,
                _ => Yellow,
            });
        if (code != BuildRunner.Done)
            host.Out.WriteLine($"{(code == BuildRunner.Failed ? "failed" : "stopped")}; --continue goes on without what is done");
    }

    /// <summary>An up-to-date check that fails will fail again when the target's turn comes.</summary>
    private static bool IsCurrent(UpToDateCheck check, TargetNode target)
    {
        try
        {
            return check.IsUpToDate(target, out _);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or InvalidInputException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static IEnumerable<(TargetNode From, TargetNode To, string Arrow)> Arrows(TargetNode target) =>
    [
        .. target.Dependencies.Select(d => (d, target, "-->")),
        .. target.Earlier.Select(e => (e, target, "-.->")),
        .. target.TriggeredBy.Select(t => (t, target, "==>")),
    ];

    private static string Sentence(TargetNode node) =>
        string.Join(" ", new[] { node.Definition.Text, node.Dependencies.Count == 0 ? null : $"[after {string.Join(", ", node.Dependencies.Select(d => d.Name).Distinct())}]" }.OfType<string>());

    private static string Shown(BuildParameter parameter, SmeltBuild build) => parameter.Read(build) switch
    {
        null => "",
        Array list => string.Join(" ", list.Cast<object>()),
        bool flag => flag ? "true" : "",
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Cut(string text) => text.Length <= LongestReason ? text : text[..(LongestReason - 3)] + "...";

    private static string Time(TimeSpan time) => time < TimeSpan.FromMinutes(1)
        ? time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s"
        : time.ToString(time < TimeSpan.FromHours(1) ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture);

    private void Section(string title, IEnumerable<(string Name, string Text)> entries)
    {
        var list = entries.ToArray();
        if (list.Length == 0)
            return;
        host.Out.WriteLine();
        host.Out.WriteLine(Paint(Bold, title));
        var width = list.Max(e => e.Name.Length);
        foreach (var (name, text) in list)
            host.Out.WriteLine($"  {name.PadRight(width)}  {text}".TrimEnd());
    }

    private void Table(string[] headers, IEnumerable<string[]> rows, Func<int, string>? colour = null)
    {
        var lines = rows.ToArray();
        var widths = headers.Select((h, i) => lines.Append(headers).Max(l => l[i].Length)).ToArray();
        string Row(string[] cells) => string.Join("  ", cells.Select((c, i) => c.PadRight(widths[i]))).TrimEnd();
        host.Out.WriteLine(Paint(Bold, Row(headers)));
        for (var i = 0; i < lines.Length; i++)
            host.Out.WriteLine(Paint(colour?.Invoke(i) ?? "", Row(lines[i])));
    }

    private string Paint(string code, string text) => host.Colours && code.Length > 0 ? $"\u001b[{code}m{text}\u001b[0m" : text;
}
