using Smelt.Recipes;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt check</c>: checks recipes against every rule, and their models' headers.</summary>
internal static class CheckCommand
{
    /// <summary>Checks the recipes of a path.</summary>
    /// <param name="path">The path.</param>
    /// <param name="names">The recipes wanted; empty for all.</param>
    /// <param name="inputs">Whether the models are looked at.</param>
    /// <param name="missing">What happens to tensors that some inputs lack, for configurations of mergekit.</param>
    /// <param name="json">Whether the result is a JSON document.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ExitCode Execute(string path, IReadOnlyList<string> names, bool inputs, MissingTensors? missing, bool json, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("check", terminal, json, session =>
        {
            var catalog = RecipeCatalog.Open(path, names, missing, cancellation);
            session.ReportBuild(catalog.Warnings);
            var worst = ExitCode.Done;
            var recipes = new List<RecipeDocument>();
            foreach (var entry in catalog.Entries)
            {
                cancellation.ThrowIfCancellationRequested();
                session.Report(entry.Name, entry.Problems);
                var code = entry.Recipe is not { } recipe ? ExitCode.BadInput : !inputs ? ExitCode.Done : session.Guard(entry.Name, () =>
                {
                    session.Report(entry.Name, recipe.Plan(catalog.Root).Warnings);
                    return ExitCode.Done;
                });
                worst = (ExitCode)Math.Max((int)worst, (int)code);
                recipes.Add(ListCommand.Describe(entry) with { Valid = code == ExitCode.Done });
                if (!json)
                    terminal.Out.WriteLine($"{entry.Name}: {(code == ExitCode.Done ? "ok" : "has errors")}");
            }

            session.Document = session.Document with { Recipes = recipes };
            return worst;
        });
}
