using System.Diagnostics;

namespace Smelt.Checkpoints.Tests;

/// <summary>A pipe in a model's folder, which nobody writes to, is an empty file: nothing waits for it.</summary>
public sealed class InputFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smelt-pipe-").FullName;

    public static TheoryData<string> Files => ["model.safetensors", "model.safetensors.index.json", "config.json", "tokenizer_config.json", "tokenizer.json", "chat_template.jinja", "merges.txt"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Pipes_are_not_waited_for(string name)
    {
        if (OperatingSystem.IsWindows())
            return;
        Write("config.json", """{"model_type": "llama"}"""u8);
        Write("model.safetensors", [.. BitConverter.GetBytes(2L), .. "{}"u8]);
        var path = Path.Combine(_folder, name);
        File.Delete(path);
        using (var mkfifo = Process.Start("mkfifo", [path]))
            await mkfifo.WaitForExitAsync();
        Assert.True(File.Exists(path));
        if (name == "model.safetensors.index.json")
            File.Delete(Path.Combine(_folder, "model.safetensors"));
        if (name == "model.safetensors")
        {
            // As in the hub's cache, where files are links.
            File.Move(path, path + ".pipe");
            File.CreateSymbolicLink(path, path + ".pipe");
        }

        var use = Task.Run(Use);
        if (await Task.WhenAny(use, Task.Delay(TimeSpan.FromSeconds(20))) != use)
        {
            // Whoever waits goes on, so that the test ends.
            await File.WriteAllTextAsync(path, "");
            Assert.Fail($"{name} was opened");
        }

        var problems = await use;
        if (name is "model.safetensors")
            Assert.Contains("is empty, or a pipe or a device", Assert.Single(problems), StringComparison.Ordinal);
        else if (name.EndsWith("index.json", StringComparison.Ordinal) || name == "config.json")
            Assert.Contains(path, Assert.Single(problems), StringComparison.Ordinal);
    }

    private string[] Use()
    {
        try
        {
            var checkpoint = CheckpointFolder.Open(_folder);
            var problems = new List<Problem>();
            SideFiles.Check(checkpoint, null, problems);
            if (problems.Count == 0)
            {
                Assert.NotEmpty(SideFiles.For(checkpoint, TensorType.BF16).ToArray());
                Vocabulary.Open(_folder);
                ChatTemplateFiles.Of(_folder);
            }

            return [.. problems.Select(p => p.ToString())];
        }
        catch (InvalidInputException invalid)
        {
            return [.. invalid.Problems.Select(p => p.ToString())];
        }
    }

    private void Write(string name, ReadOnlySpan<byte> content) => File.WriteAllBytes(Path.Combine(_folder, name), content);
}
