using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Smelt.Mergekit.CSharp;
using Smelt.Mergekit.Importing;
using Smelt.Recipes.Configuration;
using Smelt.Tool.Output;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt import</c>: turns a configuration of mergekit into a recipe project, or into a configuration of Smelt.</summary>
internal static class ImportCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Imports a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="output">The project's folder, or the configuration's file; null for a folder named like the recipe, or standard output.</param>
    /// <param name="json">Whether a configuration is written instead of a project.</param>
    /// <param name="force">Whether existing files are replaced.</param>
    /// <param name="terminal">Where it writes.</param>
    public static ExitCode Execute(string file, string? output, bool json, bool force, Terminal terminal) =>
        Session.Run("import", terminal, json: false, session =>
        {
            var name = MergekitImporter.NameOf(file);
            var target = output ?? (json ? null : name);
            var root = Path.GetFullPath(target is null ? "." : json ? Path.GetDirectoryName(Path.GetFullPath(target))! : target);
            var import = MergekitImporter.Import(TextFiles.Read(file), file, [Environment.CurrentDirectory, Path.GetDirectoryName(Path.GetFullPath(file))!], root);
            session.Report(null, import.Problems);
            if (import.HasErrors)
                return ExitCode.BadInput;
            session.Report(null, [.. import.Recipes.Select(r => r.VocabularyIsImplied).OfType<Problem>()]);
            if (json)
                WriteConfiguration(import, target, force, terminal);
            else
                WriteProject(import, file, root, force, terminal);
            return ExitCode.Done;
        });

    private static void WriteConfiguration(Import import, string? target, bool force, Terminal terminal)
    {
        var outputs = import.Recipes.Where(r => !r.IsStage).ToArray();
        if (outputs.Length > 1)
            throw new InvalidInputException(ToolRules.BadOption.Id, "--json", $"the file makes {outputs.Length} outputs: {string.Join(", ", outputs.Select(o => o.Name))}; a configuration makes one.", "Leave --json out: a project holds them all.");
        var configuration = JsonNode.Parse(ConfigurationWriter.Write(outputs[0].Name, outputs[0].Recipe))!.ToJsonString(Indented) + "\n";
        if (target is null)
            terminal.Out.Write(configuration);
        else
            TextFiles.Write([(target, configuration)], force, terminal);
    }

    private static void WriteProject(Import import, string file, string root, bool force, Terminal terminal)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(root));
        SourceRecipe[] recipes = [.. import.Recipes.Select(r => new SourceRecipe(r.Name, r.Recipe, r.IsStage))];
        TextFiles.Write(
            [
                (Path.Combine(root, name + ".csproj"), RecipeProject.ProjectFile(IsReferenced(root) ? null : ToolVersion.Text)),
                (Path.Combine(root, "Recipes.cs"), RecipeProject.Source(name, recipes, Path.GetFileName(file))),
            ],
            force,
            terminal);
    }

    /// <summary>Whether a Directory.Build.props above a folder references Smelt.Recipes for all projects below it.</summary>
    private static bool IsReferenced(string folder)
    {
        for (var parent = new DirectoryInfo(folder); parent is not null; parent = parent.Parent)
        {
            var props = Path.Combine(parent.FullName, "Directory.Build.props");
            if (File.Exists(props))
                return File.ReadAllText(props).Contains("Smelt.Recipes", StringComparison.Ordinal);
        }

        return false;
    }
}
