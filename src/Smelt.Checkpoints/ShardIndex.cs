using System.Text;
using System.Text.Json;

namespace Smelt.Checkpoints;

/// <summary><c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal sealed class ShardIndex
{
    private const int NamedTensors = 5;
    private const long MaxBytes = 200_000_000;

    private readonly string _path;
    private readonly Dictionary<string, string> _fileOf;
    private readonly string? _totalSize;

    private ShardIndex(string path, Dictionary<string, string> fileOf, string? totalSize)
    {
        _path = path;
        _fileOf = fileOf;
        _totalSize = totalSize;
        Files = [.. fileOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>The shards in ordinal order of their names.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Reads an index.</summary>
    /// <exception cref="InvalidInputException">It is no index, or it names files that may not be read; all problems.</exception>
    public static ShardIndex Read(string path)
    {
        try
        {
            return Parse(path);
        }
        catch (InvalidOperationException)
        {
            // What System.Text.Json throws for a name or text with half a surrogate pair or with bytes that are not UTF-8.
            throw Bad(path, "the index holds a text that is not valid Unicode");
        }
    }

    private static ShardIndex Parse(string path)
    {
        using var document = ReadJson(path);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw Bad(path, "the index has no object 'weight_map'");

        if (root.EnumerateObject().Count(p => p.NameEquals("weight_map")) > 1)
            throw Bad(path, "the index has two objects 'weight_map'");
        var problems = new List<Problem>();
        var fileOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String)
                problems.Add(CheckpointRules.BadIndex.At(path, $"the shard of '{entry.Name}' is {entry.Value.ValueKind}, not a text."));
            else if (!fileOf.TryAdd(entry.Name, entry.Value.GetString()!))
                problems.Add(CheckpointRules.BadIndex.At(path, $"the tensor '{entry.Name}' stands twice."));
        }

        foreach (var file in fileOf.Values.Distinct(StringComparer.Ordinal))
        {
            if (!RelativePath.IsInside(file))
                problems.Add(CheckpointRules.OutsideFolder.At(path, $"the shard path '{file}' is not a plain path inside the folder.", "Shards lie in the index's folder; '..', absolute paths and backslashes are not followed."));
            else if (!file.EndsWith(".safetensors", StringComparison.Ordinal))
                problems.Add(CheckpointRules.BadIndex.At(path, $"the shard '{file}' is no .safetensors file."));
        }

        if (fileOf.Count == 0 && problems.Count == 0)
            problems.Add(CheckpointRules.BadIndex.At(path, "the index lists no tensor."));
        if (problems.Count > 0)
            throw new InvalidInputException(problems);

        var total = root.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object && metadata.TryGetProperty("total_size", out var size)
            ? size.GetRawText()
            : null;
        return new ShardIndex(path, fileOf, total);
    }

    /// <summary>Compares the index with the shards: errors where they disagree, a warning for a wrong total size.</summary>
    public IEnumerable<Problem> Check(string folder, OpenedFile[] shards)
    {
        var holders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (file, header) in shards)
        {
            var unlisted = header.Tensors.Where(t => !_fileOf.TryGetValue(t.Name, out var listed) || listed != file.Name).Select(t => t.Name).ToArray();
            if (unlisted.Length > 0)
                yield return CheckpointRules.IndexDiffers.At(file.FullPath, $"the shard holds {Some(unlisted)}, which the index does not list there.", "Download shards and index again, from one revision.");
            foreach (var tensor in header.Tensors)
            {
                if (!holders.TryAdd(tensor.Name, file.Name))
                    yield return CheckpointRules.IndexDiffers.At(file.FullPath, $"the tensor '{tensor.Name}' is in {holders[tensor.Name]} as well.");
            }
        }

        foreach (var group in _fileOf.Where(e => !holders.ContainsKey(e.Key)).GroupBy(e => e.Value))
            yield return CheckpointRules.IndexDiffers.At(System.IO.Path.Combine(folder, group.Key), $"the index lists {Some([.. group.Select(e => e.Key)])} in this shard, which lacks it.", "Download shards and index again, from one revision.");

        var bytes = shards.Sum(s => s.Header.Tensors.Sum(t => t.ByteLength));
        if (_totalSize is not null && !(double.TryParse(_totalSize, System.Globalization.CultureInfo.InvariantCulture, out var stated) && stated == bytes))
            yield return CheckpointRules.WrongTotal.At(_path, $"total_size is {_totalSize}, but the tensors take {bytes} bytes.");
    }

    private static JsonDocument ReadJson(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
                throw Bad(path, $"the index is larger than {MaxBytes} bytes");
            var bytes = InputFile.ReadAllBytes(path);
            if (bytes.AsSpan().StartsWith("version "u8))
                throw Bad(path, "the file is a Git LFS pointer, not the index");
            var start = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
            return JsonDocument.Parse(bytes.AsMemory(start));
        }
        catch (JsonException e)
        {
            throw Bad(path, $"the index is no JSON: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(CheckpointRules.Unreadable.Id, path, $"the index can't be read: {e.Message}");
        }
    }

    private static string Some(string[] names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Take(NamedTensors)) + (names.Length > NamedTensors ? $" and {names.Length - NamedTensors} more" : "");

    private static InvalidInputException Bad(string path, string message) =>
        new(CheckpointRules.BadIndex.Id, path, message + ".", "Download it again.");
}
