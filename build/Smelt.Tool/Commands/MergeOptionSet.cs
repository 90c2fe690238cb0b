using System.CommandLine;

namespace Smelt.Tool.Commands;

/// <summary>The command line of <c>run</c>, <c>plan</c> and <c>experiment</c>.</summary>
/// <param name="what">What the path holds: recipes or experiments.</param>
/// <param name="seeds">Whether random masks may be those of mergekit.</param>
internal sealed class MergeOptionSet(string what = "recipe", bool seeds = false)
{
    private readonly Argument<string> _path = CommonOptions.Path();
    private readonly Option<string[]> _recipe = CommonOptions.Recipe(what);
    private readonly OutputOptionSet _output = new("The output folder: the checkpoint's own for one output, else one folder for each in it [default: out/RECIPE].");
    private readonly Option<bool> _statistics = new("--stats") { Description = "Measure task vectors also of inputs of 1 GiB or more." };
    private readonly Option<long?> _seed = CommonOptions.Number<long>("--mergekit-seed", "Draw the random masks of DARE and DELLA as mergekit does on a CPU with this --random-seed.");
    private readonly MissingOptions _missing = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_path);
        _output.AddTo(command, _recipe, _statistics);
        if (seeds)
            command.Add(_seed);
        _missing.AddTo(command);
    }

    /// <summary>What a command line says.</summary>
    public MergeArguments Read(ParseResult line) => _output.Read(line, line.GetRequiredValue(_path)) with
    {
        Recipes = line.GetRequiredValue(_recipe),
        Statistics = line.GetValue(_statistics),
        MergekitSeed = seeds ? line.GetValue(_seed) : null,
        Missing = _missing.Read(line),
    };
}
