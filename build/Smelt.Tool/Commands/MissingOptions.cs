using System.CommandLine;
using Smelt.Recipes;

namespace Smelt.Tool.Commands;

/// <summary>The options of mergekit-pytorch that say what happens to tensors that some inputs lack.</summary>
internal sealed class MissingOptions
{
    private readonly Option<bool> _union = new("--tensor-union") { Description = "For mergekit files: merge tensors that some models lack over those that have them." };
    private readonly Option<bool> _intersection = new("--tensor-intersection") { Description = "For mergekit files: leave out tensors that some models lack." };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_union);
        command.Add(_intersection);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_union) && result.GetValue(_intersection))
                result.AddError("--tensor-union and --tensor-intersection exclude each other.");
        });
    }

    /// <summary>What a command line says; null where it says nothing.</summary>
    public MissingTensors? Read(ParseResult line) =>
        line.GetValue(_union) ? MissingTensors.Union : line.GetValue(_intersection) ? MissingTensors.Intersection : null;
}
