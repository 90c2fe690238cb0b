using System.Text.Json.Nodes;
using Smelt.Tool.Tests;

namespace Smelt.Mergekit.Tests;

/// <summary>Models of a few numbers with the tensor names of real families.</summary>
internal static class TinyModels
{
    private const int Width = 4;

    private static readonly string[] LlamaLayer =
    [
        "input_layernorm.weight", "self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight", "self_attn.o_proj.weight",
        "post_attention_layernorm.weight", "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight",
    ];

    /// <summary>The tensor names of a Llama.</summary>
    public static IEnumerable<string> LlamaNames(int layers) =>
    [
        "model.embed_tokens.weight",
        .. Enumerable.Range(0, layers).SelectMany(l => LlamaLayer.Select(n => $"model.layers.{l}.{n}")),
        "model.norm.weight",
        "lm_head.weight",
    ];

    /// <summary>Writes a Llama whose numbers follow from a seed.</summary>
    public static void Llama(this Workspace work, string name, int seed, int layers = 2, string? without = null, string? extra = null, float? first = null)
    {
        string[] names = [.. LlamaNames(layers).Where(n => n != without), .. extra is null ? Array.Empty<string>() : [extra]];
        work.Named(name, seed, names, new JsonObject { ["architectures"] = new JsonArray("LlamaForCausalLM"), ["model_type"] = "llama", ["num_hidden_layers"] = layers }, first);
    }

    /// <summary>Writes a model of the given tensors.</summary>
    public static void Named(this Workspace work, string name, int seed, IEnumerable<string> tensors, JsonObject config, float? first = null)
    {
        var random = new Random(seed);
        work.Tensors(name, [.. tensors.Select(t => (t, Enumerable.Range(0, Width).Select(_ => (float)Math.Round(random.NextDouble() - 0.5, 3)).ToArray()))]);
        if (first is { } value)
            SetLast(Path.Combine(work[name], "model.safetensors"), value);
        File.WriteAllText(Path.Combine(work[name], "config.json"), config.ToJsonString());
    }

    /// <summary>Writes a flat file of weights.</summary>
    public static void Flat(this Workspace work, string file, params (string Name, float[] Values)[] tensors)
    {
        work.Tensors(file + ".folder", tensors);
        File.Move(Path.Combine(work[file + ".folder"], "model.safetensors"), work[file]);
        Directory.Delete(work[file + ".folder"], recursive: true);
    }

    private static void SetLast(string file, float value)
    {
        var bytes = File.ReadAllBytes(file);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - sizeof(float)), value);
        File.WriteAllBytes(file, bytes);
    }
}
