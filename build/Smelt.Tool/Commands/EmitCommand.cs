using System.Text;
using Smelt.Tool.Building;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary>
/// <c>smelt emit</c>: writes the configuration of every recipe and experiment of an assembly, those that are not constant
/// evaluated in a child process, and an index of them that the other verbs read. Files that would not change are left alone.
/// </summary>
internal static class EmitCommand
{
    /// <summary>Writes the configurations.</summary>
    /// <param name="assembly">The assembly's file.</param>
    /// <param name="project">The project's file: relative paths start from its folder, and the index has its name.</param>
    /// <param name="output">The folder that is written into.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ExitCode Execute(string assembly, string project, string output, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("emit", terminal, json: false, session =>
        {
            var (dll, folder) = (Path.GetFullPath(assembly), Path.GetFullPath(output));
            var root = Path.GetDirectoryName(Path.GetFullPath(project))!;
            if (!File.Exists(dll))
                throw new InvalidInputException(ToolRules.NoSuchSource.Id, dll, "there is no such assembly.");
            var declared = AssemblyRecipes.Read(dll);
            var places = SourcePlaces.Read(dll, root);
            var worst = ExitCode.Done;
            var files = new Dictionary<string, string>(StringComparer.Ordinal);
            var recipes = Emit(declared.Recipes, "recipes", places.OfRecipe, (name, text) => RecipeCatalog.Load(name, text, name) is var read ? (read.Recipe?.Hash, read.Problems) : default);
            var experiments = Emit(declared.Experiments, "experiments", places.OfExperiment, (name, text) => ExperimentCatalog.Load(name, text, name) is var read ? (read.Experiment is null ? null : read.Hash, read.Problems) : default);
            if (worst != ExitCode.Done)
                return worst;

            var index = new RecipeIndex(RecipeIndex.CurrentVersion, Path.GetFullPath(project), dll, recipes, experiments);
            files[Path.GetFileNameWithoutExtension(project) + RecipeIndex.Extension] = index.Write();
            Write(folder, files);
            foreach (var file in files.Keys)
                terminal.Out.WriteLine(Path.Combine(folder, file));
            return ExitCode.Done;

            IReadOnlyList<IndexedRecipe> Emit(IEnumerable<DeclaredRecipe> all, string kind, Func<string, string?> placeOf, Func<string, byte[], (string? Hash, IReadOnlyList<Problem> Problems)> read)
            {
                var indexed = new List<IndexedRecipe>();
                foreach (var one in all.OrderBy(r => r.Name, StringComparer.Ordinal))
                {
                    cancellation.ThrowIfCancellationRequested();
                    session.SetPlace(one.Name, placeOf(one.Name));
                    var code = session.Guard(one.Name, () =>
                    {
                        var configuration = RecipeCatalog.Utf8Of(dll, one, cancellation);
                        var (hash, problems) = read(one.Name, configuration);

                        // The compiler has said of a constant recipe what there is to say.
                        session.Report(one.Name, problems.Where(p => p.Severity == Severity.Error || one.Configuration is null));
                        if (hash is null)
                            return ExitCode.BadInput;
                        var file = $"{kind}/{one.Name}.json";
                        files[file] = Encoding.UTF8.GetString(configuration);
                        indexed.Add(new IndexedRecipe(one.Name, file, hash, placeOf(one.Name)));
                        return ExitCode.Done;
                    });
                    worst = (ExitCode)Math.Max((int)worst, (int)code);
                }

                return indexed;
            }
        }, inBuild: true);

    /// <summary>Writes what changed, the index last, and removes configurations that belong to no recipe any more.</summary>
    private static void Write(string folder, Dictionary<string, string> files)
    {
        foreach (var kind in new[] { "recipes", "experiments" })
        {
            var inner = Path.Combine(folder, kind);
            if (!Directory.Exists(inner))
                continue;
            foreach (var old in Directory.EnumerateFiles(inner, "*.json").Where(f => !files.ContainsKey($"{kind}/{Path.GetFileName(f)}")).ToArray())
                File.Delete(old);
        }

        foreach (var (file, text) in files)
        {
            var path = Path.Combine(folder, file);
            if (File.Exists(path) && File.ReadAllText(path) == text)
                continue;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }
    }
}
