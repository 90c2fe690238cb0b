namespace Smelt.Targets;

/// <summary>What a build runs in: a process of its own, or a program that shows its output elsewhere.</summary>
/// <param name="Out">Results: help, plans, headlines and the summary.</param>
/// <param name="Error">Problems.</param>
public sealed record BuildHost(TextWriter Out, TextWriter Error)
{
    /// <summary>Whether results are shown in colours.</summary>
    public bool Colours { get; init; }

    /// <summary>The current folder.</summary>
    public string Folder { get; init; } = Environment.CurrentDirectory;

    /// <summary>The variables of the environment.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Cancelled when the build is to stop.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>The command that help shows.</summary>
    public string Command { get; init; } = "dotnet run --project build --";

    /// <summary>This process: colours on terminals alone, and not where <c>NO_COLOR</c> is set.</summary>
    internal static BuildHost OfProcess(CancellationToken cancellation) => new(Console.Out, Console.Error)
    {
        Cancellation = cancellation,
        Colours = !Console.IsOutputRedirected && !Console.IsErrorRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") is not "dumb",
    };
}
