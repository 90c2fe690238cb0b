using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>
/// Makes config.json say how many layers an output has, and takes lists with an entry for each layer (<c>layer_types</c> and
/// its like) along with the layers. Every other byte stays as it is.
/// </summary>
internal static class LayerConfig
{
    /// <summary>The text with the numbers of layers that the output has.</summary>
    public static byte[] Rewrite(byte[] config, IReadOnlyList<LayerChange> changes)
    {
        foreach (var change in changes)
            config = Rewrite(config, change).Config;
        return config;
    }

    /// <summary>Whether a configuration states the number of layers that a change is about.</summary>
    public static bool States(byte[] config, LayerChange change) => Rewrite(config, change).Found;

    private static (byte[] Config, bool Found) Rewrite(byte[] config, LayerChange change)
    {
        var edits = new List<(int Start, int End, string Text)>();
        var found = false;
        using (var document = Parse(config))
        {
            if (document is not null)
                found = Collect(document.RootElement, change, config, edits);
        }

        if (edits.Count == 0)
            return (config, found);
        var result = new MemoryStream();
        var copied = 0;
        foreach (var (start, end, text) in edits.OrderBy(e => e.Start))
        {
            result.Write(config.AsSpan(copied, start - copied));
            result.Write(Encoding.UTF8.GetBytes(text));
            copied = end;
        }

        result.Write(config.AsSpan(copied));
        return (result.ToArray(), found);
    }

    private static JsonDocument? Parse(byte[] config)
    {
        try
        {
            return JsonDocument.Parse(config);
        }
        catch (JsonException)
        {
            // NaN or Infinity, which Python writes: such a file keeps its numbers of layers, and the plan warns.
            return null;
        }
    }

    /// <summary>Collects the edits of an object that states the number of layers, or of those inside it.</summary>
    private static bool Collect(JsonElement json, LayerChange change, byte[] config, List<(int Start, int End, string Text)> edits)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return false;
        var states = change.Keys.FirstOrDefault(key => json.TryGetProperty(key, out var count) && count.ValueKind == JsonValueKind.Number && count.TryGetInt32(out var n) && n == change.Donor);
        if (states is null)
            return json.EnumerateObject().Aggregate(false, (found, p) => Collect(p.Value, change, config, edits) || found);
        foreach (var property in json.EnumerateObject())
        {
            if (property.Name == states)
                edits.Add(Edit(property.Value, config, change.Origins.Count.ToString(CultureInfo.InvariantCulture)));
            else if (property.Value.ValueKind == JsonValueKind.Array && property.Value.GetArrayLength() == change.Donor && property.Name.Contains("layer", StringComparison.Ordinal))
                edits.Add(Edit(property.Value, config, List(property.Value, change)));
        }

        return true;
    }

    private static string List(JsonElement list, LayerChange change) =>
        "[" + string.Join(", ", change.Origins.Select(o => list[Math.Min(o, change.Donor - 1)].GetRawText())) + "]";

    private static (int Start, int End, string Text) Edit(JsonElement value, byte[] config, string text)
    {
        // The document reads the very bytes of the file, so that the value's place in them tells its place in the file.
        var raw = JsonMarshal.GetRawUtf8Value(value);
        config.AsSpan().Overlaps(raw, out var start);
        return (start, start + raw.Length, text);
    }
}
