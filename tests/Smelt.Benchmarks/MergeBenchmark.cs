using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using static Smelt.Recipes.Syntax;

namespace Smelt.Benchmarks;

/// <summary>What is merged, and what its time is compared with.</summary>
/// <param name="Name">The row's name.</param>
/// <param name="Unit">U, the plain reading and writing of the same bytes, or L, the averaging of the same run.</param>
/// <param name="Goal">The ratio not to exceed; 0 for none.</param>
/// <param name="Recipe">The recipe.</param>
internal sealed record MergeRow(string Name, char Unit, double Goal, Recipe Recipe)
{
    /// <summary>The sweep points of the recipe.</summary>
    public int Points { get; } = SweepExpansion.Expand(Recipe).Count;
}

/// <summary>
/// Merges of models in the page cache, timed inside one process, as ratios within the run: U is <see cref="IoUnit"/>, L is
/// the averaging. In each round U and every row are timed once, and of each the best round counts, so that a machine whose speed
/// drifts does not show in a ratio.
/// </summary>
internal static class MergeBenchmark
{
    /// <summary>Measures all rows and prints them as a table.</summary>
    public static void Run(Options options)
    {
        var folders = ModelMaker.Make(options.Shape, options.Experts, options.Root, options.Linked);
        var bytes = CheckpointFolder.Open(folders[0]).TotalBytes;
        var files = folders.Select(f => Path.Combine(f, CheckpointFolder.SingleName)).ToArray();
        var rows = Rows(folders).Where(r => options.Selects(r.Name)).ToArray();
        var best = Enumerable.Repeat((Seconds: double.PositiveInfinity, Processor: double.PositiveInfinity), rows.Length).ToArray();
        var (unit, writes) = (double.PositiveInfinity, double.PositiveInfinity);
        for (var round = 0; round < options.Runs; round++)
        {
            unit = Math.Min(unit, IoUnit.Measure(files, options.Output + ".bin", bytes, options.Cold));
            for (var i = 0; i < rows.Length; i++)
            {
                var (seconds, processor) = Measure(rows[i].Recipe, files, options);

                // New pages take longer the more scattered free memory is: what writes take counts from the round that the sweep counts from.
                if (rows[i].Points > 1 && IoUnit.MeasureWrites(options.Output + ".bin", rows[i].Points, bytes) is var same && seconds < best[i].Seconds)
                    writes = same;
                best[i] = (Math.Min(best[i].Seconds, seconds), Math.Min(best[i].Processor, processor));
            }
        }

        Console.WriteLine($"{options.Shape.Name}, {options.Experts} experts, BF16, {Environment.ProcessorCount} cores, best of {options.Runs}{(options.Cold ? ", cold" : "")}; U = {unit * 1000:F0} ms, {(bytes * (files.Length + 1)) / unit / 1e9:F2} GB/s");
        Console.WriteLine("| work | s | CPU s | ns per parameter | CPU ns per parameter | ratio | goal |\n|---|---|---|---|---|---|---|");
        var parameters = bytes / 2.0;
        var single = Array.FindIndex(rows, r => r is { Points: 1, Recipe: Ties { Profile: Profile.Mergekit } });
        for (var i = 0; i < rows.Length; i++)
        {
            var (row, (seconds, processor)) = (rows[i], best[i]);
            var goal = row.Goal > 0 ? $"<= {row.Goal} {row.Unit}" : "";
            if (row.Points > 1 && single >= 0)
                goal = SweepGoal(best[single].Seconds, writes);
            var ratio = seconds / (row.Unit == 'U' ? unit : best[0].Seconds);
            Console.WriteLine($"| {row.Name} | {seconds:F3} | {processor:F2} | {seconds / parameters * 1e9:F2} | {processor / parameters * 1e9:F2} | {ratio:F2} {row.Unit} | {goal} |");
        }
    }

    /// <summary>What a sweep may take: three merges of one point, and the time of its writes.</summary>
    private static string SweepGoal(double single, double writes) => $"<= 3 x {single:F3} + {writes:F3} of writes = {(3 * single) + writes:F3} s";

    /// <summary>The merges of the table; averaging, L, is the first.</summary>
    internal static IEnumerable<MergeRow> Rows(string[] folders)
    {
        var baseModel = Folder(folders[0]);
        var experts = Sequence.From(folders.Skip(1).Select(f => new Expert(Folder(f))));
        Scalar lambdas = Sweep([.. Enumerable.Range(0, 11).Select(i => i / 10.0)]);
        return
        [
            new("averaging", 'U', 1.5, new Average { Base = baseModel, Experts = experts }),
            new("task arithmetic", 'U', 1.5, new TaskArithmetic { Base = baseModel, Experts = experts, Lambda = 0.4 }),
            new("DARE-TIES, drop 0.8", 'L', 2.5, new DareTies { Base = baseModel, Experts = experts, Density = 0.2, TrimDensity = 1, Seed = 1 }),
            new("TIES, trim of each tensor, density 0.2", 'L', 2.5, new Ties { Base = baseModel, Experts = experts, Profile = Profile.Mergekit, Density = 0.2 }),
            new("TIES, trim of the model, density 0.2", 'L', 3.5, new Ties { Base = baseModel, Experts = experts, Density = 0.2 }),
            new("TIES, 22 points: 11 lambdas x 2 densities", 'L', 0, new Ties { Base = baseModel, Experts = experts, Profile = Profile.Mergekit, Density = Sweep(0.1, 0.2), Lambda = lambdas }),
            new("DARE-TIES, then trim (paper)", 'L', 0, new DareTies { Base = baseModel, Experts = experts, Density = 0.2, Seed = 1 }),
            new("DARE-TIES, L1 rescale (mergekit)", 'L', 0, new DareTies { Base = baseModel, Experts = experts, Profile = Profile.Mergekit, Density = 0.2, Seed = 1 }),
            new("DARE, sum", 'L', 0, new DareLinear { Base = baseModel, Experts = experts, Density = 0.2, Seed = 1 }),
            new("breadcrumbs, of each tensor (mergekit)", 'L', 0, new Breadcrumbs { Base = baseModel, Experts = experts, Profile = Profile.Mergekit, Density = 0.2 }),
            new("breadcrumbs, of each row (paper)", 'L', 0, new Breadcrumbs { Base = baseModel, Experts = experts, Density = 0.2 }),
            new("DELLA, own probabilities (paper)", 'L', 0, new Della { Base = baseModel, Experts = experts, Density = 0.4, Seed = 1 }),
            new("DELLA, L1 rescale (mergekit)", 'L', 0, new Della { Base = baseModel, Experts = experts, Profile = Profile.Mergekit, Density = 0.4, Seed = 1 }),
        ];
    }

    private static (double Seconds, double Processor) Measure(Recipe recipe, string[] files, Options options)
    {
        var plan = Planner.Plan("benchmark", recipe, ConfigurationWriter.Write("benchmark", recipe), options.Root);
        if (options.Cold)
            PageCache.Drop(files);
        var before = Environment.CpuUsage.TotalTime;
        var result = MergeExecutor.Run(plan, new MergeOptions { Output = options.Output, Durable = false }, new ProgressCounter(), CancellationToken.None);
        var processor = Environment.CpuUsage.TotalTime - before;
        Directory.Delete(options.Output, recursive: true);
        return (result.Elapsed.TotalSeconds, processor.TotalSeconds);
    }
}
