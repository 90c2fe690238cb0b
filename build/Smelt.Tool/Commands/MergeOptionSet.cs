using System.CommandLine;

namespace Smelt.Tool.Commands;

/// <summary>The command line of <c>run</c>, <c>plan</c> and <c>experiment</c>.</summary>
/// <param name="what">What the path holds: recipes or experiments.</param>
internal sealed class MergeOptionSet(string what = "recipe")
{
    private readonly Argument<string> _path = CommonOptions.Path();
    private readonly Option<string[]> _recipe = CommonOptions.Recipe(what);
    private readonly OutputOptionSet _output = new("The output folder: the checkpoint's own for one output, else one folder for each in it [default: out/RECIPE].");
    private readonly Option<bool> _statistics = new("--stats") { Description = "Measure task vectors also of inputs of 1 GiB or more." };
    private readonly MissingOptions _missing = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_path);
        _output.AddTo(command, _recipe, _statistics);
        _missing.AddTo(command);
    }

    /// <summary>What a command line says.</summary>
    public MergeArguments Read(ParseResult line) => _output.Read(line, line.GetRequiredValue(_path)) with
    {
        Recipes = line.GetRequiredValue(_recipe),
        Statistics = line.GetValue(_statistics),
        Missing = _missing.Read(line),
    };
}
