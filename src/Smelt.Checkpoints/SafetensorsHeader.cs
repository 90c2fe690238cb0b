using System.Buffers.Binary;
using System.Text;

namespace Smelt.Checkpoints;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">Its shape, outermost dimension first.</param>
/// <param name="ElementCount">The number of elements.</param>
/// <param name="Offset">The first byte, counted from the start of the file.</param>
/// <param name="ByteLength">The number of bytes.</param>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<long> Shape, long ElementCount, long Offset, long ByteLength);

/// <summary>
/// The header of a safetensors file: 8 bytes length, little-endian, then JSON that says where each tensor lies. Accepts and
/// refuses what the reference parser (safetensors 0.8) does, and refuses repeated names besides.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>The longest header that is read.</summary>
    public const long MaxLength = 100_000_000;

    private const int PrefixLength = 8;

    private SafetensorsHeader(IReadOnlyList<TensorInfo> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        Tensors = tensors;
        Metadata = metadata;
    }

    /// <summary>The tensors in the order of their offsets.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The texts under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads the header of a file.</summary>
    /// <exception cref="InvalidInputException">The file is not a valid safetensors file.</exception>
    public static SafetensorsHeader Read(string path) => Read(path, new SharedHeaders());

    /// <summary>Reads the header of a file that may be the same as others.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shared">The headers of the files that are read together.</param>
    /// <exception cref="InvalidInputException">The file is not a valid safetensors file.</exception>
    public static SafetensorsHeader Read(string path, SharedHeaders shared)
    {
        try
        {
            if (InputFile.IsEmpty(path))
                throw Empty(path);
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            var prefix = new byte[PrefixLength];
            var read = ReadFully(file, prefix, 0);
            CheckPrefix(path, prefix.AsSpan(0, read), length);
            var header = new byte[BinaryPrimitives.ReadInt64LittleEndian(prefix)];
            return shared.Of(header.AsMemory(0, ReadFully(file, header, PrefixLength)), length, text => Parse(path, text.Span, length));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(CheckpointRules.Unreadable.Id, path, $"the file can't be read: {e.Message}");
        }
    }

    /// <summary>Reads the header of a file that is in memory.</summary>
    /// <exception cref="InvalidInputException">The file is not a valid safetensors file.</exception>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> file)
    {
        CheckPrefix(path, file[..Math.Min(PrefixLength, file.Length)], file.Length);
        return Parse(path, file.Slice(PrefixLength, (int)BinaryPrimitives.ReadInt64LittleEndian(file)), file.Length);
    }

    private static InvalidInputException Empty(string path) => Bad(path, "the file is empty, or a pipe or a device", "Download it again.");

    private static void CheckPrefix(string path, ReadOnlySpan<byte> prefix, long fileLength)
    {
        if (fileLength == 0)
            throw Empty(path);
        if (prefix.Length < PrefixLength)
            throw Bad(path, $"the file has {fileLength} bytes, fewer than the 8 of a header's length", "Download it again.");
        if (prefix.StartsWith("version "u8))
            throw Bad(path, "the file is a Git LFS pointer, not the weights", "Run git lfs pull in its repository, or download it with the hub's client.");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxLength)
            throw Bad(path, $"the header's length is {length}; allowed: at most {MaxLength}", "This is no safetensors file, or it is damaged.");
        if ((long)length > fileLength - PrefixLength)
            throw Bad(path, $"the header's length is {length}, but only {fileLength - PrefixLength} bytes follow it", "The file is cut off: download it again.");
    }

    private static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> header, long fileLength)
    {
        var parser = new SafetensorsHeaderParser(header);
        if (!parser.Parse())
            throw Bad(path, $"{parser.Error} (byte {parser.Position} of the header)", "The file is damaged, or was written by a faulty program: make it again.");

        var dataStart = PrefixLength + header.Length;
        var tensors = new TensorInfo[parser.Tensors.Count];
        var sorted = InOrder(parser.Tensors);
        ulong end = 0;
        for (var i = 0; i < tensors.Length; i++)
        {
            var tensor = sorted[i];
            string Place() => $"{path}, tensor {tensor.Name}";
            if (tensor.Start != end || tensor.End < tensor.Start)
                throw Bad(Place(), $"its data_offsets are [{tensor.Start}, {tensor.End}], but the tensor before it ends at {end}; tensors follow each other without gap or overlap");
            if (!TryMeasure(tensor, out var elements, out var bytes, out var error))
                throw Bad(Place(), error);
            if (bytes != tensor.End - tensor.Start)
                throw Bad(Place(), $"its type {tensor.Type} and shape [{string.Join(", ", tensor.Shape)}] take {bytes} bytes, but its data_offsets span {tensor.End - tensor.Start}");
            end = tensor.End;
            var shape = new long[tensor.Shape.Length];
            for (var d = 0; d < shape.Length; d++)
                shape[d] = (long)Math.Min(tensor.Shape[d], long.MaxValue);
            tensors[i] = new TensorInfo(tensor.Name, tensor.Type, shape, (long)elements, dataStart + (long)tensor.Start, (long)bytes);
        }

        if (end != (ulong)(fileLength - dataStart))
            throw Bad(path, $"its tensors end at byte {end} of the data, but {fileLength - dataStart} bytes of data follow the header", "The file is cut off or has something appended: download it again.");
        return new SafetensorsHeader(tensors, parser.Metadata);
    }

    /// <summary>The tensors in the order of their offsets, in which most files list them; of two without bytes at one place the one written first.</summary>
    private static List<SafetensorsHeaderParser.Entry> InOrder(List<SafetensorsHeaderParser.Entry> tensors)
    {
        for (var i = 1; i < tensors.Count; i++)
        {
            if (Compare(tensors[i - 1], tensors[i]) > 0)
            {
                tensors.Sort(Compare);
                break;
            }
        }

        return tensors;
    }

    private static int Compare(SafetensorsHeaderParser.Entry a, SafetensorsHeaderParser.Entry b) =>
        a.Start != b.Start ? a.Start.CompareTo(b.Start) : a.End != b.End ? a.End.CompareTo(b.End) : a.Position.CompareTo(b.Position);

    /// <summary>The product of the dimensions is taken from the left and may not overflow on the way, even if a zero follows.</summary>
    private static bool TryMeasure(SafetensorsHeaderParser.Entry tensor, out ulong elements, out ulong bytes, out string error)
    {
        elements = 1;
        bytes = 0;
        error = "";
        foreach (var dimension in tensor.Shape)
        {
            if (dimension > 0 && elements > ulong.MaxValue / dimension)
            {
                error = $"the product of its shape [{string.Join(", ", tensor.Shape)}] overflows 64 bits";
                return false;
            }

            elements *= dimension;
        }

        var bitsOfOne = (ulong)tensor.Type.Bits;
        if (elements > ulong.MaxValue / bitsOfOne)
            error = $"its shape [{string.Join(", ", tensor.Shape)}] of {tensor.Type} overflows 64 bits";
        else if (elements * bitsOfOne % 8 != 0)
            error = $"its {elements} elements of {tensor.Type} do not end on a whole byte";
        bytes = unchecked(elements * bitsOfOne) / 8;
        return error.Length == 0;
    }

    private static int ReadFully(Microsoft.Win32.SafeHandles.SafeFileHandle file, Span<byte> buffer, long offset)
    {
        var total = 0;
        while (total < buffer.Length && RandomAccess.Read(file, buffer[total..], offset + total) is > 0 and var read)
            total += read;
        return total;
    }

    private static InvalidInputException Bad(string place, string message, string fix = "") =>
        new(CheckpointRules.BadFile.Id, place, message + ".", fix);
}

/// <summary>A weight file with its header.</summary>
internal sealed record OpenedFile(CheckpointFile File, SafetensorsHeader Header);
