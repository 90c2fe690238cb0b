using System.Text;
using System.Text.Json;

namespace Smelt.Checkpoints;

/// <summary>What a Hugging Face folder carries besides weights, and an output takes over from its donor.</summary>
public static class SideFiles
{
    /// <summary>The file that describes the model.</summary>
    public const string ConfigName = "config.json";

    private const string LegacyTemplate = "chat_template.json";

    private static readonly string[] Names =
    [
        "generation_config.json", "tokenizer.json", ChatTemplateFiles.TokenizerConfigName, "tokenizer.model", "special_tokens_map.json",
        "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt", "spiece.model", "sentencepiece.bpe.model", "tekken.json",
        ChatTemplateFiles.FileName, LegacyTemplate, "preprocessor_config.json", "processor_config.json",
        "video_preprocessor_config.json", "modules.json", "sentence_bert_config.json",
    ];

    private const string TemplateFolder = "additional_chat_templates";

    /// <summary>The files for an output, by relative path.</summary>
    /// <param name="donor">What the files are taken from.</param>
    /// <param name="type">The type of the output's weights.</param>
    /// <param name="chatTemplate">The output's chat template in Jinja, in place of all that the donor has; null for the donor's.</param>
    /// <exception cref="InvalidInputException">config.json or tokenizer_config.json is no JSON object.</exception>
    public static IEnumerable<(string Name, byte[] Content)> For(Checkpoint donor, TensorType type, string? chatTemplate = null)
    {
        if (chatTemplate is not null)
            yield return (ChatTemplateFiles.FileName, Encoding.UTF8.GetBytes(chatTemplate));
        if (donor.Folder is not { } folder)
            yield break;
        if (donor.ConfigPath is { } config)
            yield return (ConfigName, WithType(config, InputFile.ReadAllBytes(config), type));
        foreach (var name in Names.Where(n => File.Exists(Path.Combine(folder, n)) && (chatTemplate is null || n is not (ChatTemplateFiles.FileName or LegacyTemplate))))
        {
            var (path, replaces) = (Path.Combine(folder, name), chatTemplate is not null && name == ChatTemplateFiles.TokenizerConfigName);
            yield return (name, replaces ? ChatTemplateFiles.WithTemplate(path, InputFile.ReadAllBytes(path), chatTemplate!) : InputFile.ReadAllBytes(path));
        }

        var templates = Path.Combine(folder, TemplateFolder);
        if (chatTemplate is not null || !Directory.Exists(templates))
            yield break;
        foreach (var template in Directory.EnumerateFiles(templates, "*.jinja").Order(StringComparer.Ordinal))
            yield return ($"{TemplateFolder}/{Path.GetFileName(template)}", InputFile.ReadAllBytes(template));
    }

    /// <summary>Reports what <see cref="For"/> would refuse, before anything is merged.</summary>
    public static void Check(Checkpoint donor, string? chatTemplate, List<Problem> problems)
    {
        foreach (var name in donor.Folder is null ? [] : Names.Prepend(ConfigName))
        {
            var path = Path.Combine(donor.Folder!, name);
            if (!File.Exists(path) && new FileInfo(path).LinkTarget is null)
                continue;
            try
            {
                if (!InputFile.IsEmpty(path))
                    File.OpenHandle(path).Dispose();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add(CheckpointRules.Unreadable.At(path, $"the output takes this file over, and it can't be read: {e.Message}", "Repair or remove it."));
            }
        }

        if (problems.Exists(p => p.Id == CheckpointRules.Unreadable.Id))
            return;
        Try(donor.ConfigPath, (path, content) => WithType(path, content, TensorType.F32));
        if (chatTemplate is not null && donor.Folder is { } folder)
            Try(Path.Combine(folder, ChatTemplateFiles.TokenizerConfigName), (path, content) => ChatTemplateFiles.WithTemplate(path, content, chatTemplate));

        void Try(string? path, Func<string, byte[], byte[]> make)
        {
            if (path is null || !File.Exists(path))
                return;
            try
            {
                make(path, InputFile.ReadAllBytes(path));
            }
            catch (InvalidInputException invalid)
            {
                problems.AddRange(invalid.Problems);
            }
        }
    }

    /// <summary>
    /// A config.json that states <paramref name="type"/> wherever it states a weight type (<c>dtype</c>, <c>torch_dtype</c>,
    /// also in nested parts), and as <c>dtype</c> where it states none. Every other byte stays as it is.
    /// </summary>
    public static byte[] WithType(string path, byte[] config, TensorType type)
    {
        if (type.TorchName is not { } torchName)
            return config;
        var start = config.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        var (readable, replacements) = (WithoutSpecialNumbers(config.AsSpan(start)), new List<(long Start, long End)>());
        long afterBrace = -1;
        var (empty, stated) = (true, false);
        try
        {
            var reader = new Utf8JsonReader(readable, new JsonReaderOptions { MaxDepth = 128 });
            var (atType, foreign) = (false, -1);
            while (reader.Read())
            {
                if (afterBrace < 0)
                {
                    if (reader.TokenType != JsonTokenType.StartObject)
                        throw new InvalidInputException(CheckpointRules.BadConfig.Id, path, "the file holds no JSON object.");
                    afterBrace = start + reader.BytesConsumed;
                    continue;
                }

                if (atType && reader.TokenType is JsonTokenType.String or JsonTokenType.Null)
                {
                    replacements.Add((start + reader.TokenStartIndex, start + reader.BytesConsumed));
                    stated |= reader.CurrentDepth == 1;
                }

                // A quantisation has a type of its own, which the weights' type does not change.
                if (foreign == reader.CurrentDepth && reader.TokenType is JsonTokenType.EndObject or JsonTokenType.PropertyName)
                    foreign = -1;
                if (foreign < 0 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("quantization_config"u8))
                    foreign = reader.CurrentDepth;
                atType = foreign < 0 && reader.TokenType == JsonTokenType.PropertyName && (reader.ValueTextEquals("dtype"u8) || reader.ValueTextEquals("torch_dtype"u8));
                empty &= reader.TokenType != JsonTokenType.PropertyName;
            }
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(CheckpointRules.BadConfig.Id, path, $"the file is no JSON: {e.Message}", "Repair it, or take the model's original file.");
        }

        var name = Encoding.UTF8.GetBytes($"\"{torchName}\"");
        var result = new MemoryStream();
        long copied = 0;
        if (!stated)
        {
            result.Write(config.AsSpan(0, (int)afterBrace));
            result.Write(Encoding.UTF8.GetBytes($"\n  \"dtype\": \"{torchName}\"{(empty ? "\n" : ",")}"));
            copied = afterBrace;
        }

        foreach (var (first, end) in replacements)
        {
            result.Write(config.AsSpan((int)copied, (int)(first - copied)));
            result.Write(name);
            copied = end;
        }

        result.Write(config.AsSpan((int)copied));
        return result.ToArray();
    }

    /// <summary>A copy in which NaN and Infinity, which Python writes into JSON, are numbers of the same length.</summary>
    private static byte[] WithoutSpecialNumbers(ReadOnlySpan<byte> config)
    {
        var copy = config.ToArray();
        var inText = false;
        for (var i = 0; i < copy.Length; i++)
        {
            if (copy[i] == '\\' && inText)
                i++;
            else if (copy[i] == '"')
                inText = !inText;
            else if (!inText && (copy.AsSpan(i).StartsWith("NaN"u8) || copy.AsSpan(i).StartsWith("Infinity"u8)))
                copy.AsSpan(i, copy[i] == 'N' ? 3 : 8).Fill((byte)'1');
        }

        return copy;
    }
}
