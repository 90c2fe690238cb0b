using System.Text.Json;
using Smelt.Tool.Output;

namespace Smelt.Tool.Tests;

/// <summary>A terminal that keeps what is written to it.</summary>
internal sealed class Captured
{
    public Terminal Terminal { get; init; } = new(new StringWriter(), new StringWriter());

    public string Out => Terminal.Out.ToString()!;

    public string Error => Terminal.Error.ToString()!;

    public JsonElement Json => JsonDocument.Parse(Out).RootElement;

    /// <summary>Runs a whole command line.</summary>
    public ExitCode Run(params string[] arguments) => CommandLine.Run(arguments, Terminal, CancellationToken.None);
}
