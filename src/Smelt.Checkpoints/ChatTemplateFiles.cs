using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Smelt.Checkpoints;

/// <summary>
/// Chat templates in Hugging Face folders: <c>chat_template.jinja</c>, and in older folders the key <c>chat_template</c> of
/// tokenizer_config.json. Where both are there, readers take the file.
/// </summary>
public static class ChatTemplateFiles
{
    /// <summary>The file with the template.</summary>
    public const string FileName = "chat_template.jinja";

    /// <summary>The file that also holds the template for older readers.</summary>
    public const string TokenizerConfigName = "tokenizer_config.json";

    private const string Key = "chat_template";
    private static readonly JsonSerializerOptions AsIs = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The template of a model; null where it has none.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <exception cref="InvalidInputException">tokenizer_config.json holds no JSON object.</exception>
    public static string? Of(string folder)
    {
        var (file, config) = (Path.Combine(folder, FileName), Path.Combine(folder, TokenizerConfigName));
        if (File.Exists(file))
            return InputFile.IsEmpty(file) ? "" : File.ReadAllText(file);
        if (!File.Exists(config))
            return null;
        return Parse(config, InputFile.ReadAllBytes(config))[Key] switch
        {
            JsonValue value when value.TryGetValue<string>(out var text) => text,
            JsonArray named => named.OfType<JsonObject>().FirstOrDefault(t => (t["name"] as JsonValue)?.ToString() == "default")?["template"]?.ToString(),
            _ => null,
        };
    }

    /// <summary>The template in Jinja of a known name.</summary>
    /// <param name="name">One of alpaca, chatml, exaone, llama3, mistral.</param>
    public static string Known(string name)
    {
        using var stream = typeof(ChatTemplateFiles).Assembly.GetManifestResourceStream($"ChatTemplates/{name}.jinja")
            ?? throw new ArgumentException($"there is no chat template '{name}'.", nameof(name));
        return new StreamReader(stream, Encoding.UTF8).ReadToEnd();
    }

    /// <summary>A tokenizer_config.json that states <paramref name="template"/>; its other keys and values stay.</summary>
    /// <exception cref="InvalidInputException">The file holds no JSON object.</exception>
    public static byte[] WithTemplate(string path, byte[] tokenizerConfig, string template)
    {
        var config = Parse(path, tokenizerConfig);
        config[Key] = template;
        return Encoding.UTF8.GetBytes(config.ToJsonString(AsIs) + "\n");
    }

    private static JsonObject Parse(string path, byte[] json)
    {
        try
        {
            var text = json.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? json.AsSpan(Encoding.UTF8.Preamble.Length) : json;
            if (JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 128, AllowDuplicateProperties = false }) is JsonObject config)
                return config;
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(CheckpointRules.BadConfig.Id, path, $"the file is no JSON: {e.Message}", "Repair it, or take the model's original file.");
        }

        throw new InvalidInputException(CheckpointRules.BadConfig.Id, path, "the file holds no JSON object.", "Take the model's original file.");
    }
}
