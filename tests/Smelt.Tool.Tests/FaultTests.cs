using System.Diagnostics;
using System.Globalization;
using Smelt.Tool.Sources;
using Smelt.Tests;

namespace Smelt.Tool.Tests;

/// <summary>What the machine does to a merge: one clear message, nothing lost, and the merge goes on once the cause is gone.</summary>
public sealed class FaultTests : IDisposable
{
    private readonly Workspace _work = new();

    public FaultTests()
    {
        var random = new Random(1);
        foreach (var model in new[] { "base", "one", "two" })
        {
            _work.Tensors(model, [.. Enumerable.Range(0, 3).Select(t =>
                ($"t{t}.weight", Enumerable.Range(0, 200_000).Select(_ => random.NextSingle()).ToArray()))]);
        }

        _work.TaskArithmetic("sum.json", "0.5", "base", "one", "two");
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_limit_on_file_sizes_as_on_a_full_disk_is_one_message_and_the_merge_goes_on_after_it()
    {
        if (OperatingSystem.IsWindows())
            return;

        // The weights take 2.4 MB; the shell's unit is 1 KiB. The runtime itself must not need a large file for its code.
        var failed = Shell("ulimit -f 1000; trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; ", "run", "sum.json", "--out", "merged");
        AssertOneMessage(failed, 1, "SM8009");
        Assert.False(Directory.Exists(_work["merged"]));

        var done = Shell("", "run", "sum.json", "--out", "merged");
        Assert.Equal("", done.Error);
        Assert.Equal("", Shell("", "verify", "merged", "--inputs").Error);
        Assert.Empty(Directory.GetFileSystemEntries(_work.Folder, ".merged*"));
    }

    [Theory]
    [InlineData("exec > /dev/full; ", "--version", 1)]
    [InlineData("exec > /dev/full; ", "--help", 1)]
    [InlineData("exec >&-; ", "--version", 1)]
    [InlineData("exec 2>&-; ", "--version", 0)]
    [InlineData("exec 2>&-; ", "--versoin", 2)]
    public void Where_nothing_can_be_printed_there_is_one_line_or_none(string shell, string option, int exitCode)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var result = Shell(shell, option);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal(exitCode == 1 ? 1 : 0, result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [MountFact]
    public void A_full_disk_is_told_before_anything_is_read()
    {
        Shell("mkdir -p small && mount -t tmpfs -o size=1m none small; : ");
        Assert.True(IsMounted("small"));
        try
        {
            var failed = Shell("", "run", "sum.json", "--out", "small/merged");
            AssertOneMessage(failed, 2, "SM7006");
            Assert.Empty(Directory.GetFileSystemEntries(_work["small"]));
            Assert.Equal(0, Shell("mount -o remount,size=16m small; ", "run", "sum.json", "--out", "small/merged").ExitCode);
        }
        finally
        {
            Shell("umount small; : ");
        }
    }

    [Fact]
    public void A_folder_that_may_not_be_written_is_one_message()
    {
        if (OperatingSystem.IsWindows() || Environment.UserName == "root")
            File.WriteAllText(_work["closed"], "a file where a folder should be");
        else
            Directory.CreateDirectory(_work["closed"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var failed = Shell("", "run", "sum.json", "--out", "closed/merged");
        Assert.NotEqual(0, failed.ExitCode);
        Assert.Contains("closed", failed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", failed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Few_open_files_are_enough_for_a_hundred_shards()
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (var model in new[] { "base", "one", "two" })
            Shard(model, 100);
        var result = Shell("ulimit -Sn 64; ", "run", "sum.json", "--out", "merged");
        Assert.Equal("", result.Error);
        Assert.Equal("", Shell("ulimit -Sn 64; ", "verify", "merged", "--inputs").Error);

        // The runtime lifts a soft limit to the hard one. It takes about 60 files for itself, so that a hard limit of 64 is too low.
        Assert.Equal("", Shell("ulimit -n 256; ", "run", "sum.json", "--out", "again").Error);
        var failed = Shell("ulimit -n 82; ", "run", "sum.json", "--out", "third", "--threads", "2");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("ulimit -n", failed.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["third"]));
    }

    [Fact]
    public void A_limit_on_the_heap_is_kept()
    {
        var result = Shell("export DOTNET_GCHeapHardLimit=0x1000000; ", "run", "sum.json", "--out", "merged", "--max-memory", "64MiB");
        Assert.Equal("", result.Error);
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public void The_memory_limit_holds_for_models_larger_than_it()
    {
        if (!OperatingSystem.IsLinux())
            return;
        foreach (var (model, step) in new[] { ("base", 1), ("one", 3), ("two", 7) })
            _work.Tensors(model, [.. Enumerable.Range(0, 3).Select(t => ($"t{t}.weight", Enumerable.Range(0, 3_000_000).Select(i => i * step % 1009 / 1024f).ToArray()))]);
        _work.Write("ties.json", """
            {"version": 1, "name": "ties", "method": "ties", "trim": "model", "base": {"folder": "base"},
             "experts": [{"model": {"folder": "one"}}, {"model": {"folder": "two"}}]}
            """);
        using var run = Process.Start(new ProcessStartInfo(ChildProcess.Dotnet, ["exec", typeof(ExitCode).Assembly.Location, "run", "ties.json", "--out", "merged", "--max-memory", "64MiB", "--threads", "1", "--no-sync", "--json"])
        {
            WorkingDirectory = _work.Folder,
            RedirectStandardOutput = true,
        })!;
        run.BeginOutputReadLine();
        var (most, samples) = (0L, 0);
        while (!run.WaitForExit(2))
        {
            if (AnonymousBytes(run.Id) is not { } bytes)
                continue;
            most = Math.Max(most, bytes);
            samples++;
        }

        Assert.Equal(0, run.ExitCode);
        Assert.True(samples > 10, $"{samples} samples");
        Assert.InRange(most, 1 << 20, 64 << 20);
    }

    [Fact]
    public void A_folder_in_the_place_of_a_shard_is_one_message()
    {
        File.Delete(_work["one/model.safetensors"]);
        Directory.CreateDirectory(_work["one/model.safetensors"]);
        var failed = Shell("", "run", "sum.json", "--out", "merged");
        Assert.Equal(2, failed.ExitCode);
        Assert.Contains("one", failed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", failed.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["merged"]));
    }

    /// <summary>What a process holds in memory besides pages of files; null when it has just ended.</summary>
    private static long? AnonymousBytes(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private bool IsMounted(string folder) => File.ReadAllText("/proc/mounts").Contains(_work[folder], StringComparison.Ordinal);

    private static void AssertOneMessage(ChildResult result, int exitCode, string rule)
    {
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(rule, result.Error, StringComparison.Ordinal);
        Assert.Contains("1 error", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    /// <summary>Cuts a model into shards, one tensor each.</summary>
    private void Shard(string model, int shards)
    {
        Directory.Delete(_work[model], recursive: true);
        var random = new Random(shards + model.Length);
        var map = new List<string>();
        for (var i = 0; i < shards; i++)
        {
            _work.Tensors($"{model}-{i}", ($"t{i}.weight", [.. Enumerable.Range(0, 500).Select(_ => random.NextSingle())]));
            Directory.CreateDirectory(_work[model]);
            File.Move(_work[$"{model}-{i}/model.safetensors"], _work[$"{model}/model-{i}.safetensors"]);
            map.Add($"\"t{i}.weight\": \"model-{i}.safetensors\"");
        }

        _work.Write($"{model}/model.safetensors.index.json", $$"""
            {"metadata": {"total_size": {{shards * 2000}} }, "weight_map": { {{string.Join(", ", map)}} } }
            """);
    }

    private ChildResult Shell(string before, params string[] arguments) => OperatingSystem.IsWindows()
        ? ChildProcess.Run(ChildProcess.Dotnet, ["exec", typeof(ExitCode).Assembly.Location, .. arguments], _work.Folder, CancellationToken.None)
        : ChildProcess.Run("/bin/bash", ["-c", before + (arguments.Length == 0 ? "" : "exec \"$0\" \"$@\""), ChildProcess.Dotnet, "exec", typeof(ExitCode).Assembly.Location, .. arguments], _work.Folder, CancellationToken.None);
}
