namespace Smelt.Tool.Tests;

/// <summary><c>smelt apply</c>: models of tasks come back from an output with masks.</summary>
public sealed class ApplyCommandTests : IDisposable
{
    private readonly Workspace _work = new();

    public ApplyCommandTests()
    {
        _work.Model("base", 1, 1, 1, 1);
        _work.Model("math", 2, 0.5f, 1, 0);
        _work.Model("code", 1.5f, 2, 1, 2);
        var file = _work.Write("emr.json", """
            {"version": 1, "name": "emr", "method": "emr", "base": {"folder": "base"},
             "experts": [{"model": {"folder": "math"}}, {"model": {"folder": "code"}}]}
            """);
        Assert.Equal(ExitCode.Done, new Captured().Run("run", file, "--out", _work["emr"]));
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_task_is_restored_as_a_model_of_its_own()
    {
        // d: math 1 -0.5 0 -1, code 0.5 1 0 1; elected + + - -; unified 1 1 0 -1.
        Assert.Equal([2f, 2, 1, 0], Workspace.Values(_work["emr"], 4));
        var captured = new Captured();
        Assert.Equal(ExitCode.Done, captured.Run("apply", _work["emr"], "--task", "math", "--root", _work.Folder));
        Assert.Contains("written to", captured.Out, StringComparison.Ordinal);
        var rescaler = 2.5f / 2;
        Assert.Equal([1 + rescaler, 1, 1, 1 - rescaler], Workspace.Values(_work["emr-math"], 4));
        Assert.True(File.Exists(Path.Combine(_work["emr-math"], "config.json")));
        Assert.Equal(ExitCode.Done, new Captured().Run("verify", _work["emr-math"], "--inputs", "--root", _work.Folder));
    }

    [Fact]
    public void A_base_lying_elsewhere_is_named()
    {
        Directory.Move(_work["base"], _work["moved"]);
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("apply", _work["emr"], "--task", "code", "--root", _work.Folder));
        Assert.Contains("SM6001", captured.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, new Captured().Run("apply", _work["emr"], "--task", "code", "--base", _work["moved"], "--out", _work["restored"]));
        Assert.Equal([2.25f, 2.25f, 1, 1], Workspace.Values(_work["restored"], 4));
    }

    [Fact]
    public void Another_base_and_damaged_weights_are_refused_and_leave_nothing()
    {
        _work.Model("base", 1, 1, 1, 1.5f);
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("apply", _work["emr"], "--task", "math", "--root", _work.Folder));
        Assert.Contains("SM7017", captured.Error, StringComparison.Ordinal);
        Assert.Contains(_work["base"], captured.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_work.Folder, "*emr-math*"));

        _work.Model("base", 1, 1, 1, 1);
        var weights = Path.Combine(_work["emr"], "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("apply", _work["emr"], "--task", "math", "--root", _work.Folder));
        Assert.Contains(_work["emr"], captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Tasks_are_listed_where_none_or_no_known_one_is_named()
    {
        foreach (var task in new string[][] { [], ["--task", "chess"] })
        {
            var captured = new Captured();
            Assert.Equal(ExitCode.BadInput, captured.Run(["apply", _work["emr"], .. task]));
            Assert.Contains("math, code", captured.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_output_without_tasks_and_a_damaged_list_are_errors()
    {
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("apply", _work["base"], "--task", "math"));
        Assert.Contains("no tasks.json", captured.Error, StringComparison.Ordinal);

        var file = Path.Combine(_work["emr"], "tasks.json");
        var bytes = File.ReadAllBytes(file);
        for (var i = 0; i < bytes.Length; i++)
        {
            var bit = (byte)(1 << (i % 8));
            bytes[i] ^= bit;
            File.WriteAllBytes(file, bytes);
            bytes[i] ^= bit;
            captured = new Captured();
            Assert.NotEqual(ExitCode.Failed, captured.Run("apply", _work["emr"], "--task", "math", "--root", _work.Folder, "--out", _work["x"], "--force"));
        }
    }

    [Theory]
    [InlineData("masks/math.safetensors")]
    [InlineData("masks/code.safetensors")]
    [InlineData("tasks.json")]
    public void Verification_finds_every_flipped_bit_of_masks_and_list(string name)
    {
        Assert.Equal(ExitCode.Done, new Captured().Run("verify", _work["emr"]));
        var file = Path.Combine(_work["emr"], name);
        var bytes = File.ReadAllBytes(file);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 16;
            File.WriteAllBytes(file, bytes);
            bytes[i] ^= 16;
            Assert.Equal(ExitCode.BadInput, new Captured().Run("verify", _work["emr"]));
        }
    }

    [Fact]
    public void Verification_finds_missing_and_additional_masks()
    {
        File.Copy(_work["emr/masks/math.safetensors"], _work["emr/masks/more.safetensors"]);
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _work["emr"]));
        Assert.Contains("more.safetensors", captured.Error, StringComparison.Ordinal);
        File.Delete(_work["emr/masks/more.safetensors"]);
        File.Delete(_work["emr/masks/math.safetensors"]);
        captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _work["emr"]));
        Assert.Contains("math.safetensors", captured.Error, StringComparison.Ordinal);
    }
}
