using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Smelt.Mergekit.Reading;

namespace Smelt.Mergekit.Writing;

/// <summary>Prints a YAML tree as people write it; lists of numbers stand in one line, texts in quotes only where they need them.</summary>
internal static partial class YamlPrinter
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The text of a document.</summary>
    public static string Print(YamlMap document)
    {
        var text = new StringBuilder();
        PrintMap(text, document, 0, startsLine: true);
        return text.ToString();
    }

    /// <summary>A number in a form that YAML 1.1, which Python reads, takes for a number.</summary>
    public static string Number(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var exponent = text.IndexOf('E', StringComparison.Ordinal);
        if (exponent < 0)
            return text;
        var digits = text[..exponent];
        return (digits.Contains('.', StringComparison.Ordinal) ? digits : digits + ".0") + text[exponent..].ToLowerInvariant();
    }

    private static void PrintMap(StringBuilder text, YamlMap map, int depth, bool startsLine)
    {
        foreach (var (key, value) in map.Entries)
        {
            if (startsLine)
                text.Append(' ', depth);
            startsLine = true;
            text.Append(Scalar(key)).Append(':');
            PrintValue(text, value, depth + 2);
        }
    }

    private static void PrintValue(StringBuilder text, YamlPart value, int depth)
    {
        switch (value)
        {
            case YamlMap { Entries.Count: > 0 } map:
                PrintMap(text.Append('\n'), map, depth, startsLine: true);
                break;
            case YamlList { Items: var items } when items.Any(i => i is not YamlScalar { IsPlain: true }):
                text.Append('\n');
                foreach (var item in items)
                    PrintItem(text.Append(' ', depth).Append("- "), item, depth + 2);
                break;
            case YamlList list:
                text.Append(" [").AppendJoin(", ", list.Items.Select(i => Scalar((YamlScalar)i))).Append("]\n");
                break;
            case YamlScalar scalar:
                text.Append(' ').Append(Scalar(scalar)).Append('\n');
                break;
            default:
                text.Append(" {}\n");
                break;
        }
    }

    private static void PrintItem(StringBuilder text, YamlPart item, int depth)
    {
        if (item is YamlMap map)
            PrintMap(text, map, depth, startsLine: false);
        else
            text.Append(Scalar((YamlScalar)item)).Append('\n');
    }

    private static string Scalar(YamlScalar scalar) =>
        scalar.IsPlain || (PlainText().IsMatch(scalar.Value) && !Word().IsMatch(scalar.Value)) ? scalar.Value : JsonSerializer.Serialize(scalar.Value, Readable);

    /// <summary>Texts that no rule of YAML takes for anything else, but for the words below.</summary>
    [GeneratedRegex(@"^((\.{1,2}/)+|/)?[A-Za-z_][A-Za-z0-9_./+@-]*( [A-Za-z0-9_./+@-]+)*$")]
    private static partial Regex PlainText();

    /// <summary>Words that YAML 1.1 takes for yes, no or nothing.</summary>
    [GeneratedRegex("^(y|yes|n|no|true|false|on|off|null)$", RegexOptions.IgnoreCase)]
    private static partial Regex Word();
}
