using Smelt.Tool.Output;

namespace Smelt.Tool;

/// <summary>The entry point of <c>smelt</c>.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
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
