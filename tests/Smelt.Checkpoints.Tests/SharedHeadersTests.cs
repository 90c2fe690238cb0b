using System.Buffers.Binary;
using System.Text;

namespace Smelt.Checkpoints.Tests;

/// <summary>Files with the same header are read as each would be alone.</summary>
public sealed class SharedHeadersTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smelt-headers").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_header_that_files_have_in_common_is_taken_apart_once()
    {
        const string Text = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
        var (one, two, other) = (Write("one", Text, 8), Write("two", Text, 8), Write("other", Text.Replace("\"a\"", "\"b\"", StringComparison.Ordinal), 8));
        var shared = new SharedHeaders();
        Assert.Same(SafetensorsHeader.Read(one, shared), SafetensorsHeader.Read(two, shared));
        Assert.Equal("b", Assert.Single(SafetensorsHeader.Read(other, shared).Tensors).Name);
    }

    [Fact]
    public void Every_file_with_a_broken_header_is_named()
    {
        const string Text = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}""";
        var shared = new SharedHeaders();
        foreach (var file in new[] { Write("one", Text, 9), Write("two", Text, 9) })
            Assert.StartsWith(file, Assert.Single(Assert.Throws<InvalidInputException>(() => SafetensorsHeader.Read(file, shared)).Problems).Where, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_off_is_not_taken_for_one_that_is_whole()
    {
        const string Text = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
        var shared = new SharedHeaders();
        SafetensorsHeader.Read(Write("whole", Text, 8), shared);
        var cut = Write("cut", Text, 7);
        Assert.StartsWith(cut, Assert.Single(Assert.Throws<InvalidInputException>(() => SafetensorsHeader.Read(cut, shared)).Problems).Where, StringComparison.Ordinal);
    }

    private string Write(string name, string header, int data)
    {
        var path = Path.Combine(_folder, name + ".safetensors");
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        File.WriteAllBytes(path, [.. prefix, .. Encoding.UTF8.GetBytes(header), .. new byte[data]]);
        return path;
    }
}
