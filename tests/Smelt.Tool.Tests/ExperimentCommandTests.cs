using System.Text.Json;

namespace Smelt.Tool.Tests;

/// <summary><c>smelt experiment</c>: the grid of merges, finished cells, what can't be run.</summary>
public sealed class ExperimentCommandTests : IDisposable
{
    private const string Grid =
        """
        {
          "version": 1, "name": "grid",
          "pools": [{"name": "p", "base": {"folder": "base"}, "experts": [{"model": {"folder": "one"}}, {"model": {"folder": "two"}}, {"model": {"folder": "three"}}]}],
          "arms": [
            {"name": "mean", "recipe": {"method": "average"}},
            {"name": "sum", "recipe": {"method": "task_arithmetic", "lambda": {"sweep": [0.5, 1]}}}
          ],
          "subsets": {"explicit": [[0, 2], [1]]}
        }
        """;

    private readonly Workspace _work = new();
    private readonly Captured _captured = new();

    public ExperimentCommandTests()
    {
        _work.Model("base", 1, 1, 1, 1);
        _work.Model("one", 3, 1, 1, 5);
        _work.Model("two", 1, 3, 1, -3);
        _work.Model("three", 1, 1, 5, 1);
    }

    public void Dispose() => _work.Dispose();

    private string Write(string text)
    {
        File.WriteAllText(_work["grid.json"], text);
        return _work["grid.json"];
    }

    private string[] States() => [.. _captured.Json.GetProperty("experiments")[0].GetProperty("cells").EnumerateArray().Select(c => c.GetProperty("state").GetString()!)];

    [Fact]
    public void Every_arm_is_merged_on_every_subset()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("experiment", Write(Grid), "--out", _work["out"]));
        Assert.Equal([2, 1, 3, 3], Workspace.Values(_work["out/p/mean/e0-2"], 4));
        Assert.Equal([1, 3, 1, -3], Workspace.Values(_work["out/p/mean/e1"], 4));
        Assert.Equal([2, 1, 3, 3], Workspace.Values(_work["out/p/sum/e0-2/lambda=0.5"], 4));
        Assert.Equal([1, 3, 1, -3], Workspace.Values(_work["out/p/sum/e1/lambda=1"], 4));
        Assert.Contains("grid: 4 cells, 6 merges", _captured.Out, StringComparison.Ordinal);
        using var written = JsonDocument.Parse(File.ReadAllText(_work["out/experiment.json"]));
        Assert.Equal("grid", written.RootElement.GetProperty("name").GetString());
    }

    [Fact]
    public void Finished_cells_are_left_alone_and_missing_ones_merged_again()
    {
        new Captured().Run("experiment", Write(Grid), "--out", _work["out"]);
        var kept = File.GetLastWriteTimeUtc(_work["out/p/mean/e1/model.safetensors"]);
        Directory.Delete(_work["out/p/sum/e1"], recursive: true);
        Assert.Equal(ExitCode.Done, _captured.Run("experiment", Write(Grid.Replace("[1]]", "[1], [0]]", StringComparison.Ordinal)), "--out", _work["out"], "--json"));
        Assert.Equal(["finished", "finished", "merged", "finished", "merged", "merged"], States());
        Assert.Equal(kept, File.GetLastWriteTimeUtc(_work["out/p/mean/e1/model.safetensors"]));
        Assert.Equal([1, 3, 1, -3], Workspace.Values(_work["out/p/sum/e1/lambda=1"], 4));
    }

    [Fact]
    public void A_changed_recipe_stops_at_its_old_outputs_before_anything_is_merged()
    {
        _captured.Run("experiment", Write(Grid), "--out", _work["out"]);
        Directory.Delete(_work["out/p/mean"], recursive: true);
        var changed = Grid.Replace("[0.5, 1]", "[0.5, 2]", StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, _captured.Run("experiment", Write(changed), "--out", _work["out"]));
        Assert.Contains("SM7008", _captured.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["out/p/mean"]));
        Assert.Equal(ExitCode.Done, _captured.Run("experiment", Write(changed), "--out", _work["out"], "--force"));
        Assert.Equal([1, 5, 1, -7], Workspace.Values(_work["out/p/sum/e1/lambda=2"], 4));
    }

    [Fact]
    public void The_plan_shows_the_grid_and_writes_nothing()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("experiment", Write(Grid), "--out", _work["out"], "--plan"));
        Assert.Contains("2 merges", _captured.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["out"]));
    }

    [Theory]
    [InlineData("\"explicit\": [[0, 2], [1]]", "\"explicit\": [[0, 3]]", "SM1016", "names the expert 3")]
    [InlineData("\"explicit\": [[0, 2], [1]]", "\"nested\": {\"sizes\": [4]}", "SM1016", "a subset has 4 experts")]
    [InlineData("\"explicit\": [[0, 2], [1]]", "\"nested\": {\"size\": [4]}", "SM5002", "the key 'size' is not known")]
    [InlineData("\"name\": \"sum\"", "\"name\": \"MEAN\"", "SM1017", "used twice among the arms")]
    [InlineData("\"task_arithmetic\", ", "\"task_arithmetic\", \"base\": {\"folder\": \"base\"}, ", "SM1016", "the base comes from the pools")]
    [InlineData("\"task_arithmetic\", \"lambda\"", "\"slerp\", \"t\"", "SM1011", "slerp has 2 experts")]
    [InlineData("\"folder\": \"two\"", "\"folder\": \"none\"", "SM6", "there is no such folder")]
    public void What_is_wrong_is_said_before_anything_is_merged(string what, string by, string id, string message)
    {
        Assert.Contains(what, Grid, StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, _captured.Run("experiment", Write(Grid.Replace(what, by, StringComparison.Ordinal)), "--out", _work["out"]));
        Assert.Contains(id, _captured.Error, StringComparison.Ordinal);
        Assert.Contains(message, _captured.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["out"]));
    }
}
