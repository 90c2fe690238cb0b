using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Smelt.Merging.Execution;

/// <summary>
/// An object of a manifest that maps names to hashes, as <see cref="Utf8JsonWriter"/> indents it. A manifest has such an entry for every tensor of
/// every input, and is made of little else.
/// </summary>
internal static class HashList
{
    private const int HashBytes = 16;
    private const int Indentation = 2;

    /// <summary>Bytes of an entry, as a rule.</summary>
    private const int RoomOfEntry = 112;

    /// <summary>Letters that stand in JSON as they are.</summary>
    private static readonly SearchValues<char> Plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/");

    /// <summary>Writes a list as a member.</summary>
    public static void Write(Utf8JsonWriter json, string name, ReadOnlyMemory<byte> list)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(list.Span, skipInputValidation: true);

        // Else the writer would gather all lists in one buffer, made anew each time it is full.
        json.Flush();
    }

    /// <summary>The text of a list.</summary>
    /// <param name="hashes">The hash of each name.</param>
    /// <param name="depth">How many objects and arrays the list stands in.</param>
    /// <param name="count">How many hashes there are, about: room is made for them.</param>
    public static ReadOnlyMemory<byte> Of(IEnumerable<(string Name, UInt128 Hash)> hashes, int depth, int count = 1)
    {
        var text = new ArrayBufferWriter<byte>(RoomOfEntry * (1 + count));
        Span<byte> hash = stackalloc byte[HashBytes];
        text.Write("{"u8);
        var any = false;
        foreach (var (name, value) in hashes)
        {
            text.Write(any ? ",\n"u8 : "\n"u8);
            any = true;
            Indent(text, depth + 1);
            text.Write("\""u8);
            if (name.AsSpan().ContainsAnyExcept(Plain))
                text.Write(JsonEncodedText.Encode(name).EncodedUtf8Bytes);
            else
                text.Advance(Encoding.ASCII.GetBytes(name, text.GetSpan(name.Length)));
            text.Write("\": \""u8);
            BinaryPrimitives.WriteUInt128BigEndian(hash, value);
            Convert.TryToHexStringLower(hash, text.GetSpan(2 * HashBytes), out var digits);
            text.Advance(digits);
            text.Write("\""u8);
        }

        if (any)
        {
            text.Write("\n"u8);
            Indent(text, depth);
        }

        text.Write("}"u8);
        return text.WrittenMemory;
    }

    private static void Indent(ArrayBufferWriter<byte> text, int depth)
    {
        var spaces = text.GetSpan(Indentation * depth)[..(Indentation * depth)];
        spaces.Fill((byte)' ');
        text.Advance(spaces.Length);
    }
}
