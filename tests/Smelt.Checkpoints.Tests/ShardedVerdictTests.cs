using System.Text.Json;
using Smelt.Tests;
using Xunit.Abstractions;

namespace Smelt.Checkpoints.Tests;

/// <summary>Sharded folders load, load with a warning, or are refused, as stated; loaded tensors have the expected bytes.</summary>
public class ShardedVerdictTests(ITestOutputHelper output)
{
    [Fact]
    public void Folders_get_the_stated_verdict()
    {
        var (run, wrong) = (0, new List<string>());
        foreach (var set in GoldenFolder.Sets("sharded"))
        {
            foreach (var entry in JsonDocument.Parse(File.ReadAllText(Path.Combine(set, "index.json"))).RootElement.EnumerateArray())
            {
                var folder = Path.Combine(set, entry.GetProperty("folder").GetString()!);
                var expected = entry.GetProperty("expect").GetString()!;
                var linked = WithLinks(folder);
                var (verdict, why) = Open(linked, entry.TryGetProperty("expected", out var tensors) ? Path.Combine(set, tensors.GetString()!) : null);
                if (linked != folder)
                    Directory.Delete(linked, recursive: true);
                run++;
                if (expected != "either" && verdict != expected)
                    wrong.Add($"{folder}: expected {expected} ({entry.GetProperty("why").GetString()}), ours {verdict}: {why}");
            }
        }

        output.WriteLine($"{run} folders");
        Assert.True(run >= 15, $"only {run} folders were found");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    /// <summary>
    /// A folder whose symbolic links became small text files when it was packed gets them back, in a copy elsewhere.
    /// </summary>
    private static string WithLinks(string folder)
    {
        var links = Directory.EnumerateFiles(folder).Where(f => new FileInfo(f).Length < 200 && File.ReadAllText(f).StartsWith("../", StringComparison.Ordinal)).ToArray();
        if (links.Length == 0 || OperatingSystem.IsWindows())
            return folder;
        var copy = Directory.CreateTempSubdirectory("smelt-sharded").FullName;
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            var target = Path.Combine(copy, Path.GetFileName(file));
            if (links.Contains(file))
                File.CreateSymbolicLink(target, Path.GetFullPath(Path.Combine(folder, File.ReadAllText(file))));
            else
                File.Copy(file, target);
        }

        return copy;
    }

    private static (string Verdict, string Why) Open(string folder, string? expected)
    {
        Checkpoint checkpoint;
        try
        {
            checkpoint = CheckpointFolder.Open(folder);
        }
        catch (InvalidInputException invalid)
        {
            return ("refuse", invalid.Message);
        }

        if (expected is not null)
        {
            var reference = CheckpointFolder.Open(expected);
            using var reader = new CheckpointReader();
            foreach (var tensor in reference.Tensors)
            {
                var (ours, theirs) = (new byte[tensor.ByteLength], new byte[tensor.ByteLength]);
                if (!checkpoint.TryGet(tensor.Name, out var found) || found.ByteLength != tensor.ByteLength)
                    return ("wrong tensors", tensor.Name);
                reader.Read(found, 0, ours);
                reader.Read(tensor, 0, theirs);
                if (!ours.AsSpan().SequenceEqual(theirs))
                    return ("wrong bytes", tensor.Name);
            }
        }

        var warnings = checkpoint.Warnings.Where(w => w.Id == CheckpointRules.WrongTotal.Id).ToArray();
        return (warnings.Length > 0 ? "load with a warning" : "load", string.Join("; ", warnings.Select(w => w.Message)));
    }
}
