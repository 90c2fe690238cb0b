namespace Smelt.Tool.Tests;

/// <summary><c>smelt test</c> and <c>smelt accept</c>: outputs against their verified snapshots.</summary>
public sealed class TestCommandTests : IDisposable
{
    private readonly Workspace _work = new();
    private readonly string? _ci = Environment.GetEnvironmentVariable("CI");

    public TestCommandTests()
    {
        Environment.SetEnvironmentVariable("CI", null);
        _work.Model("one", 3, 1, 1, 5);
        _work.Model("two", 1, 3, 1, -3);
        _work.Average("mean.json", "one", "two");
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("CI", _ci);
        _work.Dispose();
    }

    private (ExitCode Code, Captured Captured) Run(params string[] arguments)
    {
        var captured = new Captured();
        return (captured.Run(arguments), captured);
    }

    [Fact]
    public void An_output_is_new_until_it_is_accepted_and_then_the_same()
    {
        var (code, captured) = Run("test", _work["mean.json"]);
        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("mean: new", captured.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, Run("accept", _work["."]).Code);
        (code, captured) = Run("test", _work["mean.json"]);
        Assert.Equal(ExitCode.Done, code);
        Assert.Contains("mean: same", captured.Out, StringComparison.Ordinal);
        Assert.Empty(captured.Error);
    }

    [Fact]
    public void A_change_of_a_model_is_told_tensor_by_tensor()
    {
        Assert.Equal(ExitCode.Done, Run("test", _work["mean.json"], "--accept").Code);
        _work.Model("two", 1, 3, 1, 3);
        var (code, captured) = Run("test", _work["mean.json"]);
        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("mean: different", captured.Out, StringComparison.Ordinal);
        Assert.Contains("max 2 became 4", captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_servers_compare_and_never_accept()
    {
        Run("test", _work["mean.json"]);
        Environment.SetEnvironmentVariable("CI", "1");
        Assert.Equal(ExitCode.BadInput, Run("accept", _work["."]).Code);
        Assert.Equal(ExitCode.BadInput, Run("test", _work["mean.json"], "--accept").Code);
        Assert.Equal(ExitCode.Failed, Run("test", _work["mean.json"]).Code);
        Assert.False(File.Exists(_work["snapshots/mean.verified.txt"]));
    }

    [Fact]
    public void Snapshots_of_no_recipe_are_reported()
    {
        Run("test", _work["mean.json"], "--accept");
        File.Copy(_work["snapshots/mean.verified.txt"], _work["snapshots/gone.verified.txt"]);
        var (code, captured) = Run("test", _work["mean.json"]);
        Assert.Equal(ExitCode.Done, code);
        Assert.Contains("SM8012", captured.Error, StringComparison.Ordinal);
        Assert.Contains("gone", captured.Error, StringComparison.Ordinal);
    }
}
