namespace Smelt.Tool.Output;

/// <summary>Tables for people: bare columns, so that they can also be cut and searched; headers are bold on a terminal.</summary>
internal static class TextTable
{
    private const string Bold = "\u001b[1m";
    private const string Reset = "\u001b[0m";

    /// <summary>
    /// Writes a table; columns whose header ends in a blank are aligned to the left, the others to the right. No cell is
    /// broken; rows wider than a terminal are wrapped by the terminal.
    /// </summary>
    public static void Write(Terminal terminal, IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows)
    {
        var lines = new List<IReadOnlyList<string>> { headers.Select(h => h.TrimEnd()).ToArray() };
        lines.AddRange(rows);
        var widths = new int[headers.Count];
        foreach (var line in lines)
        {
            for (var i = 0; i < widths.Length; i++)
                widths[i] = Math.Max(widths[i], line[i].Length);
        }

        foreach (var line in lines)
        {
            var bold = terminal.OutColours && ReferenceEquals(line, lines[0]);
            var cells = line.Select((cell, i) => headers[i].EndsWith(' ') ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]));
            var text = string.Join(' ', cells).TrimEnd();
            terminal.Out.WriteLine(bold ? Bold + text + Reset : text);
        }
    }
}
