using System.Text.Json;

namespace Smelt.Recipes.Configuration;

/// <summary>The lines on which the parts of a JSON text stand, by JSON pointer.</summary>
internal sealed class JsonLines
{
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);

    public JsonLines(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8);
        var path = new Stack<(string Pointer, int Index)>();
        var line = 1;
        long counted = 0;
        var pointer = "";
        while (reader.Read())
        {
            line += utf8[(int)counted..(int)reader.TokenStartIndex].Count((byte)'\n');
            counted = reader.TokenStartIndex;
            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                path.Pop();
                continue;
            }

            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                pointer = path.Peek().Pointer + "/" + reader.GetString();
                _lines.TryAdd(pointer, line);
                continue;
            }

            if (path.Count > 0 && path.Peek().Index >= 0)
            {
                var (list, index) = path.Pop();
                path.Push((list, index + 1));
                pointer = list + "/" + index;
                _lines.TryAdd(pointer, line);
            }

            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                path.Push((pointer, reader.TokenType == JsonTokenType.StartArray ? 0 : -1));
        }
    }

    /// <summary>The line of a part, or of the nearest part around it.</summary>
    public int LineOf(string pointer)
    {
        while (pointer.Length > 0)
        {
            if (_lines.TryGetValue(pointer, out var line))
                return line;
            pointer = pointer[..pointer.LastIndexOf('/')];
        }

        return 1;
    }
}
