using System.Diagnostics;
using System.Globalization;
using Smelt.Checkpoints;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using static Smelt.Recipes.Syntax;

namespace Smelt.Benchmarks;

/// <summary>Whole processes of the tool: start-up, time and anonymous memory at a model size, Linux only.</summary>
internal static class ProcessBenchmark
{
    /// <summary>Runs the tool on the merges of the table and prints times, times per parameter and peaks of memory.</summary>
    public static void Run(Options options)
    {
        Console.WriteLine($"{options.Shape.Name}, {options.Experts} experts, whole processes, {Environment.ProcessorCount} cores, best of {options.Runs}");
        Console.WriteLine("| work | s | ns per parameter and input | anonymous memory |\n|---|---|---|---|");
        Directory.CreateDirectory(options.Root);
        if (options.Selects("--version"))
            Row("smelt --version", options, ["--version"], null, 0);
        if (options.Selects("1 MB configuration"))
            Row("smelt run, 1 MB configuration, tiny models", options, ["run", LargeConfiguration(options.Root), "--out", Path.Combine(options.Root, "large-output"), "--no-sync"], Path.Combine(options.Root, "large-output"), 0);

        var rows = MergeBenchmark.Rows([.. Enumerable.Range(0, options.Experts + 1).Select(i => ModelMaker.FolderOf(options.Shape, i, options.Root))])
            .Where(r => options.Selects(r.Name) && !r.Name.Contains("22 points", StringComparison.Ordinal)).ToArray();
        if (rows.Length == 0)
            return;
        var folders = ModelMaker.Make(options.Shape, options.Experts, options.Root);
        var elements = CheckpointFolder.Open(folders[0]).TotalBytes / 2;
        foreach (var row in rows)
        {
            var file = Path.Combine(options.Root, "recipe.json");
            var output = Path.Combine(options.Root, "process-output");
            File.WriteAllText(file, ConfigurationWriter.Write("benchmark", row.Recipe));
            Row(row.Name, options, ["run", file, "--out", output, "--no-sync"], output, elements * (options.Experts + (row.Recipe is Average ? 0 : 1)));
        }
    }

    private static void Row(string name, Options options, string[] arguments, string? output, long elements)
    {
        var best = double.PositiveInfinity;
        var memory = 0L;
        for (var run = 0; run < options.Runs; run++)
        {
            if (output is not null && Directory.Exists(output))
                Directory.Delete(output, recursive: true);
            var watch = Stopwatch.StartNew();
            using var process = Process.Start(new ProcessStartInfo(options.Tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            var errors = process.StandardError.ReadToEndAsync();
            while (!process.WaitForExit(5))
                memory = Math.Max(memory, Anonymous(process.Id));
            best = Math.Min(best, watch.Elapsed.TotalSeconds);
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{name}: exit code {process.ExitCode}\n{string.Join('\n', errors.Result.Split('\n').Take(10))}");
        }

        if (output is not null && Directory.Exists(output))
            Directory.Delete(output, recursive: true);
        Console.WriteLine($"| {name} | {best:F3} | {(elements > 0 ? (best * 1e9 / elements).ToString("F3", CultureInfo.InvariantCulture) : "")} | {memory / 1024} MiB |");
    }

    /// <summary>Resident anonymous memory of a process in KiB: what it has taken beside the page cache.</summary>
    private static long Anonymous(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>A recipe of two tiny models whose rules for single tensors make about a megabyte.</summary>
    private static string LargeConfiguration(string root)
    {
        var folders = ModelMaker.Make(ModelShape.Tiny, 2, root);
        var names = ModelShape.Tiny.Tensors().Select(t => t.Name).ToArray();
        var rules = Enumerable.Range(0, names.Length).Select(i => On(names[i]) with { Weight = 0.5 + (i / 1e6), Lambda = 1 + (i / 1e7) });
        var recipe = new TaskArithmetic
        {
            Base = Folder(folders[0]),
            Experts = [new Expert(Folder(folders[1])), new Expert(Folder(folders[2]))],
            Tensors = Sequence.From(rules.Cast<TensorRule>()),
        };
        var file = Path.Combine(root, "large-output.json");
        File.WriteAllText(file, ConfigurationWriter.Write("large-output", recipe));
        return file;
    }
}
