using System.ComponentModel;
using System.Diagnostics;

namespace Smelt.Tool.Sources;

/// <summary>What a child process left.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Out">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
internal sealed record ChildResult(int ExitCode, string Out, string Error);

/// <summary>Runs a program to its end and takes what it writes.</summary>
internal static class ChildProcess
{
    /// <summary>The program that runs .NET assemblies and the SDK: the one that runs this tool, else the one on PATH.</summary>
    public static string Dotnet { get; } = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host && File.Exists(host)
        ? host
        : Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";

    /// <summary>Runs a program; a cancellation kills it and its children.</summary>
    /// <param name="program">A path, or a name on PATH.</param>
    /// <param name="arguments">The arguments, unquoted.</param>
    /// <param name="folder">The folder to run in.</param>
    /// <param name="cancellation">Kills the program.</param>
    /// <exception cref="Win32Exception">There is no such program.</exception>
    /// <exception cref="OperationCanceledException">The program was killed.</exception>
    public static ChildResult Run(string program, IEnumerable<string> arguments, string folder, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };

        // A node of a build that outlives it would hold on to the redirected streams.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var kill = cancellation.Register(() => process.Kill(entireProcessTree: true));
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        process.WaitForExit();
        cancellation.ThrowIfCancellationRequested();
        return new ChildResult(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
