using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace Smelt.Checkpoints;

/// <summary>A tensor to be laid out.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">Its shape.</param>
public sealed record LayoutTensor(string Name, TensorType Type, IReadOnlyList<long> Shape)
{
    /// <summary>The bytes it takes.</summary>
    public long ByteLength { get; } = ((ElementsOf(Shape) * Type.Bits) + 7) / 8;

    private static long ElementsOf(IReadOnlyList<long> shape)
    {
        var elements = 1L;
        for (var i = 0; i < shape.Count; i++)
            elements *= shape[i];
        return elements;
    }
}

/// <summary>A file to be written.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Header">Its first bytes: length and header, padded so that data starts at a multiple of 64.</param>
/// <param name="TotalBytes">Its size.</param>
public sealed record LayoutFile(string Name, ReadOnlyMemory<byte> Header, long TotalBytes);

/// <summary>
/// The files of an output and the place of every tensor in them, known before a byte is written: shards of at most a given
/// size, filled in the order of the tensors; a larger tensor has a shard of its own.
/// </summary>
public sealed class ShardLayout
{
    /// <summary>The index of a sharded folder.</summary>
    public const string IndexName = "model.safetensors.index.json";

    private const int Alignment = 64;

    /// <summary>Bytes of a header without tensors, and of a tensor without its name, at least as a rule.</summary>
    private const int RoomOfHeader = 128;
    private const int RoomOfTensor = 128;

    private readonly (LayoutFile File, long Offset)[] _places;

    private ShardLayout(LayoutFile[] files, (LayoutFile File, long Offset)[] places, string? index)
    {
        Files = files;
        _places = places;
        Index = index;
    }

    /// <summary>The weight files.</summary>
    public IReadOnlyList<LayoutFile> Files { get; }

    /// <summary>The text of the index; null for a single file.</summary>
    public string? Index { get; }

    /// <summary>Bytes of all weight files.</summary>
    public long TotalFileBytes => Files.Sum(f => f.TotalBytes);

    /// <summary>The file of a tensor, and its first byte in it.</summary>
    public (LayoutFile File, long Offset) this[int tensor] => _places[tensor];

    /// <summary>Lays tensors out.</summary>
    public static ShardLayout Create(IEnumerable<LayoutTensor> tensors, long maxShardSize)
    {
        var shards = new List<List<LayoutTensor>> { new() };
        long size = 0, total = 0;
        foreach (var tensor in tensors)
        {
            if (shards[^1].Count > 0 && size + tensor.ByteLength > maxShardSize)
            {
                shards.Add([]);
                size = 0;
            }

            shards[^1].Add(tensor);
            size += tensor.ByteLength;
            total += tensor.ByteLength;
        }

        var files = new LayoutFile[shards.Count];
        var places = new List<(LayoutFile, long)>();
        for (var i = 0; i < files.Length; i++)
        {
            var bytes = 0L;
            foreach (var tensor in shards[i])
                bytes += tensor.ByteLength;
            var name = files.Length == 1 ? CheckpointFolder.SingleName : $"model-{i + 1:00000}-of-{files.Length:00000}.safetensors";
            var header = Header(shards[i]);
            files[i] = new LayoutFile(name, header, header.Length + bytes);
            long offset = header.Length;
            foreach (var tensor in shards[i])
            {
                places.Add((files[i], offset));
                offset += tensor.ByteLength;
            }
        }

        return new ShardLayout(files, [.. places], files.Length == 1 ? null : WriteIndex(shards, files, total));
    }

    private static byte[] Header(List<LayoutTensor> tensors)
    {
        // Room from the start: a buffer that grows by doubling makes the collector look at everything each time.
        var room = RoomOfHeader;
        foreach (var tensor in tensors)
            room += tensor.Name.Length + RoomOfTensor;
        var buffer = new ArrayBufferWriter<byte>(room);
        buffer.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            long offset = 0;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.Name);
                json.WriteStartArray("shape");
                for (var i = 0; i < tensor.Shape.Count; i++)
                    json.WriteNumberValue(tensor.Shape[i]);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.WrittenCount % Alignment != 0)
            buffer.Write(" "u8);
        var bytes = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        return bytes;
    }

    private static string WriteIndex(List<List<LayoutTensor>> shards, LayoutFile[] files, long total)
    {
        var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", total);
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            for (var i = 0; i < files.Length; i++)
            {
                foreach (var tensor in shards[i])
                    json.WriteString(tensor.Name, files[i].Name);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
