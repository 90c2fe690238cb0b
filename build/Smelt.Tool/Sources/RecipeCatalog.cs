using System.Text;
using Smelt.Mergekit.Importing;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using Smelt.Tool.Building;

namespace Smelt.Tool.Sources;

/// <summary>What a path holds for one recipe name.</summary>
/// <param name="Name">The recipe's name.</param>
/// <param name="Recipe">The recipe; null where it breaks a rule.</param>
/// <param name="Problems">What was found in it, warnings included.</param>
internal sealed record CatalogEntry(string Name, LoadedRecipe? Recipe, IReadOnlyList<Problem> Problems)
{
    /// <summary>Where it stands in its sources, as <c>file(line,column)</c>; null where that is not known.</summary>
    public string? Place { get; init; }
}

/// <summary>The recipes of a path.</summary>
/// <param name="Root">The folder that relative paths of models start from.</param>
/// <param name="Entries">The recipes.</param>
/// <param name="Warnings">The warnings of the build.</param>
internal sealed record RecipeCatalog(string Root, IReadOnlyList<CatalogEntry> Entries, IReadOnlyList<Problem> Warnings)
{
    /// <summary>Whether the path is an index of emitted configurations.</summary>
    public bool IsIndex { get; init; }

    /// <summary>Finds the recipes of a path and reads those asked for.</summary>
    /// <param name="path">A project's folder, a <c>.csproj</c>, a single file of recipes (<c>.cs</c>), an assembly (<c>.dll</c>) or a configuration (<c>.json</c>, or <c>.yml</c> of mergekit).</param>
    /// <param name="names">The recipes wanted; all of them where it is empty.</param>
    /// <param name="missing">What happens to tensors that some inputs lack, for configurations of mergekit; null as they have it.</param>
    /// <param name="cancellation">Stops a build.</param>
    /// <exception cref="InvalidInputException">The path holds no recipes, or not those asked for.</exception>
    /// <exception cref="BuildFailedException">The project does not build.</exception>
    public static RecipeCatalog Open(string path, IReadOnlyList<string> names, MissingTensors? missing, CancellationToken cancellation)
    {
        var full = Path.GetFullPath(path);
        if (missing is not null && Path.GetExtension(full).ToLowerInvariant() is not (".yml" or ".yaml"))
            throw new InvalidInputException(ToolRules.BadOption.Id, "--tensor-" + missing.ToString()!.ToLowerInvariant(), "the option is for configurations of mergekit.", $"Set Missing = MissingTensors.{missing} in the recipe.");
        if (Directory.Exists(full))
            return OpenProject(ProjectOf(full), names, cancellation);
        if (!File.Exists(full))
            throw new InvalidInputException(ToolRules.NoSuchSource.Id, full, "there is no such file or folder.", "Name a recipe project, an assembly (.dll) or a configuration (.json).");
        return Path.GetExtension(full).ToLowerInvariant() switch
        {
            ".csproj" or ".cs" => OpenProject(full, names, cancellation),
            ".dll" => OpenAssembly(full, RootOfAssembly, names, cancellation),
            ".json" => OpenConfiguration(full, names),
            RecipeIndex.Extension => OpenIndex(full, names),
            ".yml" or ".yaml" => OpenMergekit(full, path, names, missing),
            var extension => throw new InvalidInputException(ToolRules.NoSuchSource.Id, full, $"recipes don't come in files of kind '{extension}'; allowed: a project's folder, .csproj, .cs, .dll, .json, or .yml of mergekit."),
        };
    }

    /// <summary>The project in a folder.</summary>
    internal static string ProjectOf(string folder)
    {
        var projects = Directory.GetFiles(folder, "*.csproj");
        return projects.Length == 1
            ? projects[0]
            : throw new InvalidInputException(
                ToolRules.NoSuchSource.Id,
                folder,
                projects.Length == 0 ? "the folder holds no project (.csproj)." : $"the folder holds {projects.Length} projects.",
                projects.Length == 0 ? "Name a recipe project's folder." : "Name one of them: " + string.Join(", ", projects.Select(Path.GetFileName).Order(StringComparer.Ordinal)) + ".");
    }

    private static RecipeCatalog OpenProject(string project, IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var built = ProjectBuilder.Build(project, cancellation);
        var root = Path.GetDirectoryName(project)!;
        return OpenAssembly(built.Assembly, (_, _) => root, names, cancellation) with { Warnings = built.Warnings };
    }

    private static RecipeCatalog OpenAssembly(string assembly, Func<string, string, string> root, IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var declared = AssemblyRecipes.Read(assembly);
        if (declared.Recipes.Count == 0)
            throw new InvalidInputException(ToolRules.NoRecipes.Id, assembly, "the assembly holds no recipe.", "Mark a static partial class with [Recipe(\"name\")], in a project that references Smelt.Recipes.");
        CheckNames(names, [.. declared.Recipes.Select(r => r.Name)], assembly);
        var wanted = declared.Recipes.Where(r => names.Count == 0 || names.Contains(r.Name)).ToArray();
        return new RecipeCatalog(
            root(assembly, declared.AssemblyName),
            [.. wanted.Select(r => Load(r.Name, () => Utf8Of(assembly, r, cancellation), r.Name))],
            []);
    }

