namespace Smelt;

/// <summary>How serious a <see cref="Problem"/> is.</summary>
public enum Severity
{
    /// <summary>Worth knowing; nothing has to be done.</summary>
    Information,

    /// <summary>Works, but probably not as intended.</summary>
    Warning,

    /// <summary>The work can't go on.</summary>
    Error,
}

/// <summary>
/// One thing that is wrong with an input, as data: validation collects problems and never throws at the first.
/// </summary>
/// <param name="Id">The rule that was broken, for example <c>SM2001</c>; its page is docs/rules/SM2001.md.</param>
/// <param name="Severity">How serious it is.</param>
/// <param name="Where">The place: a JSON pointer into the configuration, a file, or a tensor of a file.</param>
/// <param name="Message">What is wrong, with the value found and what is allowed.</param>
/// <param name="Fix">What to do about it; empty where the message already says it.</param>
public sealed record Problem(string Id, Severity Severity, string Where, string Message, string Fix = "")
{
    /// <summary>What could stand at the place instead, spelt as JSON and C# both do; null where nothing is known to be meant.</summary>
    public string? Replacement { get; init; }

    /// <summary>The problem in one line: <c>error SM2001 at /experts/0/density: ... Fix: ...</c></summary>
    public override string ToString() =>
        $"{Severity.ToString().ToLowerInvariant()} {Id}{(Where.Length == 0 ? "" : " at " + Where)}: {Message}{(Fix.Length == 0 ? "" : " Fix: " + Fix)}";
}

/// <summary>
/// The one exception that carries bad input to the user: printed as its problems, without a stack trace, exit code 2.
/// </summary>
public sealed class InvalidInputException : Exception
{
    /// <summary>Makes an exception that carries <paramref name="problems"/>; at least one of them is an error.</summary>
    public InvalidInputException(IReadOnlyList<Problem> problems)
        : base(string.Join("\n", problems.Select(p => p.ToString())))
    {
        Problems = problems;
    }

    /// <summary>Makes an exception that carries one problem.</summary>
    public InvalidInputException(string id, string where, string message, string fix = "")
        : this([new Problem(id, Severity.Error, where, message, fix)])
    {
    }

    /// <summary>Everything that was found, errors and warnings, in the order found.</summary>
    public IReadOnlyList<Problem> Problems { get; }
}
