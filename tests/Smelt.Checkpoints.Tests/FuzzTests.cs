using System.Text;
using Smelt.Tests;

namespace Smelt.Checkpoints.Tests;

/// <summary>Damaged headers and indexes get a verdict: no crash, no hang, no memory out of proportion.</summary>
public sealed class FuzzTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smelt-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Headers() => Fuzz.Run(
        [
            File("""{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"__metadata__":{"format":"pt"}}""", 16),
            File("""{"a.weight":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]},"b":{"dtype":"I64","shape":[],"data_offsets":[6,14]},"c":{"dtype":"F4","shape":[0,4],"data_offsets":[14,14]}}   """, 14),
        ],
        bytes => SafetensorsHeader.Parse("fuzz", bytes),
        bytesPerByte: 400);

    [Fact]
    public void Indexes()
    {
        var shard = File("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4);
        System.IO.File.WriteAllBytes(Path.Combine(_folder, "model-00001-of-00002.safetensors"), shard);
        System.IO.File.WriteAllBytes(Path.Combine(_folder, "model-00002-of-00002.safetensors"), File("""{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4));
        var index = Path.Combine(_folder, "model.safetensors.index.json");
        Fuzz.Run(
            [
                Encoding.UTF8.GetBytes("""{"metadata": {"total_size": 8}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}"""),
                Encoding.UTF8.GetBytes("""{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}, "metadata": {}}"""),
            ],
            bytes =>
            {
                System.IO.File.WriteAllBytes(index, bytes);
                var checkpoint = CheckpointFolder.Open(_folder);
                Assert.All(checkpoint.Files, f => Assert.StartsWith(_folder + Path.DirectorySeparatorChar, f.FullPath, StringComparison.Ordinal));
            },
            bytesPerByte: 2000);
    }

    [Theory]
    [InlineData("../outside.safetensors")]
    [InlineData("sub/../../outside.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..\\\\outside.safetensors")]
    [InlineData("C:\\\\outside.safetensors")]
    public void An_index_can_not_lead_outside_of_its_folder(string file)
    {
        var model = Path.Combine(_folder, "model");
        Directory.CreateDirectory(Path.Combine(model, "sub"));
        System.IO.File.WriteAllBytes(Path.Combine(_folder, "outside.safetensors"), File("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4));
        System.IO.File.WriteAllText(Path.Combine(model, "model.safetensors.index.json"), $$"""{"weight_map": {"a": "{{file}}"} }""");
        var refused = Assert.Throws<InvalidInputException>(() => CheckpointFolder.Open(model));
        Assert.Contains(file.Replace("\\\\", "\\", StringComparison.Ordinal), refused.Message, StringComparison.Ordinal);
    }

    private static byte[] File(string header, int data) =>
        [.. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. new byte[data]];
}
