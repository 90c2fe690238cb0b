using System.IO.Compression;
using System.Text.Json;
using Smelt.Tests;
using Xunit.Abstractions;

namespace Smelt.Checkpoints.Tests;

/// <summary>The reader accepts and refuses the files that the reference parser of the format does.</summary>
public class SafetensorsVerdictTests(ITestOutputHelper output)
{
    /// <summary>Repeated names may be refused although the reference takes the last one.</summary>
    private static readonly string[] MayBeRefused = ["duplicate-key", "meta-duplicate-key", "same-name"];

    [Fact]
    public void Files_get_the_verdict_of_the_reference()
    {
        var (run, wrong) = (0, new List<string>());
        foreach (var set in GoldenFolder.Sets("safetensors"))
        {
            foreach (var line in File.ReadLines(Path.Combine(set, "verdicts.jsonl")))
            {
                var verdict = JsonDocument.Parse(line).RootElement;
                var name = verdict.GetProperty("file").GetString()!;
                var accepted = verdict.GetProperty("accepted").GetBoolean();
                var ours = Verdict(Unpack(Path.Combine(set, name)));
                run++;
                if ((ours is null) != accepted && !(accepted && MayBeRefused.Any(name.Contains)))
                    wrong.Add($"{name}: reference {verdict.GetProperty("reference").GetString()}, ours {ours ?? "accepted"}");
            }
        }

        output.WriteLine($"{run} files");
        Assert.True(run >= 30, $"only {run} files were found");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong.Take(20)) + $"\n{wrong.Count} of {run}");
    }

    [Fact]
    public void Mutations_get_the_verdict_of_the_reference()
    {
        var (run, wrong) = (0, new List<string>());
        foreach (var set in GoldenFolder.Sets("safetensors"))
        {
            foreach (var line in File.ReadLines(Path.Combine(set, "mutations.jsonl")))
            {
                var mutation = JsonDocument.Parse(line).RootElement;
                var ours = Verdict(mutation.GetProperty("file_base64").GetBytesFromBase64());
                run++;
                var accepted = mutation.GetProperty("accepted").GetBoolean();
                var duplicate = accepted && ours is not null && ours.Contains("stands twice", StringComparison.Ordinal);
                if ((ours is null) != accepted && !duplicate)
                    wrong.Add($"mutation {run}: reference {mutation.GetProperty("reference").GetString()}, ours {ours ?? "accepted"}");
            }
        }

        output.WriteLine($"{run} mutations");
        Assert.True(run >= 300, $"only {run} mutations were found");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong.Take(20)) + $"\n{wrong.Count} of {run}");
    }

    [Fact]
    public void A_refusal_names_the_file_and_what_is_wrong()
    {
        var error = Assert.Throws<InvalidInputException>(() => SafetensorsHeader.Parse("weights.safetensors", new byte[4]));
        var problem = Assert.Single(error.Problems);
        Assert.Equal("SM6003", problem.Id);
        Assert.Equal("weights.safetensors", problem.Where);
        Assert.Contains("4 bytes", problem.Message, StringComparison.Ordinal);
    }

    /// <summary>Null where the file is accepted, else what is wrong with it. Any other exception fails the test.</summary>
    private static string? Verdict(byte[] file)
    {
        try
        {
            SafetensorsHeader.Parse("file", file);
            return null;
        }
        catch (InvalidInputException invalid)
        {
            return invalid.Message;
        }
    }

    private static byte[] Unpack(string path)
    {
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
            return File.ReadAllBytes(path);
        using var packed = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        var bytes = new MemoryStream();
        packed.CopyTo(bytes);
        return bytes.ToArray();
    }
}
