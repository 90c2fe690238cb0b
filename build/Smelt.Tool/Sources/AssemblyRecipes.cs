using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Smelt.Tool.Sources;

/// <summary>A recipe as an assembly declares it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Configuration">Its canonical JSON; null where it has to be evaluated.</param>
/// <param name="Hash">The SHA-256 that the compiler took of it; null where there is none.</param>
/// <param name="EvaluatedType">The class whose <c>Define</c> method gives it; null where it is constant.</param>
internal sealed record DeclaredRecipe(string Name, string? Configuration, string? Hash, string? EvaluatedType);

/// <summary>
/// Reads the recipes of an assembly out of its metadata; no code of it runs. The generator leaves them as
/// <c>AssemblyMetadata("smelt.recipe:NAME", json)</c> with their hash, or <c>("smelt.recipe-dynamic:NAME", type)</c>.
/// </summary>
internal sealed class AssemblyRecipes
{
    private const string RecipeKey = "smelt.recipe:";
    private const string HashKey = "smelt.recipe-hash:";
    private const string DynamicKey = "smelt.recipe-dynamic:";
    private const string ExperimentKey = "smelt.experiment:";
    private const string DynamicExperimentKey = "smelt.experiment-dynamic:";
    private const string MethodKey = "smelt.method:";

    private AssemblyRecipes(string assemblyName, IReadOnlyList<DeclaredRecipe> recipes, IReadOnlyList<DeclaredRecipe> experiments, IReadOnlyList<string> methods, IReadOnlyList<string> references)
    {
        (Methods, References) = (methods, references);
        AssemblyName = assemblyName;
        Recipes = recipes;
        Experiments = experiments;
    }

    /// <summary>The assembly's simple name.</summary>
    public string AssemblyName { get; }

    /// <summary>The recipes in the order of the metadata.</summary>
    public IReadOnlyList<DeclaredRecipe> Recipes { get; }

    /// <summary>The experiments, declared as recipes are.</summary>
    public IReadOnlyList<DeclaredRecipe> Experiments { get; }

    /// <summary>The ids of the merge methods that it brings.</summary>
    public IReadOnlyList<string> Methods { get; }

    /// <summary>The names of the assemblies that it refers to.</summary>
    public IReadOnlyList<string> References { get; }

    /// <summary>Reads an assembly.</summary>
    /// <exception cref="InvalidInputException">The file is no assembly.</exception>
    public static AssemblyRecipes Read(string path)
    {
        try
        {
            using var file = new PEReader(File.OpenRead(path));
            if (file.HasMetadata)
                return Read(path, file.GetMetadataReader());
        }
        catch (BadImageFormatException)
        {
            // Reported below, like a native library, which has no metadata.
        }

        throw new InvalidInputException(ToolRules.NoSuchSource.Id, path, "the file is no .NET assembly.");
    }

    private static AssemblyRecipes Read(string path, MetadataReader reader)
    {
        var (recipes, experiments) = (new List<DeclaredRecipe>(), new List<DeclaredRecipe>());
        var methods = new List<string>();
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in AssemblyMetadata(reader))
        {
            if (key.StartsWith(RecipeKey, StringComparison.Ordinal))
                recipes.Add(new DeclaredRecipe(key[RecipeKey.Length..], value, null, null));
            else if (key.StartsWith(DynamicKey, StringComparison.Ordinal))
                recipes.Add(new DeclaredRecipe(key[DynamicKey.Length..], null, null, value));
            else if (key.StartsWith(ExperimentKey, StringComparison.Ordinal))
                experiments.Add(new DeclaredRecipe(key[ExperimentKey.Length..], value, null, null));
            else if (key.StartsWith(DynamicExperimentKey, StringComparison.Ordinal))
                experiments.Add(new DeclaredRecipe(key[DynamicExperimentKey.Length..], null, null, value));
            else if (key.StartsWith(MethodKey, StringComparison.Ordinal))
                methods.Add(key[MethodKey.Length..]);
            else if (key.StartsWith(HashKey, StringComparison.Ordinal))
                hashes[key[HashKey.Length..]] = value;
        }

        return new AssemblyRecipes(reader.GetString(reader.GetAssemblyDefinition().Name), [.. recipes.Select(r => r with { Hash = hashes.GetValueOrDefault(r.Name) })], experiments, methods,
            [.. reader.AssemblyReferences.Select(r => reader.GetString(reader.GetAssemblyReference(r).Name))]);
    }

    private static IEnumerable<(string Key, string Value)> AssemblyMetadata(MetadataReader reader)
    {
        foreach (var handle in reader.GetAssemblyDefinition().GetCustomAttributes())
        {
            var attribute = reader.GetCustomAttribute(handle);
            if (!IsAssemblyMetadata(reader, attribute))
                continue;
            var blob = reader.GetBlobReader(attribute.Value);
            blob.ReadUInt16();
            if (blob.ReadSerializedString() is { } key && blob.ReadSerializedString() is { } value)
                yield return (key, value);
        }
    }

    private static bool IsAssemblyMetadata(MetadataReader reader, CustomAttribute attribute)
    {
        if (attribute.Constructor.Kind != HandleKind.MemberReference)
            return false;
        var parent = reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent;
        if (parent.Kind != HandleKind.TypeReference)
            return false;
        var type = reader.GetTypeReference((TypeReferenceHandle)parent);
        return reader.StringComparer.Equals(type.Name, "AssemblyMetadataAttribute") && reader.StringComparer.Equals(type.Namespace, "System.Reflection");
    }
}
