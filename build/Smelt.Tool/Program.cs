using Smelt.Tool.Output;

namespace Smelt.Tool;

/// <summary>The entry point of <c>smelt</c>.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        try
        {
            return Run(arguments);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Commands report their own failures; what is left is text that has nowhere to go: help or a version.
            Terminal.ErrorOfProcess().WriteLine($"smelt: what was to be printed can't be: {e.Message}");
            return (int)ExitCode.Failed;
        }
    }

    private static int Run(string[] arguments)
    {
        // Answered before anything else is loaded.
        if (arguments is ["--version"])
        {
            Console.Out.WriteLine(ToolVersion.Text);
            return (int)ExitCode.Done;
        }

        if (arguments is ["run", ..])
            Preload.Start(arguments);
        using var signals = new StopSignals();
        return (int)CommandLine.Run(arguments, Terminal.OfProcess(), signals.Token);
    }
}
