using Smelt.Conformance.Mergekit;
using YamlDotNet.RepresentationModel;

namespace Smelt.Conformance;

/// <summary>Gradients and conditions come out as mergekit documents them.</summary>
public class SettingTests
{
    [Theory]
    [InlineData("0.3", 0.5, 0.3)]
    [InlineData("1e-4", 0.5, 1e-4)]
    [InlineData("[0, 0.4, 1]", 0, 0.0)]
    [InlineData("[0, 0.4, 1]", 0.25, 0.2)]
    [InlineData("[0, 0.4, 1]", 1, 1.0)]
    [InlineData("{filter: '*', value: 2}", 0, 2.0)]
    [InlineData("{filter: mlp, value: 2}", 0, null)]
    [InlineData("[{filter: mlp, value: 2}, {filter: attn, value: [1, 3]}, {value: 9}]", 0.5, 2.0)]
    [InlineData("[{filter: mlp, value: 2}, {value: 9}]", 0.5, 9.0)]
    [InlineData("[]", 0, null)]
    [InlineData("true", 0, 1.0)]
    public void NumberOfATensor(string yaml, double position, double? expected)
    {
        var value = Setting.Number(Parse(yaml), "model.layers.1.self_attn.q_proj.weight", position);
        Assert.Equal(expected.HasValue, value.HasValue);
        Assert.Equal(expected ?? 0, value ?? 0, 12);
    }

    [Theory]
    [InlineData("[true, false, true]", 0.4, true)]
    [InlineData("[true, false, true]", 0.6, false)]
    [InlineData("[true, false, true]", 1, true)]
    [InlineData("false", 1, false)]
    public void FlagsTakeTheEntryBefore(string yaml, double position, bool expected) =>
        Assert.Equal(expected, Setting.Flag(Parse(yaml), "x", position));

    [Fact]
    public void PositionsAreRelativeToTheModule()
    {
        var layers = new LayerPosition(["embed.weight", "encoder.block.0.layer.1.weight", "encoder.block.2.layer.0.weight", "decoder.block.0.weight"]);

        Assert.Equal(0, layers.Of("embed.weight"));
        Assert.Equal(0, layers.Of("encoder.block.0.layer.1.weight"));
        Assert.Equal(0.5, layers.Of("encoder.block.1.layer.1.weight"));
        Assert.Equal(1, layers.Of("encoder.block.2.layer.0.weight"));
        Assert.Equal(1, layers.Of("decoder.block.0.weight"));
    }

    private static YamlNode Parse(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return stream.Documents[0].RootNode;
    }
}
