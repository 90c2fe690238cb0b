using System.Buffers.Binary;
using System.Text.Json;

namespace Smelt.Conformance;

/// <summary>One tensor as bytes; shares no code with the product, so that a mistake there can't hide itself.</summary>
/// <param name="Dtype">The type's name in safetensors, for example <c>F32</c>.</param>
/// <param name="Shape">Outermost dimension first; empty for a scalar.</param>
/// <param name="Bytes">Little endian, row-major.</param>
internal sealed record StoredTensor(string Dtype, long[] Shape, byte[] Bytes)
{
    /// <summary>Whether the elements are floating-point numbers.</summary>
    public bool IsFloat => Dtype is "F64" or "F32" or "F16" or "BF16";

    /// <summary>The number of elements.</summary>
    public int Count => checked((int)Shape.Aggregate(1L, (product, dimension) => product * dimension));

    /// <summary>A tensor of fp32 values.</summary>
    public static StoredTensor OfFloats(long[] shape, ReadOnlySpan<float> values)
    {
        var bytes = new byte[values.Length * 4];
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * 4), values[i]);
        return new StoredTensor("F32", shape, bytes);
    }

    /// <summary>The element at a flat index; exact for every type but integers beyond 2^53.</summary>
    public double this[int index] => Dtype switch
    {
        "F64" => BinaryPrimitives.ReadDoubleLittleEndian(Bytes.AsSpan(index * 8)),
        "F32" => BinaryPrimitives.ReadSingleLittleEndian(Bytes.AsSpan(index * 4)),
        "F16" => (double)BinaryPrimitives.ReadHalfLittleEndian(Bytes.AsSpan(index * 2)),
        "BF16" => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(Bytes.AsSpan(index * 2)) << 16),
        _ => Integer(index),
    };

    /// <summary>The integer at a flat index.</summary>
    public long Integer(int index) => Dtype switch
    {
        "I64" => BinaryPrimitives.ReadInt64LittleEndian(Bytes.AsSpan(index * 8)),
        "I32" => BinaryPrimitives.ReadInt32LittleEndian(Bytes.AsSpan(index * 4)),
        "I16" => BinaryPrimitives.ReadInt16LittleEndian(Bytes.AsSpan(index * 2)),
        "I8" => (sbyte)Bytes[index],
        "U8" or "BOOL" => Bytes[index],
        _ => throw new InvalidDataException($"dtype {Dtype} is not known to the comparison"),
    };
}

/// <summary>Reads and writes safetensors files: eight bytes of header length, a JSON header, the data.</summary>
internal static class SafetensorsFile
{
    /// <summary>All tensors of a file.</summary>
    public static Dictionary<string, StoredTensor> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, length));
        var tensors = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (var entry in header.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
        {
            var offsets = entry.Value.GetProperty("data_offsets");
            tensors[entry.Name] = new StoredTensor(
                entry.Value.GetProperty("dtype").GetString()!,
                [.. entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())],
                bytes[(8 + length + offsets[0].GetInt32())..(8 + length + offsets[1].GetInt32())]);
        }

        return tensors;
    }

    /// <summary>All tensors of all files of a folder, or of the one file that the path names.</summary>
    public static Dictionary<string, StoredTensor> ReadAll(string path)
    {
        if (File.Exists(path))
            return Read(path);
        var tensors = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(path, "*.safetensors").Order(StringComparer.Ordinal))
        {
            foreach (var (name, tensor) in Read(file))
                tensors[name] = tensor;
        }

        return tensors;
    }

    /// <summary>Writes tensors in the order given.</summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, StoredTensor>> tensors)
    {
        var list = tensors.ToArray();
        var offset = 0;
        var header = new Dictionary<string, object>();
        foreach (var (name, tensor) in list)
        {
            header[name] = new { dtype = tensor.Dtype, shape = tensor.Shape, data_offsets = new[] { offset, offset + tensor.Bytes.Length } };
            offset += tensor.Bytes.Length;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        using var file = File.Create(path);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        file.Write(length);
        file.Write(json);
        foreach (var (_, tensor) in list)
            file.Write(tensor.Bytes);
    }
}
