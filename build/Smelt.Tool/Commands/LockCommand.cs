using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Inventories;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary>
/// <c>smelt lock</c>: writes down what every model of a path's recipes and experiments consists of. The compiler then checks
/// recipes against it, and a merge refuses a model that changed.
/// </summary>
internal static class LockCommand
{
    /// <summary>Writes the lock file.</summary>
    /// <param name="path">Where the recipes are.</param>
    /// <param name="content">Whether the weights are read and hashed.</param>
    /// <param name="json">Whether the result is a JSON document.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ExitCode Execute(string path, bool content, bool json, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("lock", terminal, json, session =>
        {
            var (root, models) = ModelsOf(session, path, cancellation);
            var inputs = Open(models, root);
            var counter = new ProgressCounter();
            IReadOnlyList<ModelInventory> inventories;
            using (json || !content ? null : new ProgressReporter(terminal, "lock", counter))
                inventories = InputLock.Take(inputs, content, Environment.ProcessorCount, counter, cancellation);
            var file = Path.Combine(root, LockFile.FileName);
            var text = LockFile.Write(inventories);
            var same = File.Exists(file) && File.ReadAllText(file) == text;
            if (!same)
                Replace(file, text);
            session.Document = session.Document with { Lock = new LockDocument(file, !same, [.. inventories.Select(i => i.Model)]) };
            if (!json)
                terminal.Out.WriteLine($"{file}: {inventories.Count} {(inventories.Count == 1 ? "model" : "models")}{(same ? ", unchanged" : "")}");
            return ExitCode.Done;
        });

    /// <summary>The models of all recipes and experiments of a path; both are tried, and one of them has to be there.</summary>
    private static (string Root, IReadOnlyList<Model> Models) ModelsOf(Session session, string path, CancellationToken cancellation)
    {
        var full = Path.GetFullPath(path);
        var isExperiment = Path.GetExtension(full).Equals(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(full)
            && Recipes.Configuration.ConfigurationReader.IsExperiment(File.ReadAllBytes(full));
        var models = new List<Model>();
        string? root = null;
        InvalidInputException? none = null;
        if (!isExperiment)
        {
            try
            {
                var catalog = RecipeCatalog.Open(path, [], null, cancellation);
                session.ReportBuild(catalog.Warnings);
                Refuse(catalog.Entries.SelectMany(e => e.Problems));
                models.AddRange(catalog.Entries.SelectMany(e => Models(e.Recipe!.Recipe)));
                root = catalog.Root;
            }
            catch (InvalidInputException e) when (e.Problems.All(p => p.Id == ToolRules.NoRecipes.Id))
            {
                none = e;
            }
        }

        try
        {
            if (isExperiment || !Path.GetExtension(full).Equals(".json", StringComparison.OrdinalIgnoreCase))
            {
                var catalog = ExperimentCatalog.Open(path, [], cancellation);
                Refuse(catalog.Entries.SelectMany(e => e.Problems));
                models.AddRange(catalog.Entries.SelectMany(e => e.Experiment!.Pools).SelectMany(p => p.Experts.Select(x => x.Model).Concat(p.Experts.Select(x => x.Statistics).OfType<Model>()).Concat(p.Base is { } b ? [b] : [])));
                root = catalog.Root;
            }
        }
        catch (InvalidInputException e) when (root is not null && e.Problems.All(p => p.Id == ToolRules.NoRecipes.Id))
        {
            // A project of recipes alone.
        }

        if (root is null)
            throw none!;
        return (root, [.. models.Distinct().Where(m => ModelInventory.KeyOf(m) is not null).OrderBy(m => ModelInventory.KeyOf(m), StringComparer.Ordinal)]);
    }

    private static IEnumerable<Model> Models(Recipe recipe) => Planner.Models(recipe).SelectMany(m => m is StageModel stage ? Models(stage.Recipe) : [m]);

    private static List<PlannedInput> Open(IReadOnlyList<Model> models, string root)
    {
        var (inputs, problems) = (new List<PlannedInput>(), new List<Problem>());
        foreach (var model in models)
        {
            try
            {
                inputs.Add(Planner.Open(model, root));
            }
            catch (InvalidInputException invalid)
            {
                problems.AddRange(invalid.Problems);
            }
        }

        Refuse(problems);
        return inputs;
    }

    private static void Refuse(IEnumerable<Problem> problems)
    {
        Problem[] all = [.. problems];
        if (all.Any(p => p.Severity == Severity.Error))
            throw new InvalidInputException(all);
    }

    private static void Replace(string file, string text)
    {
        var temporary = file + ".new";
        File.WriteAllText(temporary, text);
        File.Move(temporary, file, overwrite: true);
    }
}
