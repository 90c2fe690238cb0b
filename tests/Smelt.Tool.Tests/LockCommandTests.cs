namespace Smelt.Tool.Tests;

/// <summary><c>smelt lock</c>, and merges of models that are not what was locked.</summary>
public sealed class LockCommandTests : IDisposable
{
    private readonly Workspace _work = new();

    public LockCommandTests()
    {
        _work.Model("one", 3, 1, 1, 5);
        _work.Model("two", 1, 3, 1, -3);
        _work.Average("mean.json", "one", "two");
    }

    public void Dispose() => _work.Dispose();

    private (ExitCode Code, Captured Captured) Run(params string[] arguments)
    {
        var captured = new Captured();
        return (captured.Run(arguments), captured);
    }

    [Fact]
    public void A_locked_merge_runs_while_its_models_stay_the_same()
    {
        Assert.Equal(ExitCode.Done, Run("lock", _work["mean.json"]).Code);
        Assert.Contains("unchanged", Run("lock", _work["mean.json"]).Captured.Out, StringComparison.Ordinal);
        var (code, captured) = Run("run", _work["mean.json"], "--out", _work["merged"]);
        Assert.Equal(ExitCode.Done, code);
        Assert.Empty(captured.Error);
        Assert.Equal([2, 2, 1, 1], Workspace.Values(_work["merged"], 4));
    }

    [Fact]
    public void Weights_that_changed_are_found_by_the_hashes_of_the_merge_and_nothing_is_written()
    {
        Run("lock", _work["mean.json"]);
        _work.Model("two", 1, 3, 1, -4);
        Assert.Equal(ExitCode.Done, Run("check", _work["mean.json"]).Code);
        var (code, captured) = Run("run", _work["mean.json"], "--out", _work["merged"]);
        Assert.Equal(ExitCode.BadInput, code);
        Assert.Contains("SM7023", captured.Error, StringComparison.Ordinal);
        Assert.Contains("the weights of two are not those that were locked", captured.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["merged"]));
        Assert.Equal(ExitCode.Done, Run("lock", _work["mean.json"]).Code);
        Assert.Equal(ExitCode.Done, Run("run", _work["mean.json"], "--out", _work["merged"]).Code);
    }

    [Fact]
    public void Another_header_is_found_before_anything_is_read()
    {
        Run("lock", _work["mean.json"], "--no-content");
        _work.Model("one", 3, 1, 1, 5, 6);
        _work.Model("two", 1, 3, 1, -3, 6);
        var (code, captured) = Run("plan", _work["mean.json"]);
        Assert.Equal(ExitCode.BadInput, code);
        Assert.Equal(2, captured.Error.Split("SM7023").Length - 1);
    }

    [Fact]
    public void A_model_that_is_not_locked_is_a_warning_and_a_broken_lock_file_an_error()
    {
        Run("lock", _work["mean.json"]);
        _work.Model("three", 1, 1, 1, 1);
        var other = _work.Average("other.json", "one", "three");
        var (code, captured) = Run("run", other, "--out", _work["merged"]);
        Assert.Equal(ExitCode.Done, code);
        Assert.Contains("SM7024", captured.Error, StringComparison.Ordinal);

        File.WriteAllText(_work["smelt.lock"], "nonsense");
        (code, captured) = Run("run", other, "--out", _work["again"]);
        Assert.Equal(ExitCode.BadInput, code);
        Assert.Contains("SM3014", captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Models_that_are_not_there_are_all_named_and_no_lock_file_is_written()
    {
        Directory.Delete(_work["one"], recursive: true);
        Directory.Delete(_work["two"], recursive: true);
        var (code, captured) = Run("lock", _work["mean.json"]);
        Assert.Equal(ExitCode.BadInput, code);
        Assert.Contains("one", captured.Error, StringComparison.Ordinal);
        Assert.Contains("two", captured.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_work["smelt.lock"]));
    }
}
