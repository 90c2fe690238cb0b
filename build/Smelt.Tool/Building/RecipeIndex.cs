using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Smelt.Recipes.Configuration;

namespace Smelt.Tool.Building;

/// <summary>
/// The file <c>NAME.recipes</c> that <c>smelt emit</c> writes beside configurations: what a project holds, where its
/// relative paths start and where each recipe stands in its sources.
/// </summary>
/// <param name="Version">The version of the file's schema.</param>
/// <param name="Project">The project's file.</param>
/// <param name="Assembly">The assembly, which is loaded where a recipe names a method of the user's own.</param>
/// <param name="Recipes">Its recipes, in ordinal order of their names.</param>
/// <param name="Experiments">Its experiments, in ordinal order of their names.</param>
internal sealed record RecipeIndex(int Version, string Project, string Assembly, IReadOnlyList<IndexedRecipe> Recipes, IReadOnlyList<IndexedRecipe> Experiments)
{
    /// <summary>What the names of such files end with.</summary>
    public const string Extension = ".recipes";

    /// <summary>The schema version that this build writes and reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The folder that relative paths start from.</summary>
    [JsonIgnore]
    public string Root => Path.GetDirectoryName(Project)!;

    /// <summary>The text of the file.</summary>
    public string Write() => JsonSerializer.Serialize(this, IndexJson.Default.RecipeIndex) + "\n";

    /// <summary>The configuration of a recipe or an experiment, whose methods are known then.</summary>
    /// <param name="path">The index's file.</param>
    /// <param name="recipe">The recipe or experiment.</param>
    /// <exception cref="InvalidInputException">The configuration was changed since it was emitted.</exception>
    public byte[] Utf8Of(string path, IndexedRecipe recipe)
    {
        var file = Path.Combine(Path.GetDirectoryName(path)!, recipe.File);
        var utf8 = System.IO.File.ReadAllBytes(file);
        var hash = CanonicalJson.Sha256(Encoding.UTF8.GetString(utf8));
        if (hash != recipe.Sha256)
            throw new InvalidInputException(ToolRules.HashDiffers.Id, file, $"recipe {recipe.Name} has the hash {hash}, and {recipe.Sha256} when it was emitted.", "Build the project again with --no-incremental.");
        Sources.MethodAssemblies.Load(utf8, Assembly);
        return utf8;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidInputException">The file is no index, or one of another version.</exception>
    public static RecipeIndex Read(string path)
    {
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllText(path), IndexJson.Default.RecipeIndex) is { Version: CurrentVersion, Project: not null, Assembly: not null, Recipes: not null, Experiments: not null } index)
                return index;
        }
        catch (JsonException)
        {
            // Reported below, like a file of another version.
        }

        throw new InvalidInputException(ToolRules.NoSuchSource.Id, path, "the file is not what smelt emit of this version writes.", "Build the project again.");
    }
}

/// <summary>A recipe or an experiment of a project.</summary>
/// <param name="Name">Its name.</param>
/// <param name="File">Its configuration, relative to the index.</param>
/// <param name="Sha256">The hash of its configuration.</param>
/// <param name="Place">Where it stands in its sources, as <c>file(line,column)</c>; null where that is not known.</param>
internal sealed record IndexedRecipe(string Name, string File, string Sha256, string? Place);

/// <summary>Writes and reads <see cref="RecipeIndex"/> without reflection.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RecipeIndex))]
internal sealed partial class IndexJson : JsonSerializerContext;
