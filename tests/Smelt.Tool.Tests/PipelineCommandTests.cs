namespace Smelt.Tool.Tests;

/// <summary><c>smelt pipeline</c>: the components of recipe projects inside the tool.</summary>
public sealed class PipelineCommandTests : IDisposable
{
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    private Captured Run(ExitCode expected, params string[] arguments)
    {
        var captured = new Captured();
        var code = captured.Run(["pipeline", .. arguments, "--root", _work.Folder]);
        Assert.True(code == expected, captured.Out + captured.Error);
        return captured;
    }

    [Fact]
    public void It_merges_what_has_changed()
    {
        _work.Model("one", 1, 2);
        _work.Model("two", 3, 4);
        var mean = _work.Average("mean.json", "one", "two");

        Assert.Matches(@"(?m)^Build +done .*\nCheck +done .*\nPlan +done .*\nMerge +done ", Run(ExitCode.Done, mean, "Merge", "--output", "models").Out);
        Assert.Equal([2, 3], Workspace.Values(_work["models/mean"], 2));
        Assert.Contains("== Merge up to date", Run(ExitCode.Done, mean, "Merge", "--output", "models", "--threads", "1").Out, StringComparison.Ordinal);

        // The same length, another content; another recipe; a damaged output; another folder.
        _work.Model("two", 5, 6);
        Assert.DoesNotContain("up to date", Run(ExitCode.Done, mean, "Merge", "--output", "models").Out, StringComparison.Ordinal);
        Assert.Equal([3, 4], Workspace.Values(_work["models/mean"], 2));
        _work.Average("mean.json", "two");
        Assert.DoesNotContain("up to date", Run(ExitCode.Done, mean, "Merge", "--output", "models").Out, StringComparison.Ordinal);
        Assert.Equal([5, 6], Workspace.Values(_work["models/mean"], 2));
        File.WriteAllText(_work["models/mean/config.json"], "{}");
        Assert.DoesNotContain("up to date", Run(ExitCode.Done, mean, "Merge", "--output", "models").Out, StringComparison.Ordinal);
        Assert.DoesNotContain("up to date", Run(ExitCode.Done, mean, "Merge").Out, StringComparison.Ordinal);
        Assert.Equal([5, 6], Workspace.Values(_work["out/mean"], 2));
    }

    [Fact]
    public void It_tests_against_snapshots_and_goes_on_after_a_failure()
    {
        _work.Model("one", 1, 2);
        var mean = _work.Average("mean.json", "one");
        var failed = Run(ExitCode.Failed, mean);
        Assert.Matches(@"(?m)^Merge +done .*\nTest +failed: smelt test ended with exit code 1 ", failed.Out);

        File.Move(_work["snapshots/mean.received.txt"], _work["snapshots/mean.verified.txt"]);
        Assert.Matches(@"(?m)^Build +done before\nCheck +done before\nPlan +done before\nMerge +done before\nTest +done ", Run(ExitCode.Done, mean, "--continue").Out);
        Assert.Matches(@"(?m)^Merge +up to date\nTest +up to date\n", Run(ExitCode.Done, mean).Out);

        File.AppendAllText(_work["snapshots/mean.verified.txt"], "\nanother line");
        Assert.Matches(@"(?m)^Merge +up to date\nTest +failed", Run(ExitCode.Failed, mean).Out);
    }

    [Fact]
    public void Models_of_stages_count()
    {
        _work.Model("one", 1, 2);
        _work.Model("two", 3, 4);
        var staged = _work.Write("staged.json", """
            {"version": 1, "name": "staged", "method": "average", "experts": [{"model": {"folder": "one"}},
             {"model": {"name": "inner", "stage": {"method": "average", "experts": [{"model": {"folder": "two"}}]}}}]}
            """);
        Run(ExitCode.Done, staged, "Merge");
        Assert.Equal([2, 3], Workspace.Values(_work["out/staged"], 2));
        _work.Model("two", 5, 6);
        Run(ExitCode.Done, staged, "Merge");
        Assert.Equal([3, 4], Workspace.Values(_work["out/staged"], 2));
    }

    [Fact]
    public void Parts_merge_recipes_of_their_own_and_the_project_is_built_once()
    {
        _work.Model("P/one", 1);
        _work.Model("P/two", 2);
        _work.Write("P/P.csproj", """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>""");
        _work.Write("P/Recipes.cs", string.Concat(new[] { "one", "two" }.Select(model =>
            $"[assembly: System.Reflection.AssemblyMetadata(\"smelt.recipe:of-{model}\", \"\"\"{File.ReadAllText(_work.Average($"of-{model}.json", model)).ReplaceLineEndings(" ")}\"\"\")]\n"))
            + "class C { int unused; }\n");

        var second = Run(ExitCode.Done, _work["P"], "Merge", "--partition", "2/2");
        Assert.Equal(["of-two"], Directory.GetDirectories(_work["out"]).Select(Path.GetFileName));
        Assert.Equal(2, second.Error.Split("CS0169").Length);
        Run(ExitCode.Done, _work["P"], "Merge", "--partition", "1/2");
        Assert.Equal([1], Workspace.Values(_work["out/of-one"], 1));

        // The parts are up to date, and each for itself.
        File.Delete(_work["out/of-one/model.safetensors"]);
        Assert.Matches(@"(?m)^4  Merge +runs if Plan makes something else", Run(ExitCode.Done, _work["P"], "Merge", "--partition", "2/2", "--plan").Out);
        Assert.Contains("== Merge up to date", Run(ExitCode.Done, _work["P"], "Merge", "--partition", "2/2").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_comes_first()
    {
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("pipeline", "--plan"));
        Assert.StartsWith("smelt: name the recipes first: smelt pipeline PATH [TARGET ...]", captured.Error, StringComparison.Ordinal);
        Assert.Contains("SM8001", Run(ExitCode.Failed, _work["none"], "Build").Error, StringComparison.Ordinal);

        captured = new Captured();
        Assert.Equal(ExitCode.Done, captured.Run("pipeline", "--help"));
        Assert.StartsWith("smelt pipeline PATH [TARGET ...]", captured.Out, StringComparison.Ordinal);
    }
}
