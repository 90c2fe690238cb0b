using System.Text;

namespace Smelt.Checkpoints.Tests;

/// <summary>config.json states the output's weight type, and every other byte stays.</summary>
public class SideFilesTests
{
    [Theory]
    [InlineData("""{"dtype": "float32", "a": 1e-05}""", """{"dtype": "bfloat16", "a": 1e-05}""")]
    [InlineData("""{"torch_dtype":null}""", """{"torch_dtype":"bfloat16"}""")]
    [InlineData("""{"a": [1.0, 2], "text_config": {"dtype": "float16"}, "torch_dtype": "float16"}""", """{"a": [1.0, 2], "text_config": {"dtype": "bfloat16"}, "torch_dtype": "bfloat16"}""")]
    [InlineData("""{}""", "{\n  \"dtype\": \"bfloat16\"\n}")]
    [InlineData("""{"a": 1}""", "{\n  \"dtype\": \"bfloat16\",\"a\": 1}")]
    [InlineData("""{"text_config": {"dtype": "float16"}}""", "{\n  \"dtype\": \"bfloat16\",\"text_config\": {\"dtype\": \"bfloat16\"}}")]
    [InlineData("""{"limit": [0.0, Infinity], "x": -Infinity, "n": NaN, "t": "NaN", "dtype": "float16"}""", """{"limit": [0.0, Infinity], "x": -Infinity, "n": NaN, "t": "NaN", "dtype": "bfloat16"}""")]
    [InlineData("""{"quantization_config": {"dtype": "int8", "inner": {"dtype": "x"}}, "dtype": "float16"}""", """{"quantization_config": {"dtype": "int8", "inner": {"dtype": "x"}}, "dtype": "bfloat16"}""")]
    public void The_type_is_stated_and_nothing_else_changes(string config, string expected)
    {
        Assert.Equal(expected, Encoding.UTF8.GetString(SideFiles.WithType("config.json", Encoding.UTF8.GetBytes(config), TensorType.BF16)));
        byte[] marked = [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(config)];
        Assert.Equal([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(expected)], SideFiles.WithType("config.json", marked, TensorType.BF16));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    public void What_is_no_object_is_refused(string config) =>
        Assert.Equal("SM6012", Assert.Single(Assert.Throws<InvalidInputException>(() => SideFiles.WithType("config.json", Encoding.UTF8.GetBytes(config), TensorType.F32)).Problems).Id);

    [Theory]
    [InlineData(300, true)]
    [InlineData(309, false)]
    [InlineData(400, false)]
    public void A_skipped_number_beyond_the_range_of_a_double_is_refused(int digits, bool accepted)
    {
        var header = Encoding.UTF8.GetBytes($$$"""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":{{{new string('9', digits)}}}}}""");
        byte[] file = [.. BitConverter.GetBytes((long)header.Length), .. header];
        Assert.Equal(accepted, Record.Exception(() => SafetensorsHeader.Parse("f", file)) is null);
    }

    [Fact]
    public void A_huge_dimension_beside_a_zero_never_becomes_negative()
    {
        var header = Encoding.UTF8.GetBytes("""{"a":{"dtype":"U8","shape":[0,18446744073709551615],"data_offsets":[0,0]}}""");
        byte[] file = [.. BitConverter.GetBytes((long)header.Length), .. header];
        Assert.All(SafetensorsHeader.Parse("f", file).Tensors[0].Shape, d => Assert.True(d >= 0));
    }
}
