extern alias Generators;

using System.Diagnostics;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Generators::Smelt.Generators;
using Generators::Smelt.Generators.Analyzers;

namespace Smelt.Benchmarks;

/// <summary>
/// What typing costs in a project of many recipes: the generators by the driver's own timings, for a first run, an edit that
/// has nothing to do with recipes and an edit of one recipe, and the analyzers on all of it. The process is warm, as an
/// editor's is; the first figure is that of the first run of all.
/// </summary>
internal static class GeneratorBenchmark
{
    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Preview);

    /// <summary>Runs it.</summary>
    public static void Run(Options options)
    {
        var count = options.Recipes;
        var sources = Enumerable.Range(0, count).Select(Recipe).Append(Handles).Append(Unrelated(0)).Prepend("global using Smelt.Recipes; global using static Smelt.Recipes.Syntax;").ToArray();
        Console.WriteLine($"{count} recipes in {count} files, best of {options.Runs}:");
        Console.WriteLine();
        Console.WriteLine("| work | ms | re-run steps | files emitted |");
        Console.WriteLine("|---|---|---|---|");

        double first = 0, full = double.PositiveInfinity, unrelated = double.PositiveInfinity, own = double.PositiveInfinity, handles = double.PositiveInfinity, analyzers = double.PositiveInfinity;
        string unrelatedSteps = "", ownSteps = "", handlesSteps = "";
        for (var run = 0; run <= options.Runs; run++)
        {
            var compilation = Compile(sources, run);
            GeneratorDriver driver = CSharpGeneratorDriver.Create(
                [new RecipeGenerator().AsSourceGenerator(), new ExperimentGenerator().AsSourceGenerator()],
                parseOptions: Parse,
                driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
            driver = driver.RunGenerators(compilation);
            if (run == 0)
            {
                first = Elapsed(driver);
                if (driver.GetRunResult().Diagnostics.Length > 0 || driver.GetRunResult().GeneratedTrees.Length != count + 1)
                    throw new InvalidOperationException("the recipes of the benchmark do not fold");
            }
            else
            {
                full = Math.Min(full, Elapsed(driver));
            }

            compilation = Replace(compilation, count + 2, Unrelated(1));
            driver = driver.RunGenerators(compilation);
            (unrelated, unrelatedSteps) = (Math.Min(unrelated, Elapsed(driver)), Steps(driver));

            compilation = Replace(compilation, 1 + (count / 2), Recipe(count / 2).Replace("Lambda = 0.", "Lambda = 1.", StringComparison.Ordinal));
            driver = driver.RunGenerators(compilation);
            (own, ownSteps) = (Math.Min(own, Elapsed(driver)), Steps(driver));

            compilation = Replace(compilation, count + 1, Handles.Replace("models/third", "models/other", StringComparison.Ordinal));
            driver = driver.RunGenerators(compilation);
            (handles, handlesSteps) = (Math.Min(handles, Elapsed(driver)), Steps(driver));

            if (run > 0)
                analyzers = Math.Min(analyzers, Analyze(compilation));
        }

        Print("first run of a new process", first, $"all | {count + 1}");
        Print("full run", full, $"all | {count + 1}");
        Print("edit elsewhere", unrelated, unrelatedSteps);
        Print("edit of one recipe", own, ownSteps);
        Print("edit of a model handle that all use", handles, handlesSteps);
        Print("analyzers, all files", analyzers, " | ");
    }

    private static void Print(string work, double milliseconds, string rest) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {work} | {milliseconds:0.0} | {rest} |"));

    private static double Elapsed(GeneratorDriver driver) => driver.GetTimingInfo().GeneratorTimes.Sum(t => t.ElapsedTime.TotalMilliseconds);

    /// <summary>The folding steps whose result is new, and the sources that were emitted anew.</summary>
    private static string Steps(GeneratorDriver driver)
    {
        var results = driver.GetRunResult().Results;
        var folds = results.Where(r => r.TrackedSteps.ContainsKey(RecipeGenerator.FoldStep)).SelectMany(r => r.TrackedSteps[RecipeGenerator.FoldStep]).SelectMany(s => s.Outputs)
            .Count(o => o.Reason is IncrementalStepRunReason.Modified or IncrementalStepRunReason.New);
        var emitted = results.SelectMany(r => r.TrackedOutputSteps).SelectMany(s => s.Value).SelectMany(s => s.Outputs)
            .Count(o => o.Reason is IncrementalStepRunReason.Modified or IncrementalStepRunReason.New);
        return $"{folds} | {emitted}";
    }

    private static double Analyze(CSharpCompilation compilation)
    {
        var watch = Stopwatch.StartNew();
        var diagnostics = compilation.WithAnalyzers([new RecipeAnalyzer(), new ExperimentAnalyzer()]).GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult();
        if (diagnostics.Any(d => d.Severity >= DiagnosticSeverity.Warning))
            throw new InvalidOperationException(diagnostics.First(d => d.Severity >= DiagnosticSeverity.Warning).ToString());
        return watch.Elapsed.TotalMilliseconds;
    }

    private static CSharpCompilation Compile(string[] sources, int run)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => Path.GetFileName(p) is var name && (name.StartsWith("System.", StringComparison.Ordinal) || name is "netstandard.dll"))
            .Append(typeof(Smelt.Recipes.Recipe).Assembly.Location)
            .Select(p => MetadataReference.CreateFromFile(p));
        return CSharpCompilation.Create(
            "Recipes" + run.ToString(CultureInfo.InvariantCulture),
            sources.Select((s, i) => CSharpSyntaxTree.ParseText(s, Parse, $"File{i}.cs")),
            references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
    }

    private static CSharpCompilation Replace(CSharpCompilation compilation, int file, string source)
    {
        var tree = compilation.SyntaxTrees[file];
        return compilation.ReplaceSyntaxTree(tree, CSharpSyntaxTree.ParseText(source, Parse, tree.FilePath));
    }

    private const string Handles =
        """
        namespace Models;

        internal static class Family
        {
            public static readonly Model Base = Folder("models/base");
            public static readonly Model First = Folder("models/first");
            public static Model Second => Hub("org/second");
            public static readonly Expert[] More = [Folder("models/third"), new(Hub("org/fourth")) { Weight = 0.5 }];
        }
        """;

    private static string Unrelated(int version) =>
        $$"""
        namespace Other;

        internal static class Unrelated
        {
            public static int Answer()
            {
                var answer = {{version}};
                return answer * 42;
            }
        }
        """;

    private static string Recipe(int i) => string.Create(CultureInfo.InvariantCulture, $$"""
        namespace Project.Part{{i % 10}};

        using Models;

        /// <summary>A recipe.</summary>
        [Recipe("recipe-{{i}}")]
        public static partial class Recipe{{i}}
        {
            /// <summary>The recipe.</summary>
            public static Recipe Define() => new {{(i % 3 == 0 ? "Ties" : i % 3 == 1 ? "DareTies" : "TaskArithmetic")}}
            {
                Base = Family.Base,
                Experts =
                [
                    new(Family.First) { Weight = 0.{{i + 1}} },
                    new(Family.Second) { Weight = Sweep(0.2, 0.4, 0.6) },
                    new(Folder("models/own-{{i}}")) { Weight = Gradient(0.1, 0.9) },
                    .. Family.More,
                ],
                Tensors =
                [
                    On("**.mlp.**") with { Weight = 0.3 },
                    On("**.self_attn.**") with { Weight = Gradient(0, 0.5, 1) },
                    Keep("lm_head.**", "**.embed_tokens.**"),
                ],
                Lambda = 0.7{{i}},
                Dtype = DType.BF16,
            };
        }
        """);
}
