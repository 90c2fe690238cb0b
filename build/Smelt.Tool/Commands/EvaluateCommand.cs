using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary>
/// <c>smelt evaluate</c>, which the tool calls in a child process: runs a recipe's code and prints its canonical JSON, or
/// the JSON document of what is wrong with it.
/// </summary>
internal static class EvaluateCommand
{
    /// <summary>Evaluates a recipe.</summary>
    /// <param name="assembly">The assembly's file.</param>
    /// <param name="type">The full name of the recipe's class.</param>
    /// <param name="name">The recipe's name.</param>
    /// <param name="terminal">Where it writes.</param>
    public static ExitCode Execute(string assembly, string type, string name, Terminal terminal)
    {
        // Whatever the recipe's own code prints must not mix with the result.
        var console = Console.Out;
        Console.SetOut(Console.Error);
        try
        {
            var configuration = RecipeContext.Evaluate(Path.GetFullPath(assembly), type, name);
            terminal.Out.WriteLine(configuration);
            return ExitCode.Done;
        }
        catch (InvalidInputException invalid)
        {
            return Session.Run("evaluate", terminal, json: true, session =>
            {
                session.Report(null, invalid.Problems);
                return ExitCode.BadInput;
            });
        }
        finally
        {
            Console.SetOut(console);
        }
    }
}
