using System.Text.Json.Nodes;
using Smelt.Checkpoints;
using Smelt.Tool.Tests;

namespace Smelt.Mergekit.Tests;

/// <summary>Where Smelt does something else than mergekit on purpose; docs/deviations.md has the reasons.</summary>
public sealed class DeviationTests : IDisposable
{
    /// <summary>The distance between bfloat16 numbers from 1 up.</summary>
    private const float Step = 1f / 128;

    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Inputs_are_not_rounded_to_the_format_of_the_output()
    {
        foreach (var model in new[] { "a", "b", "c" })
            _work.Model(model, 1 + (0.4f * Step));
        Run("""
            merge_method: linear
            models: [{model: a}, {model: b}, {model: c}]
            parameters: {weight: 1, normalize: false}
            dtype: bfloat16
            """);

        // mergekit: 1 + 1 + 1. Not rounded: 3 + 1.2 steps, and from 2 up bfloat16 numbers are two steps apart.
        Assert.Equal(3 + (2 * Step), Bf16("w"));
    }

    [Fact]
    public void Sums_and_weights_are_rounded_once_at_the_end()
    {
        _work.Model("base", 1);
        _work.Model("a", 1 + Step);
        _work.Model("b", 1 + Step);
        Run("""
            merge_method: task_arithmetic
            base_model: base
            models: [{model: a}, {model: b}]
            parameters: {weight: 0.2505}
            dtype: bfloat16
            """);

        // mergekit: the weight becomes 0.25, the sum half a step, which is rounded to even: 1.
        Assert.Equal(1 + Step, Bf16("w"));
    }

    [Fact]
    public void Without_a_base_the_first_model_gives_the_configuration()
    {
        foreach (var model in new[] { "b", "a", "c" })
            _work.Named(model, 1, ["w"], new JsonObject { ["model_type"] = model, ["architectures"] = new JsonArray("X") });
        Run("merge_method: linear\nmodels: [{model: b}, {model: a}, {model: c}]\nparameters: {weight: 1}");
        Assert.Equal("b", Config()["model_type"]!.GetValue<string>());
    }

    [Fact]
    public void Config_json_names_the_format_of_the_weights()
    {
        foreach (var model in new[] { "base", "a" })
            _work.Named(model, model.Length, ["w"], new JsonObject { ["torch_dtype"] = "bfloat16" });
        Run("merge_method: arcee_fusion\nbase_model: base\nmodels: [{model: a}]\ndtype: bfloat16");
        Assert.Equal("float32", Config()["torch_dtype"]!.GetValue<string>());
        Assert.Equal("F32", Assert.Single(Output.Tensors).Type.Name);
    }

    [Fact]
    public void The_head_of_a_stack_is_merged_of_all_sources_of_the_last_slice()
    {
        _work.Llama("a", 1);
        _work.Llama("b", 2);
        Run("""
            merge_method: linear
            slices:
              - sources: [{model: a, layer_range: [0, 1]}]
              - sources: [{model: a, layer_range: [1, 2]}, {model: b, layer_range: [1, 2]}]
            parameters: {weight: 1}
            """);
        var (a, b) = (Single("a", "lm_head.weight"), Single("b", "lm_head.weight"));
        Assert.Equal((a + b) / 2, Single("out", "lm_head.weight"));
        Assert.Equal(Single("a", "model.embed_tokens.weight"), Single("out", "model.embed_tokens.weight"));
    }

    [Fact]
    public void A_head_that_the_base_ties_stays_tied()
    {
        string[] names = [.. TinyModels.LlamaNames(1)];
        _work.Named("base", 1, names.Where(n => n != "lm_head.weight"), new JsonObject { ["tie_word_embeddings"] = true });
        _work.Named("a", 2, names, new JsonObject());
        Run("merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: a}]\nparameters: {weight: 1}");
        Assert.DoesNotContain(Output.Tensors, t => t.Name == "lm_head.weight");
    }

    private Checkpoint Output => CheckpointFolder.Open(_work["out"]);

    private void Run(string text)
    {
        var captured = new Captured();
        var code = captured.Run("run", _work.Write("x.yml", text), "--out", _work["out"], "--no-sync");
        Assert.True(code == Tool.ExitCode.Done, captured.Error);
    }

    private JsonNode Config() => JsonNode.Parse(File.ReadAllText(Path.Combine(_work["out"], "config.json")))!;

    private float Bf16(string tensor) => BitConverter.Int32BitsToSingle(BitConverter.ToUInt16(Bytes("out", tensor)) << 16);

    private float Single(string model, string tensor) => BitConverter.ToSingle(Bytes(model, tensor));

    private byte[] Bytes(string model, string tensor)
    {
        Assert.True(CheckpointFolder.Open(_work[model]).TryGet(tensor, out var found), tensor);
        return File.ReadAllBytes(found.File.FullPath).AsSpan((int)found.Offset, (int)found.ByteLength).ToArray();
    }
}
