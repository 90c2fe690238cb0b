using System.CommandLine;
using Smelt.Tool.Building;

namespace Smelt.Tool.Commands;

/// <summary>What every verb that writes models has on its command line.</summary>
/// <param name="output">What <c>--out</c> names.</param>
internal sealed class OutputOptionSet(string output)
{
    private readonly Option<string?> _output = new("--out") { Description = output, HelpName = "DIR" };
    private readonly Option<int?> _threads = CommonOptions.Number<int>("--threads", "Worker threads [default: all cores].");
    private readonly Option<string?> _memory = new("--max-memory") { Description = "The memory that a merge may take, at least 64MiB [default: 512MiB].", HelpName = "SIZE" };
    private readonly Option<bool> _force = new("--force") { Description = "Replace outputs that Smelt made before, at the end." };
    private readonly Option<bool> _noSync = new("--no-sync") { Description = "Don't flush outputs to the disk." };
    private readonly Option<string?> _step = new("--build-step") { Description = "Run as a step of a build that keeps its files in this folder.", HelpName = "DIR", Hidden = true };
    private readonly Option<bool> _json = CommonOptions.Json();

    /// <summary>Adds the options to a command; those of the verb itself come after the first.</summary>
    public void AddTo(Command command, params Option[] own)
    {
        Option[] options = [_output, .. own, _threads, _memory, _force, _noSync, _json, _step];
        foreach (var option in options)
            command.Add(option);
    }

    /// <summary>What a command line says.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="path">Its path.</param>
    public MergeArguments Read(ParseResult line, string path) => new()
    {
        Path = path,
        Output = line.GetValue(_output),
        Threads = line.GetValue(_threads),
        MaxMemory = line.GetValue(_memory),
        Force = line.GetValue(_force) || line.GetValue(_step) is not null,
        Sync = !line.GetValue(_noSync),
        Json = line.GetValue(_json),
        Step = line.GetValue(_step) is { } folder ? new BuildStep(Path.GetFullPath(folder)) : null,
    };
}