    /// <summary>The configuration of a recipe or an experiment that an assembly declares, whose methods are known then.</summary>
    internal static byte[] Utf8Of(string assembly, DeclaredRecipe recipe, CancellationToken cancellation)
    {
        var utf8 = Encoding.UTF8.GetBytes(ConfigurationOf(assembly, recipe, cancellation));
        MethodAssemblies.Load(utf8, assembly);
        return utf8;
    }

    private static string ConfigurationOf(string assembly, DeclaredRecipe recipe, CancellationToken cancellation)
    {
        if (recipe.Configuration is not { } configuration)
            return RecipeEvaluation.Evaluate(assembly, recipe, cancellation);
        var hash = CanonicalJson.Sha256(configuration);
        return recipe.Hash is null || recipe.Hash == hash
            ? configuration
            : throw new InvalidInputException(ToolRules.HashDiffers.Id, assembly, $"recipe {recipe.Name} has the hash {hash}, and {recipe.Hash} when it was compiled.", "Build the project again.");
    }

    /// <summary>The recipes of an index. Their warnings were reported when they were compiled or emitted.</summary>
    private static RecipeCatalog OpenIndex(string file, IReadOnlyList<string> names)
    {
        var index = RecipeIndex.Read(file);
        if (index.Recipes.Count == 0)
            throw new InvalidInputException(ToolRules.NoRecipes.Id, index.Project, "the project holds no recipe.", "Mark a static partial class with [Recipe(\"name\")].");
        CheckNames(names, [.. index.Recipes.Select(r => r.Name)], index.Project);
        return new RecipeCatalog(
            index.Root,
            [.. index.Recipes.Where(r => names.Count == 0 || names.Contains(r.Name)).Select(r =>
            {
                var entry = Load(r.Name, () => index.Utf8Of(file, r), r.Name);
                return entry with { Problems = [.. entry.Problems.Where(p => p.Severity == Severity.Error)], Place = r.Place };
            })],
            []) { IsIndex = true };
    }

    private static RecipeCatalog OpenConfiguration(string file, IReadOnlyList<string> names)
    {
        var entry = Load(Path.GetFileNameWithoutExtension(file), () => Preload.Configuration(file));
        if (entry.Recipe is not null)
            CheckNames(names, [entry.Name], file);
        return new RecipeCatalog(Path.GetDirectoryName(file)!, [entry], []);
    }

    /// <summary>The last recipe of a file of mergekit, and any of its stages that is asked for by name.</summary>
    private static RecipeCatalog OpenMergekit(string file, string shown, IReadOnlyList<string> names, MissingTensors? missing)
    {
        var import = MergekitImporter.Import(File.ReadAllBytes(file), shown, [Environment.CurrentDirectory, Path.GetDirectoryName(file)!]);
        if (import.Recipes.Count == 0)
            return new RecipeCatalog(import.Root, [new CatalogEntry(MergekitImporter.NameOf(file), null, import.Problems)], []);
        CheckNames(names, [.. import.Recipes.Select(r => r.Name)], file);
        var wanted = import.Recipes.Where(r => names.Count == 0 ? !r.IsStage : names.Contains(r.Name)).ToArray();
        return new RecipeCatalog(import.Root, [.. wanted.Select((r, i) => new CatalogEntry(r.Name, Loaded(missing is { } m ? r.WithMissing(m) : r), i == 0 ? import.Problems : []))], []);
    }

    private static LoadedRecipe Loaded(ImportedRecipe imported)
    {
        var configuration = ConfigurationWriter.Write(imported.Name, imported.Recipe);
        return new LoadedRecipe(imported.Name, imported.Recipe, configuration, CanonicalJson.Sha256(configuration)) { Imported = imported };
    }

    /// <summary>Reads a configuration.</summary>
    internal static CatalogEntry Load(string name, byte[] utf8, string source) => Load(name, () => utf8, source);

    private static CatalogEntry Load(string name, Func<byte[]> utf8, string source) => Load(name, () => ConfigurationReader.Read(utf8(), source));

    private static CatalogEntry Load(string name, Func<ReadConfiguration> reading)
    {
        try
        {
            var read = reading();
            return read is { HasErrors: false, Recipe: { } recipe }
                ? new CatalogEntry(read.Name, new LoadedRecipe(read.Name, recipe, read.CanonicalJson, read.Sha256), read.Problems)
                : new CatalogEntry(read.Name.Length == 0 ? name : read.Name, null, read.Problems);
        }
        catch (InvalidInputException invalid)
        {
            return new CatalogEntry(name, null, invalid.Problems);
        }
    }

    /// <summary>Reports names that are not known.</summary>
    internal static void CheckNames(IReadOnlyList<string> names, string[] known, string where)
    {
        var problems = names.Where(n => !known.Contains(n)).Select(n => ToolRules.UnknownRecipe.At(
            where,
            $"there is no recipe '{n}'; known: {string.Join(", ", known)}.",
            EditDistance.DidYouMean(n, known))).ToArray();
        if (problems.Length > 0)
            throw new InvalidInputException(problems);
    }

    /// <summary>The folder of the project that an assembly was built from, else the assembly's own.</summary>
    internal static string RootOfAssembly(string assembly, string name)
    {
        var own = Path.GetDirectoryName(assembly)!;
        for (var folder = own; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, name + ".csproj")))
                return folder;
        }

        return own;
    }
}
