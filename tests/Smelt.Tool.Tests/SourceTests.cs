namespace Smelt.Tool.Tests;

/// <summary>The paths that recipes come from, seen through <c>list</c> and <c>check</c>.</summary>
public sealed class SourceTests : IDisposable
{
    private readonly Workspace _work = new();
    private readonly Captured _captured = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_path_that_is_not_there_is_bad_input()
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("list", _work["nothing"]));
        Assert.StartsWith($"error SM8001 at {_work["nothing"]}: there is no such file or folder.", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_project_is_bad_input()
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("list", _work.Folder));
        Assert.Contains("holds no project", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_of_two_projects_asks_which()
    {
        _work.Write("a.csproj", "");
        _work.Write("b.csproj", "");
        Assert.Equal(ExitCode.BadInput, _captured.Run("list", _work.Folder));
        Assert.Contains("Name one of them: a.csproj, b.csproj.", _captured.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("recipe.txt", "SM8001")]
    [InlineData("recipe.yaml", "SM9003")]
    [InlineData("recipe.dll", "SM8001")]
    [InlineData("recipe.json", "SM5001")]
    public void A_file_that_is_not_what_it_says_is_bad_input(string file, string rule)
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("list", _work.Write(file, "not what it says"), "--json"));
        var problem = Assert.Single(_captured.Json.GetProperty("problems").EnumerateArray());
        Assert.Equal(rule, problem.GetProperty("id").GetString());
        Assert.StartsWith(_work[file], problem.GetProperty("where").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_assembly_without_recipes_says_so()
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("list", typeof(FactAttribute).Assembly.Location));
        Assert.StartsWith("error SM8002 at ", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_names_method_experts_and_outputs()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("list", _work.TaskArithmetic("sum.json", """{"sweep": [0.5, 1]}""", "base", "one", "two")));
        var row = _captured.Out.Split('\n')[1];
        Assert.StartsWith("sum    task_arithmetic       2 2: lambda=0.5  lambda=1 ", row, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_recipe_suggests_the_nearest()
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("run", _work.Average("mean.json", "one", "two"), "--recipe", "mena"));
        Assert.Contains("there is no recipe 'mena'; known: mean. Fix: Did you mean mean?", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_broken_rule_is_reported()
    {
        var file = _work.Write("bad.json", """{"version": 1, "name": "bad", "method": "ties", "base": {"folder": "b"}, "experts": [], "density": 1.5}""");
        Assert.Equal(ExitCode.BadInput, _captured.Run("check", file, "--json"));
        Assert.Equal(["SM1001", "SM2001"], _captured.Json.GetProperty("problems").EnumerateArray().Select(p => p.GetProperty("id").GetString()).Order());
        Assert.False(_captured.Json.GetProperty("recipes")[0].GetProperty("valid").GetBoolean());
        Assert.Contains("2 errors", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_check_looks_at_models_unless_told_not_to()
    {
        var file = _work.Average("mean.json", "one", "two");
        Assert.Equal(ExitCode.BadInput, _captured.Run("check", file));
        Assert.Equal("mean: has errors", _captured.Out.TrimEnd());
        var alone = new Captured();
        Assert.Equal(ExitCode.Done, alone.Run("check", file, "--no-inputs"));
        Assert.Equal("mean: ok", alone.Out.TrimEnd());
    }

    [Theory]
    [InlineData("run")]
    [InlineData("list", "a", "b")]
    [InlineData("plan", "x.json", "--threads", "many")]
    [InlineData("melt", "x.json")]
    [InlineData]
    public void A_wrong_command_line_is_bad_input_and_points_to_the_help(params string[] arguments)
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run(arguments));
        Assert.StartsWith("smelt: ", _captured.Error, StringComparison.Ordinal);
        Assert.EndsWith("--help shows what there is", _captured.Error.TrimEnd(), StringComparison.Ordinal);
        Assert.Empty(_captured.Out);
    }

    [Theory]
    [InlineData("there is no command 'rum'. Did you mean run?", "rum", "x.json")]
    [InlineData("run has no option '--otu'. Did you mean --out?\nsmelt: run has no option '--thread'. Did you mean --threads?", "run", "x.json", "--otu", "y", "--thread", "3")]
    [InlineData("plan does not know what 'b' is for; it takes one PATH.", "plan", "a", "b")]
    [InlineData("--threads is 'many'; allowed: a whole number from -2147483648 to 2147483647.", "run", "x.json", "--threads", "many")]
    [InlineData("--mergekit-seed is '1.5'; allowed: a whole number from -9223372036854775808 to 9223372036854775807.", "run", "x.json", "--mergekit-seed", "1.5")]
    [InlineData("run does not know what 'x' is for; it takes one PATH.\nsmelt: --threads is 'x'; allowed: a whole number from -2147483648 to 2147483647.", "run", "a", "x", "--threads", "x")]
    [InlineData("smelt has no option '--qqqq'.", "--qqqq")]
    [InlineData("run has no option '--hlep'. Did you mean --help?", "run", "--hlep")]
    [InlineData("run has no option '--fource'. Did you mean --force?", "run", "--fource", "x.json")]
    [InlineData("verify has no option '--imputs'. Did you mean --inputs?", "verify", "--imputs", "out")]
    public void What_is_wrong_with_a_command_line_is_said_in_full(string message, params string[] arguments)
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run(arguments));
        Assert.StartsWith($"smelt: {message}\nsmelt ", _captured.Error.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_help_has_examples_and_hides_what_is_not_for_people()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("--help"));
        Assert.Contains("smelt run recipes/Quick", _captured.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("evaluate", _captured.Out, StringComparison.Ordinal);
    }
}
