using System.Diagnostics;
using System.Globalization;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Tests;

/// <summary>
/// Kills the tool with SIGKILL at random moments and starts it again until it is done. <c>build/storm.sh</c> runs the same
/// with more kills and another seed.
/// </summary>
public sealed class StormTests : IDisposable
{
    private const int Elements = 1 << 20;
    private const int Tensors = 4;

    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_merge_that_is_killed_at_any_moment_ends_as_an_undisturbed_one()
    {
        var kills = Setting("SMELT_STORM_KILLS", 20);
        var seed = Setting("SMELT_STORM_SEED", 1);
        var random = new Random(seed);
        for (var model = 0; model < 4; model++)
            WriteModel(model);
        string[] recipes =
        [
            Recipe("average", ""),
            Recipe("task_arithmetic", "\"lambda\": {\"sweep\": [0.5, 1]},"),
            Recipe("ties", "\"density\": 0.2, \"trim\": \"model\","),
            Recipe("ties", "\"density\": 0.3, \"trim\": \"tensor\", \"cut\": \"exact\","),
            Recipe("dare_ties", "\"density\": 0.4, \"seed\": 7,"),
        ];
        var inputs = Snapshot("m0", "m1", "m2", "m3");
        var done = 0;
        for (var round = 0; done < kills; round++)
        {
            var recipe = recipes[round % recipes.Length];
            var whole = _work[$"whole-{round % recipes.Length}"];
            var length = TimeSpan.FromSeconds(1);
            if (!Directory.Exists(whole))
            {
                var watch = Stopwatch.StartNew();
                Assert.Equal(0, Start(recipe, whole).Finish());
                length = watch.Elapsed;
            }

            // Every third round replaces an older output, of another recipe.
            var output = _work["out"];
            var older = round % 3 == 2 ? _work[$"whole-{(round + recipes.Length - 1) % recipes.Length}"] : null;
            if (older is not null)
                Copy(older, output);
            var ended = false;
            for (var finished = false; !finished;)
            {
                // With little memory, a trim in one pass writes what it can't hold before it is complete.
                using var run = Start(recipe, output, [.. older is null ? [] : new[] { "--force" }, .. random.Next(2) == 0 ? [] : new[] { "--max-memory", "64MiB" }]);
                finished = run.Process.WaitForExit(TimeSpan.FromMilliseconds(random.Next(20, (int)(length.TotalMilliseconds * 1.2) + 21)));
                if (finished)
                {
                    ended = true;
                    Assert.Equal(0, run.Finish());
                    break;
                }

                run.Process.Kill();
                run.Process.WaitForExit();
                done++;

                // Either all of the older output is there, or nothing where there was none (or the kill came between the two
                // renames of a replacement), or all of the new one: the kill came after the commit.
                if (Directory.Exists(output))
                {
                    if (older is not null && IsSame(older, output))
                        continue;
                    AssertSame(whole, output, seed, round);
                    break;
                }

                Assert.True(older is null || IsSame(older, _work[".out.smelt.replaced"]), $"seed {seed}, round {round}: the older output is lost");
            }

            if (!Directory.Exists(output))
                Assert.Fail($"seed {seed}, round {round}: no output");
            AssertSame(whole, output, seed, round);
            Assert.Equal(inputs, Snapshot("m0", "m1", "m2", "m3"));
            Directory.Delete(output, recursive: true);

            // A kill between the commit and its cleaning leaves at most the lock, the journal and what was replaced; a run that ends leaves nothing.
            var left = Directory.GetFileSystemEntries(_work.Folder, ".out.smelt*").Select(Path.GetFileName).ToArray();
            Assert.True(left.Length == 0 || (!ended && !left.Contains(".out.smelt")), $"seed {seed}, round {round}: {string.Join(", ", left)} left");
            if (Directory.Exists(_work[".out.smelt.replaced"]))
                Directory.Delete(_work[".out.smelt.replaced"], recursive: true);
        }
    }

    private static int Setting(string name, int fallback) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;

    private static void AssertSame(string expected, string actual, int seed, int round) =>
        Assert.True(IsSame(expected, actual), $"seed {seed}, round {round}: the output differs from {Path.GetFileName(expected)}");

    private static bool IsSame(string expected, string actual) =>
        Directory.Exists(actual) && Files(expected).SequenceEqual(Files(actual))
        && Files(expected).All(file => File.ReadAllBytes(Path.Combine(expected, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(actual, file))));

    private static string[] Files(string folder) =>
        [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)];

    private static void Copy(string from, string to)
    {
        foreach (var file in Files(from))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(to, file))!);
            File.Copy(Path.Combine(from, file), Path.Combine(to, file));
        }
    }

    private (long, DateTime)[] Snapshot(params string[] models) =>
        [.. models.Select(m => new FileInfo(Path.Combine(_work[m], "model.safetensors"))).Select(f => (f.Length, f.LastWriteTimeUtc))];

    private void WriteModel(int model)
    {
        var random = new Random(model);
        _work.Tensors($"m{model}", [.. Enumerable.Range(0, Tensors).Select(t =>
        {
            var values = new float[Elements];
            for (var i = 0; i < values.Length; i++)
                values[i] = MathF.Round(random.NextSingle() * 64) / 64;
            return ($"t{t}.weight", values);
        })]);
    }

    private int _recipes;

    private string Recipe(string method, string settings) => _work.Write($"r{_recipes++}.json", $$"""
        {"version": 1, "name": "storm", "method": "{{method}}", {{settings}} "maxShardSize": 6000000,
         "base": {"folder": "m0"},
         "experts": [{"model": {"folder": "m1"} }, {"model": {"folder": "m2"} }, {"model": {"folder": "m3"} } ] }
        """);

    private Run Start(string recipe, string output, params string[] options) => new(Process.Start(new ProcessStartInfo(ChildProcess.Dotnet, ["exec", typeof(ExitCode).Assembly.Location, "run", recipe, "--out", output, .. options])
    {
        WorkingDirectory = _work.Folder,
        RedirectStandardError = true,
        RedirectStandardOutput = true,
    })!);

    private sealed class Run : IDisposable
    {
        private readonly Task<string> _error;

        public Run(Process process)
        {
            Process = process;
            _error = process.StandardError.ReadToEndAsync();
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
        }

        public Process Process { get; }

        public int Finish()
        {
            Process.WaitForExit();
            Assert.True(Process.ExitCode == 0, _error.Result);
            return Process.ExitCode;
        }

        public void Dispose() => Process.Dispose();
    }
}
