extern alias Generators;
extern alias Recipes;

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace Smelt.CodeFixes.Tests;

/// <summary>
/// Applies a fix to recipe sources as an editor does: one diagnostic after the other, and all of a document, of a project and
/// of a solution at once. The results must be the same, compile, and have nothing left that the fix is for.
/// </summary>
/// <typeparam name="TAnalyzer">What finds the diagnostics; none for the compiler's own.</typeparam>
/// <typeparam name="TFix">The fix.</typeparam>
internal sealed class RecipeFixTest<TAnalyzer, TFix> : CSharpCodeFixTest<TAnalyzer, TFix, DefaultVerifier>
    where TAnalyzer : DiagnosticAnalyzer, new()
    where TFix : CodeFixProvider, new()
{
    private const string Usings = "global using System; global using Smelt.Recipes; global using static Smelt.Recipes.Syntax;";

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => Path.GetFileName(p) is var name && (name.StartsWith("System.", StringComparison.Ordinal) || name is "netstandard.dll" or "mscorlib.dll"))
            .Select(p => MetadataReference.CreateFromFile(p)),
        MetadataReference.CreateFromFile(typeof(Recipes::Smelt.Recipes.Recipe).Assembly.Location),
    ];

    public RecipeFixTest(string before, string after, int iterations)
    {
        ReferenceAssemblies = new ReferenceAssemblies("net10.0");
        TestState.AdditionalReferences.AddRange(References);
        TestState.Sources.Add(before);
        TestState.Sources.Add(("Usings.cs", Usings));
        FixedState.Sources.Add(after);
        FixedState.Sources.Add(("Usings.cs", Usings));
        NumberOfIncrementalIterations = iterations;
    }

    protected override ParseOptions CreateParseOptions() => new CSharpParseOptions(LanguageVersion.Preview);

    protected override CompilationOptions CreateCompilationOptions() =>
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable);
}
