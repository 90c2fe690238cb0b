using System.CommandLine;

namespace Smelt.Tool.Commands;

/// <summary>The command line of <c>run</c>, <c>plan</c> and <c>experiment</c>.</summary>
/// <param name="what">What the path holds: recipes or experiments.</param>
internal sealed class MergeOptionSet(string what = "recipe")
{
    private readonly Argument<string> _path = CommonOptions.Path();
    private readonly Option<string[]> _recipe = CommonOptions.Recipe(what);
    private readonly Option<bool> _json = CommonOptions.Json();
    private readonly Option<string?> _output = new("--out") { Description = "The output folder: the checkpoint's own for one output, else one folder for each in it [default: out/RECIPE].", HelpName = "DIR" };
    private readonly Option<int?> _threads = new("--threads") { Description = "Worker threads [default: all cores].", HelpName = "N" };
    private readonly Option<string?> _memory = new("--max-memory") { Description = "The memory that a merge may take, at least 64MiB [default: 512MiB].", HelpName = "SIZE" };
    private readonly Option<bool> _force = new("--force") { Description = "Replace outputs that Smelt made before, at the end." };
    private readonly Option<bool> _noSync = new("--no-sync") { Description = "Don't flush outputs to the disk." };
    private readonly Option<bool> _statistics = new("--stats") { Description = "Measure task vectors also of inputs of 1 GiB or more." };

    private readonly MissingOptions _missing = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_path);
        Option[] options = [_output, _recipe, _threads, _memory, _force, _noSync, _statistics, _json];
        foreach (var option in options)
            command.Add(option);
        _missing.AddTo(command);
    }

    /// <summary>What a command line says.</summary>
    public MergeArguments Read(ParseResult line) => new()
    {
        Path = line.GetRequiredValue(_path),
        Recipes = line.GetRequiredValue(_recipe),
        Output = line.GetValue(_output),
        Threads = line.GetValue(_threads),
        MaxMemory = line.GetValue(_memory),
        Force = line.GetValue(_force),
        Sync = !line.GetValue(_noSync),
        Statistics = line.GetValue(_statistics),
        Missing = _missing.Read(line),
        Json = line.GetValue(_json),
    };
}
