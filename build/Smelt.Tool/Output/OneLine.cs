using System.Globalization;
using System.Text;

namespace Smelt.Tool.Output;

/// <summary>Text of others, as it may stand in a line of a terminal: names out of model files are not to be trusted.</summary>
internal static class OneLine
{
    /// <summary>The text with its lines joined and other control characters, which could command the terminal, spelled out: <c>\u001B</c>.</summary>
    public static string Of(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        if (!line.Any(char.IsControl))
            return line;
        var safe = new StringBuilder();
        foreach (var c in line)
            _ = char.IsControl(c) ? safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}") : safe.Append(c);
        return safe.ToString();
    }
}
