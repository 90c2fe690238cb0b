using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smelt.Tool.Output;

/// <summary>Writes and reads <see cref="ToolDocument"/> without reflection.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    Converters = [typeof(SeverityConverter), typeof(CellStateConverter)])]
[JsonSerializable(typeof(ToolDocument))]
internal sealed partial class ToolJson : JsonSerializerContext
{
    /// <summary>The text of a document, escaped only where JSON demands it: programs and people read it, not browsers.</summary>
    public static string Write(ToolDocument document)
    {
        var plain = new ToolJson(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        return JsonSerializer.Serialize(document, plain.ToolDocument);
    }

    /// <summary>Reads a document; null where the text is none.</summary>
    public static ToolDocument? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, Default.ToolDocument);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Severities as <c>error</c>, <c>warning</c> and <c>information</c>.</summary>
internal sealed class SeverityConverter() : JsonStringEnumConverter<Severity>(JsonNamingPolicy.CamelCase);

/// <summary>States of cells by their names.</summary>
internal sealed class CellStateConverter() : JsonStringEnumConverter<CellState>(JsonNamingPolicy.CamelCase);
