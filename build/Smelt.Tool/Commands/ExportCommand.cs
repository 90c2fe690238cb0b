using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Exporting;
using Smelt.Mergekit.Reading;
using Smelt.Mergekit.Writing;
using Smelt.Recipes;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt export</c>: writes recipes as configurations of mergekit.</summary>
internal static class ExportCommand
{
    /// <summary>Exports the recipes of a path; each point of a sweep is a configuration of its own.</summary>
    /// <param name="path">The path.</param>
    /// <param name="names">The recipes wanted; empty for all.</param>
    /// <param name="output">A <c>.yml</c> file for one configuration, else a folder; null for standard output, for one configuration.</param>
    /// <param name="force">Whether existing files are replaced.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ExitCode Execute(string path, IReadOnlyList<string> names, string? output, bool force, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("export", terminal, json: false, session =>
        {
            var isFile = output is not null && IsYaml(output);
            var folder = output is null ? "." : isFile ? Path.GetDirectoryName(Path.GetFullPath(output))! : output;
            var (worst, configurations) = IsYaml(path) && File.Exists(path)
                ? Rewrite(session, path)
                : ExportAll(session, RecipeCatalog.Open(path, names, null, cancellation), Path.GetFullPath(folder));
            if (worst != ExitCode.Done)
                return worst;
            if (configurations.Count > 1 && (output is null || isFile))
                throw new InvalidInputException(ToolRules.BadOption.Id, "--out", $"there are {configurations.Count} configurations: {string.Join(", ", configurations.Select(c => c.Name))}.", "Name a folder for them: --out DIR, or one of them: --recipe NAME.");
            if (output is null)
                terminal.Out.Write(configurations[0].Text);
            else
                TextFiles.Write([.. configurations.Select(c => (isFile ? output : Path.Combine(output, c.Name + ".yml"), c.Text))], force, terminal);
            return ExitCode.Done;
        });

    private static bool IsYaml(string path) => Path.GetExtension(path).ToLowerInvariant() is ".yml" or ".yaml";

    /// <summary>A configuration of mergekit in the form that Smelt writes, also one that Smelt can't merge.</summary>
    private static (ExitCode Worst, List<(string Name, string Text)> Configurations) Rewrite(Session session, string path)
    {
        var read = MergekitReader.Read(TextFiles.Read(path), path);
        session.Report(null, read.Problems);
        return read.HasErrors ? (ExitCode.BadInput, []) : (ExitCode.Done, [(Path.GetFileNameWithoutExtension(path), MergekitWriter.Write(read.Documents))]);
    }

    private static (ExitCode Worst, List<(string Name, string Text)> Configurations) ExportAll(Session session, RecipeCatalog catalog, string folder)
    {
        var configurations = new List<(string Name, string Text)>();
        var worst = ExitCode.Done;
        session.ReportBuild(catalog.Warnings);
        foreach (var entry in catalog.Entries)
        {
            session.Report(entry.Name, entry.Problems);
            if (entry.Recipe is not { } recipe)
            {
                worst = ExitCode.BadInput;
                continue;
            }

            foreach (var point in SweepExpansion.Expand(recipe.Recipe))
            {
                var name = point.Label.Length == 0 ? entry.Name : $"{entry.Name}-{point.Label}";
                var export = MergekitExporter.Export(name, point.Recipe, p => PathIn(folder, p, catalog.Root));
                session.Report(entry.Name, export.Problems);
                if (export.HasErrors)
                    worst = ExitCode.BadInput;
                else
                    configurations.Add((name, MergekitWriter.Write(export.Documents)));
            }
        }

        return (worst, configurations);
    }

    /// <summary>A model's path as it is seen from the configuration's folder.</summary>
    private static string PathIn(string folder, string path, string root) =>
        Path.IsPathRooted(path) ? path : Path.GetRelativePath(folder, Path.GetFullPath(path, root)).Replace('\\', '/');
}
