using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace Smelt.Tool.Output;

/// <summary>Where a command writes, and what the two ends can show.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Progress and problems.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error)
{
    /// <summary>The columns of a terminal that does not tell.</summary>
    private const int DefaultWidth = 80;

    /// <summary>Whether results go to a terminal that shows colours.</summary>
    public bool OutColours { get; init; }

    /// <summary>Whether problems go to a terminal that shows colours.</summary>
    public bool ErrorColours { get; init; }

    /// <summary>Whether a line of <see cref="Error"/> can be rewritten in place.</summary>
    public bool Live { get; init; }

    /// <summary>The columns of the line of <see cref="Error"/> that is rewritten.</summary>
    public int LiveWidth { get; init; } = DefaultWidth;

    /// <summary>Where problems go; nowhere where the process was started without such a place.</summary>
    public static TextWriter ErrorOfProcess()
    {
        try
        {
            return new QuietWriter(Console.Error);
        }
        catch (IOException)
        {
            return TextWriter.Null;
        }
    }

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess()
    {
        var capable = Environment.GetEnvironmentVariable("TERM") is not "dumb";
        var colours = capable && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var live = capable && !Console.IsErrorRedirected;

        // Where too few files may be open, the runtime can't load what it writes messages with once they are needed.
        RuntimeHelpers.RunClassConstructor(typeof(Win32Exception).TypeHandle);
        return new Terminal(Console.Out, ErrorOfProcess())
        {
            OutColours = colours && !Console.IsOutputRedirected,
            ErrorColours = colours && !Console.IsErrorRedirected,
            Live = live,
            LiveWidth = live && Console.WindowWidth is > 0 and var width ? width : DefaultWidth,
        };
    }
}
