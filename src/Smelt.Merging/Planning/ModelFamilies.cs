namespace Smelt.Merging.Planning;

/// <summary>
/// The few places where merging has to know model families: which tensors outside the layers stand before them, and what
/// the number of layers is called in config.json, and what the matrices of a mixture's experts are called. Everything else follows from names and shapes.
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

    /// <summary>The module that holds the experts in the fused layout.</summary>
    public const string FusedModule = "mlp";

    /// <summary>The fused tensor of the gate and up projections of all experts: [experts, 2 x intermediate, hidden].</summary>
    public const string FusedGateUp = "gate_up_proj";

    /// <summary>The fused tensor of the down projections of all experts: [experts, hidden, intermediate].</summary>
    public const string FusedDown = "down_proj";

    /// <summary>What an expert's own matrices are called: mixtral, then qwen2 and qwen3 MoE, olmoe, deepseek and their like.</summary>
    public static readonly IReadOnlyList<ExpertNames> ExpertWeights =
    [
        new("block_sparse_moe", "w1", "w3", "w2"),
        new("mlp", "gate_proj", "up_proj", "down_proj"),
    ];

    /// <summary>Whether a tensor holds a projection of all experts of a layer.</summary>
    public static bool IsFusedExperts(string name) =>
        name.EndsWith($".{FusedModule}.experts.{FusedGateUp}", StringComparison.Ordinal) || name.EndsWith($".{FusedModule}.experts.{FusedDown}", StringComparison.Ordinal);

    /// <summary>Whether a tensor outside the layers stands before them (an embedding) and not after them (a norm, a head).</summary>
    public static bool StandsBeforeLayers(string name) => name.Split('.').Any(BeforeLayers.Contains);

    /// <summary>The keys of config.json that may hold the number of layers under a prefix.</summary>
    public static IReadOnlyList<string> KeysOf(string prefix) =>
        LayerKeys.First(k => prefix == k.Word || prefix.EndsWith(k.Word, StringComparison.Ordinal)).Keys;
}

/// <summary>What the matrices of an expert are called.</summary>
/// <param name="Module">The module that holds the experts.</param>
/// <param name="Gate">The gate projection.</param>
/// <param name="Up">The up projection.</param>
/// <param name="Down">The down projection.</param>
internal sealed record ExpertNames(string Module, string Gate, string Up, string Down);
