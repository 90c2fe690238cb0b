namespace Smelt.Tool.Output;

/// <summary>Where a command writes, and what the two ends can show.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Progress and problems.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error)
{
    /// <summary>The columns of text that is not shown on a terminal.</summary>
    private const int PlainWidth = 160;

    /// <summary>Whether results go to a terminal that shows colours.</summary>
    public bool OutColours { get; init; }

    /// <summary>Whether problems go to a terminal that shows colours.</summary>
    public bool ErrorColours { get; init; }

    /// <summary>Whether a line of <see cref="Error"/> can be rewritten in place.</summary>
    public bool Live { get; init; }

    /// <summary>The columns of <see cref="Out"/>.</summary>
    public int Width { get; init; } = PlainWidth;

    /// <summary>The columns of the line of <see cref="Error"/> that is rewritten.</summary>
    public int LiveWidth { get; init; } = PlainWidth;

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess()
    {
        var capable = Environment.GetEnvironmentVariable("TERM") is not "dumb";
        var colours = capable && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var width = Console.IsOutputRedirected && Console.IsErrorRedirected ? PlainWidth : Math.Max(40, Console.WindowWidth);
        return new Terminal(Console.Out, Console.Error)
        {
            OutColours = colours && !Console.IsOutputRedirected,
            ErrorColours = colours && !Console.IsErrorRedirected,
            Live = capable && !Console.IsErrorRedirected,
            Width = Console.IsOutputRedirected ? PlainWidth : width,
            LiveWidth = width,
        };
    }
}
