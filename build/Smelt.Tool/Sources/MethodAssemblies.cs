using System.Runtime.CompilerServices;
using System.Text.Json;
using Smelt.Recipes;

namespace Smelt.Tool.Sources;

/// <summary>
/// Loads the assemblies that bring the merge methods a configuration names, when Smelt has none of that name: the assembly
/// of the recipe itself, or one that it refers to and that lies beside it. What no configuration names is not loaded.
/// </summary>
internal static class MethodAssemblies
{
    /// <summary>Makes the methods of a configuration known as far as an assembly brings them.</summary>
    /// <param name="configuration">The configuration; what is no JSON is left to its reader.</param>
    /// <param name="assembly">The assembly's file.</param>
    /// <exception cref="InvalidInputException">An assembly can't be loaded.</exception>
    public static void Load(ReadOnlyMemory<byte> configuration, string assembly)
    {
        foreach (var id in MethodsOf(configuration).Where(id => Slots.Create(id) is null))
        {
            if (Find(id, assembly) is { } file)
                Load(file, id);
        }
    }

    private static void Load(string file, string id)
    {
        try
        {
            RuntimeHelpers.RunModuleConstructor(RecipeContext.Load(file).ManifestModule.ModuleHandle);
        }
        catch (Exception e) when (e is BadImageFormatException or IOException or TypeLoadException or TypeInitializationException or MissingMethodException)
        {
            throw new InvalidInputException(ToolRules.NotEvaluated.Id, file, $"the assembly of the method {id} can't be loaded: {(e.InnerException ?? e).Message.ReplaceLineEndings(" ")}", "Build it again, against this version of Smelt.Recipes.");
        }
    }

    /// <summary>The assembly that brings a method: one itself, or the nearest that it refers to; null where there is none.</summary>
    private static string? Find(string id, string assembly)
    {
        var folder = Path.GetDirectoryName(assembly)!;
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { assembly };
        var open = new Queue<string>([assembly]);
        while (open.TryDequeue(out var file))
        {
            var read = AssemblyRecipes.Read(file);
            if (read.Methods.Contains(id))
                return file;
            foreach (var name in read.References.Select(r => Path.Combine(folder, r + ".dll")).Where(f => File.Exists(f) && seen.Add(f)))
                open.Enqueue(name);
        }

        return null;
    }

    /// <summary>The values of all keys <c>method</c>, at any depth.</summary>
    private static HashSet<string> MethodsOf(ReadOnlyMemory<byte> configuration)
    {
        var methods = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(configuration.Span);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("method"u8) && reader.Read() && reader.TokenType == JsonTokenType.String)
                    methods.Add(reader.GetString()!);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Reported where the configuration is read.
        }

        return methods;
    }
}
