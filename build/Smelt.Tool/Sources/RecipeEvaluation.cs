using Smelt.Tool.Output;

namespace Smelt.Tool.Sources;

/// <summary>
/// Evaluates recipes that are not constant in a child process (<c>smelt evaluate</c>), so that a crash or a hang of their
/// code is not one of the tool.
/// </summary>
internal static class RecipeEvaluation
{
    /// <summary>The canonical JSON of a recipe.</summary>
    /// <param name="assembly">The assembly's file.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="cancellation">Kills the child.</param>
    /// <exception cref="InvalidInputException">The recipe can't be evaluated or breaks a rule.</exception>
    public static string Evaluate(string assembly, DeclaredRecipe recipe, CancellationToken cancellation)
    {
        var tool = typeof(RecipeEvaluation).Assembly;
        string[] arguments = ["evaluate", assembly, recipe.EvaluatedType!, recipe.Name];
        var result = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == tool.GetName().Name
            ? ChildProcess.Run(Environment.ProcessPath!, arguments, Environment.CurrentDirectory, cancellation)
            : ChildProcess.Run(ChildProcess.Dotnet, ["exec", tool.Location, .. arguments], Environment.CurrentDirectory, cancellation);
        if (result.ExitCode == (int)ExitCode.Done)
            return result.Out.Trim();
        throw result.ExitCode == (int)ExitCode.BadInput && ToolJson.Read(result.Out)?.Problems is { Count: > 0 } problems
            ? new InvalidInputException([.. problems.Select(p => p.ToProblem())])
            : new InvalidInputException(ToolRules.NotEvaluated.Id, recipe.EvaluatedType!, $"the code of recipe {recipe.Name} ended its process with exit code {result.ExitCode}: {LastLine(result.Error)}");
    }

    private static string LastLine(string text) =>
        text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "it said nothing.";
}
