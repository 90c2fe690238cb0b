using System.ComponentModel;
using System.Diagnostics;

namespace Smelt.Targets;

/// <summary>A program that a target ran did not end well.</summary>
public sealed class CommandFailedException(string message) : Exception(message);

/// <summary>Runs programs for targets.</summary>
public static class Command
{
    /// <summary>How long a program that got the same Ctrl-C may take to end by itself.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Runs a program to its end; it writes to where this process writes.</summary>
    /// <param name="build">The build: the program runs in its root folder, and ends when the build is stopped.</param>
    /// <param name="program">A path, or a name on PATH.</param>
    /// <param name="arguments">The arguments, unquoted.</param>
    /// <exception cref="CommandFailedException">It can't be started, or its exit code is not 0.</exception>
    /// <exception cref="OperationCanceledException">The build was stopped.</exception>
    public static void Run(ISmeltBuild build, string program, params IEnumerable<string> arguments) => Start(build, program, arguments, capture: false);

    /// <summary>Runs a program to its end and takes what it writes to standard output.</summary>
    /// <inheritdoc cref="Run"/>
    public static string Read(ISmeltBuild build, string program, params IEnumerable<string> arguments) => Start(build, program, arguments, capture: true);

    private static string Start(ISmeltBuild build, string program, IEnumerable<string> arguments, bool capture)
    {
        build.Cancellation.ThrowIfCancellationRequested();
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = build.RootDirectory, UseShellExecute = false, RedirectStandardOutput = capture };
        try
        {
            using var process = Process.Start(start)!;
            using var kill = build.Cancellation.Register(() =>
            {
                if (!process.WaitForExit(Grace))
                    process.Kill(entireProcessTree: true);
            });
            var output = capture ? process.StandardOutput.ReadToEnd() : "";
            process.WaitForExit();
            build.Cancellation.ThrowIfCancellationRequested();
            return process.ExitCode == 0 ? output : throw new CommandFailedException($"{string.Join(' ', start.ArgumentList.Prepend(Path.GetFileName(program)).Take(2))} ended with exit code {process.ExitCode}");
        }
        catch (Win32Exception e)
        {
            throw new CommandFailedException($"{program} can't be started: {new Win32Exception(e.NativeErrorCode).Message}");
        }
    }
}
