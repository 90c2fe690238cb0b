namespace Smelt.Merging.Planning;

/// <summary>
/// The few places where merging has to know model families: which tensors outside the layers stand before them, and what
/// the number of layers is called in config.json. Everything else follows from names and shapes.
/// </summary>
/// <remarks>
/// Covers llama, mistral, mixtral, qwen2 and qwen3 (and their MoE), gemma 1 to 3, phi 2 to 4, olmo2, gpt2, gpt-neox, falcon,
/// t5, bert, whisper and mamba. A family that is not listed works where it uses one of these words.
/// </remarks>
internal static class ModelFamilies
{
    private static readonly string[] BeforeLayers =
    [
        "embed_tokens", "embed_tokens_per_layer", "wte", "wpe", "embed_in", "word_embeddings", "word_embeddings_layernorm",
        "embeddings", "embedding", "shared", "embed_positions", "position_embeddings", "token_type_embeddings", "patch_embed",
        "patch_embedding", "conv1", "conv2", "layernorm_embedding", "norm_embeddings",
    ];

    /// <summary>By a word of the layers' prefix, the keys of config.json that may hold their number; the most specific first.</summary>
    private static readonly (string Word, string[] Keys)[] LayerKeys =
    [
        ("encoder.block.", ["num_layers"]),
        ("decoder.block.", ["num_decoder_layers"]),
        ("encoder.layers.", ["encoder_layers", "num_hidden_layers"]),
        ("decoder.layers.", ["decoder_layers"]),
        ("visual.blocks.", ["depth", "num_hidden_layers"]),
        ("", ["num_hidden_layers", "n_layer", "n_layers", "num_layers"]),
    ];

    /// <summary>Whether a tensor outside the layers stands before them (an embedding) and not after them (a norm, a head).</summary>
    public static bool StandsBeforeLayers(string name) => name.Split('.').Any(BeforeLayers.Contains);

    /// <summary>The keys of config.json that may hold the number of layers under a prefix.</summary>
    public static IReadOnlyList<string> KeysOf(string prefix) =>
        LayerKeys.First(k => prefix == k.Word || prefix.EndsWith(k.Word, StringComparison.Ordinal)).Keys;
}
