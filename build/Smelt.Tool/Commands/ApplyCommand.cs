using Smelt.Merging.Execution;
using Smelt.Recipes;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt apply</c>: restores the model of one task from an output with task masks.</summary>
internal static class ApplyCommand
{
    /// <summary>Restores a task's model as a checkpoint of its own.</summary>
    /// <param name="arguments">The command line; its path is the output with masks.</param>
    /// <param name="task">The task; null where it is not given, which lists those there are.</param>
    /// <param name="baseModel">The folder of the base; null for the one that the output names.</param>
    /// <param name="root">The folder that relative paths of the output's models start from.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ExitCode Execute(MergeArguments arguments, string? task, string? baseModel, string root, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("apply", terminal, arguments.Json, session =>
        {
            var source = Path.TrimEndingDirectorySeparator(arguments.Path);
            if (task is null)
                throw new InvalidInputException(ToolRules.BadOption.Id, "--task", $"no task is named; {source} has {string.Join(", ", TaskRestorer.Tasks(source).Select(t => t.Name))}.", "Name one of these.");
            var options = arguments.ToOptions(arguments.Output ?? $"{source}-{task}");
            var model = baseModel is null ? null : new FolderModel(Path.GetRelativePath(Path.GetFullPath(root), Path.GetFullPath(baseModel)));
            var plan = TaskRestorer.Plan(source, task, model, root);
            session.Report(null, plan.Warnings);
            MergeExecutor.CheckOutput(plan, options);
            var recipe = new LoadedRecipe(plan.Name, plan.Recipe, plan.Configuration, plan.ConfigurationHash);
            var merge = new PreparedMerge(recipe, plan, options, MemoryBudget.For(plan, options));
            var document = RunCommand.ToDocument(merge, RunCommand.Run(session, merge, plan.Name, cancellation));
            session.Document = session.Document with { Merges = [document] };
            if (!session.Json)
                RunReport.Write(terminal, session.Document.Merges);
            return ExitCode.Done;
        });
}
