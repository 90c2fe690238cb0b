using Smelt.Tool.Sources;

namespace Smelt.Tool.Tests;

/// <summary>The tool as a process of its own, with its output redirected.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void It_merges_a_configuration_and_keeps_results_and_problems_apart()
    {
        _work.Model("one", 1, 2, 3, 4);
        _work.Model("two", 3, 2, 1, 0);
        var result = Smelt("run", _work.Average("mean.json", "one", "two"), "--out", "merged");
        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal([2, 2, 2, 2], Workspace.Values(_work["merged"], 4));
        Assert.DoesNotContain('\u001b', result.Out);

        var again = Smelt("run", "mean.json", "--out", "merged");
        Assert.Equal(2, again.ExitCode);
        Assert.Equal("", again.Out);
        Assert.Contains("SM7008", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_recipe_makes_the_same_bytes()
    {
        _work.Model("base", 1, 2, 3, 4);
        _work.Model("one", 1.5f, 2, 3.25f, 4);
        _work.TaskArithmetic("sum.json", "0.3", "base", "one");
        Assert.Equal(0, Smelt("run", "sum.json", "--out", "a", "--threads", "1").ExitCode);
        Assert.Equal(0, Smelt("run", "sum.json", "--out", "b", "--threads", "3", "--no-sync").ExitCode);
        foreach (var file in Directory.GetFiles(_work["a"]))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(_work["b"], Path.GetFileName(file))));
    }

    [Fact]
    public void The_version_is_printed_alone()
    {
        var result = Smelt("--version");
        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+$", result.Out.Trim());
    }

    private ChildResult Smelt(params string[] arguments) =>
        ChildProcess.Run(ChildProcess.Dotnet, ["exec", typeof(ExitCode).Assembly.Location, .. arguments], _work.Folder, CancellationToken.None);
}
