extern alias Generators;

using System.Collections.Immutable;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Smelt.Generators.Tests;

/// <summary>Compiles recipe sources in memory with the generator and the analyzer, as a recipe project does.</summary>
internal static class RecipeCompilation
{
    private const string Usings = "global using System; global using Smelt.Recipes; global using static Smelt.Recipes.Syntax;";

    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Preview);

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => !Path.GetFileName(p).StartsWith("Smelt.", StringComparison.Ordinal))
            .Select(p => MetadataReference.CreateFromFile(p)),
        MetadataReference.CreateFromFile(typeof(Recipes.Recipe).Assembly.Location),
    ];

    /// <summary>A compilation of the given files.</summary>
    public static CSharpCompilation Of(params string[] sources) => CSharpCompilation.Create(
        "Recipes.Under.Test",
        sources.Prepend(Usings).Select((s, i) => CSharpSyntaxTree.ParseText(s, Parse, $"File{i}.cs")),
        References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    /// <summary>A driver that tracks its steps.</summary>
    public static CSharpGeneratorDriver Driver() => CSharpGeneratorDriver.Create(
        [new Generators::Smelt.Generators.RecipeGenerator().AsSourceGenerator()],
        parseOptions: Parse,
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>Another text in the place of one file's.</summary>
    public static CSharpCompilation Replace(CSharpCompilation compilation, int file, string source)
    {
        var tree = compilation.SyntaxTrees[file];
        return compilation.ReplaceSyntaxTree(tree, CSharpSyntaxTree.ParseText(source, Parse, tree.FilePath));
    }

    /// <summary>Compiles, generated sources included, and loads the assembly.</summary>
    public static Assembly Load(CSharpCompilation compilation)
    {
        Driver().AddGenerators([new Generators::Smelt.Generators.ExperimentGenerator().AsSourceGenerator(), new Generators::Smelt.Generators.Methods.MethodGenerator().AsSourceGenerator()])
            .RunGeneratorsAndUpdateCompilation(compilation, out var updated, out var diagnostics);
        Assert.Empty(diagnostics);
        var image = new MemoryStream();
        var result = updated.Emit(image);
        Assert.True(result.Success, string.Join("\n", result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error)));
        return Assembly.Load(image.ToArray());
    }

    /// <summary>The assembly metadata that begins with a key.</summary>
    public static Dictionary<string, string> Metadata(Assembly assembly, string key) =>
        assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Where(a => a.Key.StartsWith(key, StringComparison.Ordinal))
            .ToDictionary(a => a.Key[key.Length..], a => a.Value!);

    /// <summary>What the analyzer reports, in the order of the source.</summary>
    public static IReadOnlyList<Diagnostic> Analyze(CSharpCompilation compilation, string? lockFile = null)
    {
        ImmutableArray<AdditionalText> files = lockFile is null ? [] : [new LockText(lockFile)];
        var analyzed = compilation.WithAnalyzers([new Generators::Smelt.Generators.Analyzers.RecipeAnalyzer(), new Generators::Smelt.Generators.Analyzers.ExperimentAnalyzer(), new Generators::Smelt.Generators.Analyzers.MethodAnalyzer()], new AnalyzerOptions(files));
        return [.. analyzed.GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult().OrderBy(d => d.Location.SourceSpan.Start).ThenBy(d => d.Id)];
    }

    /// <summary>A recipe class whose Define returns the given expression.</summary>
    public static string Recipe(string expression, string name = "test") =>
        $$"""
        [Recipe("{{name}}")]
        public static partial class Test
        {
            public static Recipe Define() => {{expression}};
        }
        """;

    /// <summary>The text of a source at a location.</summary>
    public static string TextAt(Location location) => location.SourceTree!.GetText().ToString(location.SourceSpan);

    private sealed class LockText(string text) : AdditionalText
    {
        public override string Path => "project/smelt.lock";

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }
}
