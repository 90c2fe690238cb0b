using System.Text.Json;

namespace Smelt.Checkpoints;

/// <summary>Output heads that are the input embedding: such a model stores the embedding alone.</summary>
public static class TiedWeights
{
    /// <summary>The output head.</summary>
    public const string HeadName = "lm_head.weight";

    private static readonly string[] EmbeddingSuffixes = ["embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight", "shared.weight"];

    /// <summary>
    /// Whether a model ties its head: <c>tie_word_embeddings</c> of config.json (or of its text_config) decides; without it,
    /// or without a config.json, a model with an embedding and no head does.
    /// </summary>
    public static bool IsTied(Checkpoint checkpoint)
    {
        if (checkpoint.TryGet(HeadName, out _) || FindEmbedding(checkpoint) is null)
            return false;
        return Stated(checkpoint.ConfigPath) ?? true;
    }

    /// <summary>The input embedding; null where no tensor has a known name of one.</summary>
    public static CheckpointTensor? FindEmbedding(Checkpoint checkpoint) =>
        checkpoint.Tensors.FirstOrDefault(t => EmbeddingSuffixes.Any(s => t.Name == s || t.Name.EndsWith("." + s, StringComparison.Ordinal)));

    private static bool? Stated(string? configPath)
    {
        if (configPath is null)
            return null;
        try
        {
            using var document = JsonDocument.Parse(InputFile.ReadAllBytes(configPath));
            return Stated(document.RootElement)
                ?? (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("text_config", out var text) ? Stated(text) : null);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool? Stated(JsonElement config) =>
        config.ValueKind == JsonValueKind.Object && config.TryGetProperty("tie_word_embeddings", out var tie) && tie.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? tie.GetBoolean()
            : null;
}
