using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using Smelt.Tool.Building;

namespace Smelt.Tool.Sources;

/// <summary>What a path holds for one experiment name.</summary>
/// <param name="Name">The experiment's name.</param>
/// <param name="Experiment">The experiment; null where it breaks a rule.</param>
/// <param name="Configuration">Its canonical JSON.</param>
/// <param name="Problems">What was found in it, warnings included.</param>
internal sealed record LoadedExperiment(string Name, Experiment? Experiment, string Configuration, IReadOnlyList<Problem> Problems)
{
    /// <summary>The SHA-256 of its configuration.</summary>
    public string Hash => CanonicalJson.Sha256(Configuration);

    /// <summary>Where it stands in its sources, as <c>file(line,column)</c>; null where that is not known.</summary>
    public string? Place { get; init; }
}

/// <summary>The experiments of a path.</summary>
/// <param name="Root">The folder that relative paths of models start from.</param>
/// <param name="Entries">The experiments.</param>
/// <param name="Warnings">The warnings of the build.</param>
internal sealed record ExperimentCatalog(string Root, IReadOnlyList<LoadedExperiment> Entries, IReadOnlyList<Problem> Warnings)
{
    /// <summary>Whether the path is an index of emitted configurations.</summary>
    public bool IsIndex { get; init; }

    /// <summary>Finds the experiments of a path and reads those asked for.</summary>
    /// <param name="path">A project's folder, a <c>.csproj</c>, an assembly (<c>.dll</c>) or a configuration (<c>.json</c>).</param>
    /// <param name="names">The experiments wanted; all of them where it is empty.</param>
    /// <param name="cancellation">Stops a build.</param>
    /// <exception cref="InvalidInputException">The path holds no experiment, or not those asked for.</exception>
    /// <exception cref="BuildFailedException">The project does not build.</exception>
    public static ExperimentCatalog Open(string path, IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            full = RecipeCatalog.ProjectOf(full);
        if (!File.Exists(full))
            throw new InvalidInputException(ToolRules.NoSuchSource.Id, full, "there is no such file or folder.", "Name a recipe project, an assembly (.dll) or a configuration (.json).");
        switch (Path.GetExtension(full).ToLowerInvariant())
        {
            case ".csproj" or ".cs":
                var built = ProjectBuilder.Build(full, cancellation);
                return new ExperimentCatalog(Path.GetDirectoryName(full)!, OfAssembly(built.Assembly, names, cancellation).Entries, built.Warnings);
            case ".dll":
                var (entries, name) = OfAssembly(full, names, cancellation);
                return new ExperimentCatalog(RecipeCatalog.RootOfAssembly(full, name), entries, []);
            case ".json":
                return new ExperimentCatalog(Path.GetDirectoryName(full)!, [Load(Path.GetFileNameWithoutExtension(full), File.ReadAllBytes(full), full)], []);
            case RecipeIndex.Extension:
                return OfIndex(full, names);
            default:
                throw new InvalidInputException(ToolRules.NoSuchSource.Id, full, "experiments come in a project's folder, .csproj, .cs, .dll or .json.");
        }
    }

    private static ExperimentCatalog OfIndex(string file, IReadOnlyList<string> names)
    {
        var index = RecipeIndex.Read(file);
        if (index.Experiments.Count == 0)
            throw new InvalidInputException(ToolRules.NoRecipes.Id, index.Project, "the project holds no experiment.", "Mark a static class with [Experiment(\"name\")].");
        RecipeCatalog.CheckNames(names, [.. index.Experiments.Select(e => e.Name)], index.Project);
        return new ExperimentCatalog(
            index.Root,
            [.. index.Experiments.Where(e => names.Count == 0 || names.Contains(e.Name)).Select(e => Load(e.Name, index.Utf8Of(file, e), e.Name) with { Place = e.Place })],
            []) { IsIndex = true };
    }

    private static (IReadOnlyList<LoadedExperiment> Entries, string AssemblyName) OfAssembly(string assembly, IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var declared = AssemblyRecipes.Read(assembly);
        if (declared.Experiments.Count == 0)
            throw new InvalidInputException(ToolRules.NoRecipes.Id, assembly, "the assembly holds no experiment.", "Mark a static class with [Experiment(\"name\")], in a project that references Smelt.Recipes.");
        RecipeCatalog.CheckNames(names, [.. declared.Experiments.Select(e => e.Name)], assembly);
        return ([.. declared.Experiments.Where(e => names.Count == 0 || names.Contains(e.Name)).Select(e => Evaluate(assembly, e, cancellation))], declared.AssemblyName);
    }

    private static LoadedExperiment Evaluate(string assembly, DeclaredRecipe declared, CancellationToken cancellation)
    {
        try
        {
            return Load(declared.Name, RecipeCatalog.Utf8Of(assembly, declared, cancellation), declared.Name);
        }
        catch (InvalidInputException invalid)
        {
            return new LoadedExperiment(declared.Name, null, "", invalid.Problems);
        }
    }

    /// <summary>Reads a configuration.</summary>
    internal static LoadedExperiment Load(string name, byte[] utf8, string source)
    {
        var read = ConfigurationReader.ReadExperiment(utf8, source);
        return new LoadedExperiment(read.Name.Length == 0 ? name : read.Name, read.HasErrors ? null : read.Experiment, read.CanonicalJson, read.Problems);
    }
}
