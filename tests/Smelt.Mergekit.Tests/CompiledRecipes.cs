extern alias Generators;

using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Smelt.Recipes;

namespace Smelt.Mergekit.Tests;

/// <summary>Compiles recipe sources as a recipe project does.</summary>
internal static class CompiledRecipes
{
    private const string Usings = "global using System; global using Smelt.Recipes; global using static Smelt.Recipes.Syntax;";
    private const string Key = "smelt.recipe:";

    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Preview);

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => !Path.GetFileName(p).StartsWith("Smelt.", StringComparison.Ordinal))
            .Select(p => MetadataReference.CreateFromFile(p)),
        MetadataReference.CreateFromFile(typeof(Recipe).Assembly.Location),
    ];

    /// <summary>The configurations of a source's recipes by name, as the generator folded them; no warning is left.</summary>
    public static Dictionary<string, string> Of(string source)
    {
        var compilation = CSharpCompilation.Create(
            "Imported",
            new[] { Usings, source }.Select(s => CSharpSyntaxTree.ParseText(s, Parse)),
            References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        CSharpGeneratorDriver.Create([new Generators::Smelt.Generators.RecipeGenerator().AsSourceGenerator()], parseOptions: Parse)
            .RunGeneratorsAndUpdateCompilation(compilation, out var updated, out _);
        using var image = new MemoryStream();
        var result = updated.Emit(image);
        var found = result.Diagnostics.Where(d => d.Severity >= DiagnosticSeverity.Warning).ToArray();
        Assert.True(result.Success && found.Length == 0, string.Join("\n", found.AsEnumerable()) + "\n" + source);
        return Assembly.Load(image.ToArray()).GetCustomAttributes<AssemblyMetadataAttribute>()
            .Where(a => a.Key.StartsWith(Key, StringComparison.Ordinal))
            .ToDictionary(a => a.Key[Key.Length..], a => a.Value!);
    }
}
