using System.Text.Json;

namespace Smelt.Checkpoints;

/// <summary>The tokens of a model and their ids, out of its <c>tokenizer.json</c>.</summary>
public sealed class Vocabulary
{
    private const string FileName = "tokenizer.json";

    private readonly byte[] _text;
    private readonly Lazy<Dictionary<string, int>> _ids;

    private Vocabulary(string path, byte[] text)
    {
        Path = path;
        _text = text;
        _ids = new(Read);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The number of tokens.</summary>
    public int Count => _ids.Value.Count;

    /// <summary>Whether the ids are 0 to <see cref="Count"/> - 1.</summary>
    public bool IsDense => _ids.Value.Values.DefaultIfEmpty(-1).Max() + 1 == Count;

    /// <summary>The vocabulary of a model's folder; null where it has no <c>tokenizer.json</c>.</summary>
    public static Vocabulary? Open(string folder)
    {
        var path = System.IO.Path.Combine(folder, FileName);
        return File.Exists(path) ? new Vocabulary(path, InputFile.ReadAllBytes(path)) : null;
    }

    /// <summary>A token that only one of two vocabularies has, or that has another id in the other; null where there is none.</summary>
    /// <exception cref="InvalidInputException">A file is no tokenizer.</exception>
    public string? DifferenceTo(Vocabulary other)
    {
        if (_text.AsSpan().SequenceEqual(other._text))
            return null;
        var (own, others) = (_ids.Value, other._ids.Value);
        return own.Where(t => !others.TryGetValue(t.Key, out var id) || id != t.Value).OrderBy(t => t.Value).Select(t => t.Key).FirstOrDefault()
            ?? others.Keys.Where(t => !own.ContainsKey(t)).Order(StringComparer.Ordinal).FirstOrDefault();
    }

    private Dictionary<string, int> Read()
    {
        try
        {
            using var document = JsonDocument.Parse(_text);
            var ids = new Dictionary<string, int>(StringComparer.Ordinal);
            var vocabulary = document.RootElement.GetProperty("model").GetProperty("vocab");
            if (vocabulary.ValueKind == JsonValueKind.Object)
            {
                foreach (var token in vocabulary.EnumerateObject())
                    ids[token.Name] = token.Value.GetInt32();
            }
            else
            {
                // Unigram: pairs of a token and its score, the id being the place.
                foreach (var token in vocabulary.EnumerateArray())
                    ids[token[0].GetString()!] = ids.Count;
            }

            if (document.RootElement.TryGetProperty("added_tokens", out var added) && added.ValueKind == JsonValueKind.Array)
            {
                foreach (var token in added.EnumerateArray())
                    ids[token.GetProperty("content").GetString()!] = token.GetProperty("id").GetInt32();
            }

            return ids;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw new InvalidInputException(CheckpointRules.BadConfig.Id, Path, $"the file is no tokenizer: {e.Message}", "Take the model's original file.");
        }
    }
}
