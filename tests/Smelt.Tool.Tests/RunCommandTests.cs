using System.Globalization;
using System.Text.Json;
using Smelt.Tool.Commands;

namespace Smelt.Tool.Tests;

/// <summary><c>smelt run</c> and <c>smelt plan</c>, as handlers.</summary>
public sealed class RunCommandTests : IDisposable
{
    private readonly Workspace _work = new();
    private readonly Captured _captured = new();

    public RunCommandTests()
    {
        _work.Model("base", 1, 1, 1, 1);
        _work.Model("one", 3, 1, 1, 5);
        _work.Model("two", 1, 3, 1, -3);
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_single_output_is_the_folder_itself()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("run", _work.Average("mean.json", "one", "two"), "--out", _work["merged"]));
        Assert.Equal([2, 2, 1, 1], Workspace.Values(_work["merged"], 4));
        Assert.Contains("mean", _captured.Out, StringComparison.Ordinal);
        Assert.EndsWith("written to " + _work["merged"], _captured.Out.TrimEnd(), StringComparison.Ordinal);
        Assert.Empty(_captured.Error);
    }

    [Fact]
    public void The_points_of_a_sweep_are_folders_inside()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("run", _work.TaskArithmetic("sum.json", """{"sweep": [0.5, 1]}""", "base", "one", "two"), "--out", _work["merged"]));
        Assert.Equal([2, 2, 1, 1], Workspace.Values(_work["merged/lambda=0.5"], 4));
        Assert.Equal([3, 3, 1, 1], Workspace.Values(_work["merged/lambda=1"], 4));
    }

    [Fact]
    public void Models_are_found_from_the_folder_of_the_configuration()
    {
        var file = _work.Average("deep/er/mean.json", "../../one", "../../two");
        Assert.Equal(ExitCode.Done, _captured.Run("check", file));
    }

    [Fact]
    public void Small_inputs_are_measured()
    {
        _captured.Run("run", _work.TaskArithmetic("sum.json", "1", "base", "one", "two"), "--out", _work["merged"]);

        // Task vectors (2, 0, 0, 4) and (0, 2, 0, -4): only the last element is changed by both, in opposite directions.
        Assert.Contains("signs conflict in 100.0 % of 1 contested elements", _captured.Out, StringComparison.Ordinal);
        Assert.Equal(2, _captured.Out.Split('\n').Count(line => line.EndsWith(" 4.4721", StringComparison.Ordinal)));
    }

    [Fact]
    public void Where_nothing_is_merged_there_is_nothing_to_measure()
    {
        var file = _work.Write("copy.json", """{"version": 1, "name": "copy", "method": "passthrough", "experts": [{"model": {"folder": "one"}}]}""");
        Assert.Equal(ExitCode.Done, _captured.Run("run", file, "--out", _work["copy"]));
        Assert.DoesNotContain("task vectors", _captured.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_document_of_a_merge_has_its_outputs_and_measurements()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("run", _work.TaskArithmetic("sum.json", "1", "base", "one", "two"), "--out", _work["merged"], "--json"));
        var document = _captured.Json;
        Assert.Equal("run", document.GetProperty("command").GetString());
        Assert.Equal(0, document.GetProperty("exitCode").GetInt32());
        Assert.Equal(0, document.GetProperty("problems").GetArrayLength());
        var merge = Assert.Single(document.GetProperty("merges").EnumerateArray());
        Assert.Equal("sum", merge.GetProperty("recipe").GetString());
        Assert.Equal("task_arithmetic", merge.GetProperty("method").GetString());
        Assert.Equal(64, merge.GetProperty("sha256").GetString()!.Length);
        Assert.Equal(1, merge.GetProperty("tensors").GetProperty("merged").GetInt32());
        Assert.Equal(_work["merged"], merge.GetProperty("outputs")[0].GetProperty("folder").GetString());
        Assert.Equal(new FileInfo(_work["merged/model.safetensors"]).Length, merge.GetProperty("outputs")[0].GetProperty("bytes").GetInt64());
        Assert.Equal(Math.Sqrt(20), merge.GetProperty("statistics").GetProperty("norms")[0].GetProperty("norm").GetDouble(), 6);
        Assert.Equal(1, merge.GetProperty("statistics").GetProperty("conflicts").GetInt64());
        Assert.Empty(_captured.Error);
    }

    [Fact]
    public void What_exists_is_replaced_only_by_force()
    {
        var file = _work.Average("mean.json", "one", "two");
        _captured.Run("run", file, "--out", _work["merged"]);
        var written = File.ReadAllBytes(_work["merged/model.safetensors"]);

        _work.Average("mean.json", "one", "one/../base");
        var again = new Captured();
        Assert.Equal(ExitCode.BadInput, again.Run("run", file, "--out", _work["merged"]));
        Assert.Contains($"mean: error SM7008 at {_work["merged"]}", again.Error, StringComparison.Ordinal);
        Assert.EndsWith("1 error", again.Error.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(written, File.ReadAllBytes(_work["merged/model.safetensors"]));

        Assert.Equal(ExitCode.Done, new Captured().Run("run", file, "--out", _work["merged"], "--force"));
        Assert.Equal([2, 1, 1, 3], Workspace.Values(_work["merged"], 4));
    }

    [Fact]
    public void A_stopped_run_says_how_to_go_on()
    {
        var arguments = new MergeArguments { Path = _work.Average("mean.json", "one", "two"), Output = _work["merged"] };
        Assert.Equal(ExitCode.Interrupted, RunCommand.Execute(arguments, _captured.Terminal, new CancellationToken(canceled: true)));
        Assert.Equal("stopped; run the same command again to go on", _captured.Error.TrimEnd());
        Assert.False(Directory.Exists(_work["merged"]));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_one_line()
    {
        _work.Write("file", "");
        Assert.Equal(ExitCode.Failed, _captured.Run("run", _work.Average("mean.json", "one", "two"), "--out", _work["file/merged"]));
        Assert.StartsWith("mean: error SM8009: ", _captured.Error, StringComparison.Ordinal);
        Assert.Contains(_work["file"], _captured.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void All_unusable_options_are_reported()
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("run", _work.Average("mean.json", "one", "two"), "--threads", "0", "--max-memory", "much", "--out", " "));
        Assert.Equal(["--threads", "--max-memory", "--out"], _captured.Error.Split('\n').Where(l => l.StartsWith("error SM8008 at ", StringComparison.Ordinal)).Select(l => l.Split(' ', ':')[3]));
    }

    [Fact]
    public void Too_little_memory_is_refused()
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("run", _work.Average("mean.json", "one", "two"), "--max-memory", "1MiB", "--out", _work["merged"]));
        Assert.Contains("SM7007", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_model_is_bad_input_with_its_path()
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("run", _work.Average("mean.json", "one", "three"), "--json", "--out", _work["merged"]));
        var problem = Assert.Single(_captured.Json.GetProperty("problems").EnumerateArray());
        Assert.Equal("SM6001", problem.GetProperty("id").GetString());
        Assert.Equal("error", problem.GetProperty("severity").GetString());
        Assert.Equal("mean", problem.GetProperty("recipe").GetString());
        Assert.Equal(_work["three"], problem.GetProperty("where").GetString());
        Assert.Equal(2, _captured.Json.GetProperty("exitCode").GetInt32());
        Assert.Contains("mean: error SM6001 at " + _work["three"], _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_tells_what_would_be_done_and_does_nothing()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("plan", _work.TaskArithmetic("sum.json", """{"sweep": [0.5, 1]}""", "base", "one", "two"), "--out", _work["merged"], "--threads", "1"));
        Assert.Contains("1 merged, 0 kept, 0 copied; mostly F32", _captured.Out, StringComparison.Ordinal);
        Assert.Contains("48 B x 1 pass", _captured.Out, StringComparison.Ordinal);
        Assert.Contains("in 2 outputs of 1 file", _captured.Out, StringComparison.Ordinal);
        Assert.Contains("1 thread", _captured.Out, StringComparison.Ordinal);
        Assert.Contains(_work["merged/lambda=0.5"], _captured.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["merged"]));
    }

    [Theory]
    [InlineData("tensor", 0.5, "48 B x 1 pass as a rule, 2 or more where a sample misleads or memory is short\n")]
    [InlineData("model", 0.5, "48 B x 1 pass as a rule, 2 or more where a sample misleads or memory is short\n")]
    [InlineData("model", 0.6, "48 B x 2 passes\n")]
    public void A_plan_tells_how_often_a_trim_reads_its_inputs(string trim, double densityOfTensor, string expected)
    {
        foreach (var model in new[] { "base", "one", "two" })
            _work.Tensors(model, ("v", [1, model.Length]), ("w", [model[0], 1]));
        var recipe = _work.Write("ties.json", $$"""
            {"version": 1, "name": "ties", "method": "ties", "density": 0.5, "trim": "{{trim}}", "cut": "exact", "zeroVote": "nothing", "base": {"folder": "base"},
             "experts": [{"model": {"folder": "one"} }, {"model": {"folder": "two"} } ], "tensors": [{"on": "w", "density": {{densityOfTensor.ToString(CultureInfo.InvariantCulture)}}} ] }
            """);
        Assert.Equal(ExitCode.Done, _captured.Run("plan", recipe));
        Assert.Contains(expected, _captured.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_document_of_a_plan_has_its_inputs()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("plan", _work.TaskArithmetic("sum.json", "1", "base", "one", "two"), "--json"));
        var plan = Assert.Single(_captured.Json.GetProperty("plans").EnumerateArray());
        Assert.Equal(["base", "expert", "expert"], plan.GetProperty("inputs").EnumerateArray().Select(i => i.GetProperty("role").GetString()));
        Assert.Equal(_work["one"], plan.GetProperty("inputs")[1].GetProperty("path").GetString());
        Assert.Equal(48, plan.GetProperty("bytesPerPass").GetInt64());
        Assert.Equal(JsonValueKind.Number, plan.GetProperty("peakBytes").ValueKind);
        Assert.Equal(Path.GetFullPath("out/sum"), plan.GetProperty("outputs")[0].GetString());
    }
}
