using System.Globalization;
using Smelt.Benchmarks;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using static Smelt.Recipes.Syntax;

// Usage: Smelt.Benchmarks [--root DIR] [--size 135M|1.2B] [--experts 8] [--runs 5] [--only NAME]
string Option(string name, string fallback) => Array.IndexOf(args, "--" + name) is >= 0 and var i && i + 1 < args.Length ? args[i + 1] : fallback;
var root = Option("root", Path.Combine(Path.GetTempPath(), "smelt-benchmarks"));
var shape = Option("size", "135M") == "1.2B" ? ModelShape.Large : ModelShape.Small;
var experts = int.Parse(Option("experts", "8"), CultureInfo.InvariantCulture);
var runs = int.Parse(Option("runs", "5"), CultureInfo.InvariantCulture);
var only = Option("only", "");

var folders = ModelMaker.Make(shape, experts, root);
var baseModel = Folder(folders[0]);
var models = Sequence.From(folders.Skip(1).Select(f => new Expert(Folder(f))));
var bytes = CheckpointFolder.Open(folders[0]).TotalBytes;
var files = folders.Select(f => Path.Combine(f, CheckpointFolder.SingleName)).ToArray();

(string Name, string Unit, string Goal, Recipe Recipe)[] work =
[
    ("averaging", "U", "1.5", new Average { Base = baseModel, Experts = models }),
    ("task arithmetic", "U", "1.5", new TaskArithmetic { Base = baseModel, Experts = models, Lambda = 0.4 }),
    ("DARE-TIES, drop 0.8", "L", "2.5", new DareTies { Base = baseModel, Experts = models, Density = 0.2, TrimDensity = 1, Seed = 1 }),
    ("TIES per tensor, density 0.2", "L", "2.5", new Ties { Base = baseModel, Experts = models, Profile = Profile.Mergekit, Density = 0.2 }),
    ("TIES whole model, density 0.2", "L", "3.5", new Ties { Base = baseModel, Experts = models, Density = 0.2 }),
    ("DARE-TIES then trim (paper)", "L", "", new DareTies { Base = baseModel, Experts = models, Density = 0.2, Seed = 1 }),
    ("DARE-TIES, L1 rescale (mergekit)", "L", "", new DareTies { Base = baseModel, Experts = models, Profile = Profile.Mergekit, Density = 0.2, Seed = 1 }),
];

var output = Path.Combine(root, "output");
var unit = IoUnit.Measure(files, Path.Combine(root, "unit.bin"), bytes, Math.Min(runs, 5));
Console.WriteLine($"{shape.Name}, {experts} experts, BF16, {Environment.ProcessorCount} cores, best of {runs}; U = {unit * 1000:F0} ms");
Console.WriteLine("| work | seconds | ratio | goal |\n|---|---|---|---|");
var linear = 0.0;
foreach (var (name, per, goal, recipe) in work)
{
    if (only.Length > 0 && !name.Contains(only, StringComparison.Ordinal))
        continue;
    var best = double.PositiveInfinity; var cu = best;
    for (var run = 0; run < runs; run++)
    {
        var plan = Planner.Plan("benchmark", recipe, ConfigurationWriter.Write("benchmark", recipe), root);
        if (Directory.Exists(output))
            Directory.Delete(output, recursive: true);
        var p0 = Environment.CpuUsage;
        best = Math.Min(best, MergeExecutor.Run(plan, new MergeOptions { Output = output, Durable = false }, new ProgressCounter(), CancellationToken.None).Elapsed.TotalSeconds);
        var p1 = Environment.CpuUsage;
        cu = Math.Min(cu, (p1.TotalTime - p0.TotalTime).TotalMilliseconds);
        Console.Error.WriteLine($"u {(p1.UserTime - p0.UserTime).TotalMilliseconds:F0} s {(p1.PrivilegedTime - p0.PrivilegedTime).TotalMilliseconds:F0}");
    }
    Console.Error.WriteLine($"cpu {cu:F0}");

    linear = linear == 0 ? best : linear;
    Console.WriteLine($"| {name} | {best:F3} | {best / (per == "U" ? unit : linear):F2} {per} | {(goal.Length > 0 ? $"<= {goal} {per}" : "")} |");
}

Directory.Delete(output, recursive: true);
