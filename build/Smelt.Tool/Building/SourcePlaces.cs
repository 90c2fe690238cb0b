using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Smelt.Tool.Building;

/// <summary>
/// Where the recipes of an assembly stand in their sources: the first expression of each <c>Define</c> method, out of the
/// assembly's symbols. The generator could not leave them in the assembly: it would emit every recipe anew on each line that
/// is typed above it.
/// </summary>
internal sealed class SourcePlaces
{
    private readonly Dictionary<string, string> _recipes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _experiments = new(StringComparer.Ordinal);

    private SourcePlaces()
    {
    }

    /// <summary>Reads the places of an assembly; none where it has no symbols.</summary>
    /// <param name="assembly">The assembly's file.</param>
    /// <param name="root">The project's folder, for symbols whose paths were mapped to be the same on every machine.</param>
    public static SourcePlaces Read(string assembly, string root)
    {
        var places = new SourcePlaces();
        using var image = new PEReader(File.OpenRead(assembly));
        if (!image.TryOpenAssociatedPortablePdb(assembly, path => File.Exists(path) ? File.OpenRead(path) : null, out var provider, out _))
            return places;
        using (provider)
            places.Read(image.GetMetadataReader(), provider!.GetMetadataReader(), root);
        return places;
    }

    /// <summary>The place of a recipe, as <c>file(line,column)</c>; null where it is not known.</summary>
    public string? OfRecipe(string name) => _recipes.GetValueOrDefault(name);

    /// <summary>The place of an experiment, as <c>file(line,column)</c>; null where it is not known.</summary>
    public string? OfExperiment(string name) => _experiments.GetValueOrDefault(name);

    private void Read(MetadataReader types, MetadataReader symbols, string root)
    {
        foreach (var type in types.TypeDefinitions.Select(types.GetTypeDefinition))
        {
            foreach (var (attribute, name) in Declarations(types, type))
            {
                if (PlaceOfDefine(types, type, symbols, root) is { } place)
                    (attribute == "RecipeAttribute" ? _recipes : _experiments).TryAdd(name, place);
            }
        }
    }

    private static IEnumerable<(string Attribute, string Name)> Declarations(MetadataReader types, TypeDefinition type)
    {
        foreach (var attribute in type.GetCustomAttributes().Select(types.GetCustomAttribute))
        {
            if (attribute.Constructor.Kind != HandleKind.MemberReference
                || types.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent is not { Kind: HandleKind.TypeReference } parent)
                continue;
            var declared = types.GetTypeReference((TypeReferenceHandle)parent);
            var kind = types.GetString(declared.Name);
            if (kind is not ("RecipeAttribute" or "ExperimentAttribute") || types.GetString(declared.Namespace) != "Smelt.Recipes")
                continue;
            var blob = types.GetBlobReader(attribute.Value);
            blob.ReadUInt16();
            if (blob.ReadSerializedString() is { } name)
                yield return (kind, name);
        }
    }

    private static string? PlaceOfDefine(MetadataReader types, TypeDefinition type, MetadataReader symbols, string root)
    {
        foreach (var handle in type.GetMethods())
        {
            var method = types.GetMethodDefinition(handle);
            if (types.GetString(method.Name) != "Define" || method.GetParameters().Count > 0)
                continue;
            var points = symbols.GetMethodDebugInformation(handle.ToDebugInformationHandle()).GetSequencePoints().Where(p => !p.IsHidden);
            foreach (var point in points)
            {
                var document = symbols.GetString(symbols.GetDocument(point.Document).Name);
                return $"{Locate(document, root)}({point.StartLine},{point.StartColumn})";
            }
        }

        return null;
    }

    /// <summary>The file of a document: its path, or the longest end of a mapped path that is a file of the project.</summary>
    private static string Locate(string document, string root)
    {
        if (File.Exists(document))
            return document;
        var parts = document.Split('/', '\\');
        for (var skipped = 1; skipped < parts.Length; skipped++)
        {
            var candidate = Path.Combine([root, .. parts.Skip(skipped)]);
            if (File.Exists(candidate))
                return candidate;
        }

        return document;
    }
}
