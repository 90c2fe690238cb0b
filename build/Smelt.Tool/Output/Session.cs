using Smelt.Tool.Sources;

namespace Smelt.Tool.Output;

/// <summary>
/// One run of one verb: prints problems as they come, keeps them for the JSON document, and turns whatever is thrown into
/// a message and an exit code.
/// </summary>
internal sealed class Session
{
    private const string Red = "\u001b[31m";
    private const string Yellow = "\u001b[33m";
    private const string Reset = "\u001b[0m";

    /// <summary>Warnings of one rule that are printed; the JSON document has them all.</summary>
    private const int WarningsOfARule = 20;

    private readonly List<ProblemDocument> _problems = [];
    private readonly Dictionary<string, int> _warnings = [];
    private readonly Dictionary<string, string> _places = new(StringComparer.Ordinal);
    private readonly bool _inBuild;

    private Session(string command, Terminal terminal, bool json, bool inBuild)
    {
        _inBuild = inBuild;
        Terminal = terminal;
        Json = json;
        Document = new ToolDocument { Command = command, ExitCode = 0, Problems = _problems };
    }

    /// <summary>Where the command writes.</summary>
    public Terminal Terminal { get; }

    /// <summary>Whether results go out as one JSON document, without progress.</summary>
    public bool Json { get; }

    /// <summary>The document, which the command fills.</summary>
    public ToolDocument Document { get; set; }

    /// <summary>Runs a command's body.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="json">Whether it writes a JSON document.</param>
    /// <param name="body">What it does.</param>
    /// <param name="inBuild">Whether a build reads its problems: they then go out as compilers write them, with the place of the recipe.</param>
    public static ExitCode Run(string command, Terminal terminal, bool json, Func<Session, ExitCode> body, bool inBuild = false)
    {
        var session = new Session(command, terminal, json, inBuild);
        var code = session.Guard(null, () => body(session));
        session.Summarize();
        if (json)
            terminal.Out.WriteLine(ToolJson.Write(session.Document with { ExitCode = (int)code }));
        return code;
    }

    /// <summary>Says where a recipe, or a cell of an experiment, stands in its sources.</summary>
    public void SetPlace(string recipe, string? place)
    {
        if (place is not null)
            _places[recipe] = place;
    }

    /// <summary>Does work for a recipe (or for none); what it throws is reported and becomes the exit code.</summary>
    public ExitCode Guard(string? recipe, Func<ExitCode> work)
    {
        try
        {
            return work();
        }
        catch (InvalidInputException invalid)
        {
            Report(recipe, invalid.Problems);
            return ExitCode.BadInput;
        }
        catch (BuildFailedException failed)
        {
            ReportBuild(failed.Diagnostics);
            return ExitCode.BadInput;
        }
        catch (OperationCanceledException)
        {
            Terminal.Error.WriteLine("stopped; run the same command again to go on");
            return ExitCode.Interrupted;
        }
        catch (Exception e) when (Cause(e) is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            var cause = Cause(e);
            Report(recipe, [ToolRules.InputOutput.At("", cause is OutOfMemoryException ? "the system gives the process no more memory." : cause.Message, HowToFix(cause))]);
            return ExitCode.Failed;
        }
        catch (Exception e)
        {
            var what = $"{e.GetType().Name}: {OneLine.Of(e.Message)}";
            _problems.Add(ProblemDocument.Of(ToolRules.Internal.At("", what), recipe));
            Terminal.Error.WriteLine(_inBuild ? $"smelt : error {ToolRules.Internal.Id}: internal error: {what}" : $"smelt: internal error: {what}");
            Terminal.Error.WriteLine(Environment.GetEnvironmentVariable("SMELT_TRACE") == "1" ? e.ToString() : "run with SMELT_TRACE=1 for the stack trace");
            return ExitCode.Failed;
        }
    }

    /// <summary>Prints problems of a recipe, or of none, one a line.</summary>
    public void Report(string? recipe, IEnumerable<Problem> problems)
    {
        foreach (var problem in problems)
            Print(problem, recipe, _inBuild ? BuildLine(problem, recipe) : (recipe is null ? "" : recipe + ": ") + OneLine.Of(problem.ToString()));
    }

    /// <summary>Prints what the compiler found in a recipe project, in the compiler's own form.</summary>
    public void ReportBuild(IEnumerable<Problem> diagnostics)
    {
        foreach (var problem in diagnostics)
            Print(problem, null, BuildDiagnostics.Text(problem));
    }

    /// <summary>Parallel work and the runtime's initialisers wrap what is thrown in them.</summary>
    private static Exception Cause(Exception e) => e is AggregateException or TypeInitializationException && e.InnerException is { } inner ? Cause(inner) : e;

    /// <summary>
    /// What to do about a failure of the system. An assembly of the runtime that is suddenly missing means the same as too
    /// many open files: the runtime could not open it.
    /// </summary>
    private static string HowToFix(Exception e) =>
        e is FileNotFoundException { FileName: { } file } && file.Contains("PublicKeyToken", StringComparison.Ordinal)
            || e.Message.Contains("Too many open files", StringComparison.Ordinal)
            ? "Allow more open files, for example with ulimit -n 256; the runtime itself takes about 60."
        : e is OutOfMemoryException
            ? "Allow the process more memory, or more open files, which the runtime needs about 60 of itself: ulimit -v, ulimit -n."
        : e.Message.Contains("No space left", StringComparison.Ordinal) || e.Message.Contains("File too large", StringComparison.Ordinal)
            ? "Make room, and run the same command again: finished work is kept."
        : "";

    private void Print(Problem problem, string? recipe, string line)
    {
        _problems.Add(ProblemDocument.Of(problem, recipe));
        if (problem.Severity == Severity.Warning)
        {
            var count = _warnings[problem.Id] = _warnings.GetValueOrDefault(problem.Id) + 1;
            if (count > WarningsOfARule)
                return;
        }

        var colour = problem.Severity switch
        {
            Severity.Error => Red,
            Severity.Warning => Yellow,
            _ => "",
        };
        Terminal.Error.WriteLine(Terminal.ErrorColours && colour.Length > 0 ? colour + line + Reset : line);
    }

    private void Summarize()
    {
        foreach (var (id, count) in _warnings)
        {
            if (count > WarningsOfARule)
                Terminal.Error.WriteLine($"... and {count - WarningsOfARule} more warnings {id}; --json lists all");
        }

        var errors = _problems.Count(p => p.Severity == Severity.Error && p.Id != ToolRules.Internal.Id);
        var warnings = _problems.Count(p => p.Severity == Severity.Warning);
        if (errors + warnings > 0 && !_inBuild)
            Terminal.Error.WriteLine(string.Join(", ", new[] { Count(errors, "error"), Count(warnings, "warning") }.OfType<string>()));
    }

    /// <summary>A problem as compilers write it: <c>Recipes.cs(9,41): error SM7003: ties: message (where)</c>.</summary>
    private string BuildLine(Problem problem, string? recipe)
    {
        var origin = recipe is not null && _places.TryGetValue(recipe, out var place) ? place : "smelt ";
        var where = problem.Where.Length == 0 ? "" : $" ({problem.Where})";
        var fix = problem.Fix.Length == 0 ? "" : " " + problem.Fix;
        return OneLine.Of($"{origin}: {problem.Severity.ToString().ToLowerInvariant()} {problem.Id}: {(recipe is null ? "" : recipe + ": ")}{problem.Message}{where}{fix}");
    }

    private static string? Count(int count, string what) =>
        count == 0 ? null : $"{count} {what}{(count == 1 ? "" : "s")}";
}
