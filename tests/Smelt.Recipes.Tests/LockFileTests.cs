using CsCheck;
using Smelt.Recipes.Inventories;

namespace Smelt.Recipes.Tests;

/// <summary>Lock files read back as what was written, and nothing else reads.</summary>
public class LockFileTests
{
    private static readonly Gen<string> Name = Gen.String[Gen.Char["ab.0 \\\n\rü"], 1, 12];

    private static readonly Gen<Sequence<InventoryTensor>> Tensors = Gen.Select(Name, Gen.OneOf(Gen.Const("BF16"), Gen.Const("F32")), Gen.Long[0, 70_000].Array[0, 3])
        .Select(t => new InventoryTensor(t.Item1, t.Item2, Sequence.From(t.Item3))).Array[0, 4].Select(Sequence.From<InventoryTensor>);

    private static readonly Gen<ModelInventory[]> Models = Tensors.Array[1, 3].SelectMany(layouts =>
        Gen.Select(Name, Gen.OneOf(Gen.Const(""), Name), Gen.OneOf(Gen.Const(""), Gen.Const("0f")), Gen.Select(Name, Gen.Long[0, long.MaxValue]).Select(f => new InventoryFile(f.Item1, f.Item2, "ab")).Array[0, 3], Gen.OneOf(layouts.Select(Gen.Const).ToArray()))
            .Select(m => new ModelInventory("folder " + m.Item1, m.Item2, m.Item3, Sequence.From(m.Item4), m.Item5)).Array[0, 5]);

    [Fact]
    public void What_was_written_reads_back() => Models.Sample(models =>
    {
        var text = LockFile.Write(models);
        Assert.Null(LockFile.Read(text, out var read));
        Assert.Equal(models, read);
        Assert.Null(LockFile.Read(text.Replace("\n", "\r\n", StringComparison.Ordinal), out read));
        Assert.Equal(models, read);
    });

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("smelt-lock 2\n", "line 1")]
    [InlineData("smelt-lock 1\nlayout 1\ntensor BF16 3y4 a\n", "line 3")]
    [InlineData("smelt-lock 1\ntensor BF16 3 a\n", "line 2")]
    [InlineData("smelt-lock 1\nmodel folder a\nfile many ab model.safetensors\n", "line 3")]
    [InlineData("smelt-lock 1\nmodel folder a\n<<<<<<< ours\n", "line 3")]
    public void Anything_else_is_refused_with_its_line(string text, string message) =>
        Assert.StartsWith(message, LockFile.Read(text, out _), StringComparison.Ordinal);
}
