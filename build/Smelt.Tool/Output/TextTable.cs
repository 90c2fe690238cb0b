using Spectre.Console;

namespace Smelt.Tool.Output;

/// <summary>Tables for people: bare columns, so that they can also be cut and searched; headers are bold on a terminal.</summary>
internal static class TextTable
{
    /// <summary>Wide enough that no cell is broken; rows wider than a terminal are wrapped by the terminal.</summary>
    private const int Width = 4096;

    /// <summary>Writes a table; columns whose header ends in a blank are aligned to the left, the others to the right.</summary>
    public static void Write(Terminal terminal, IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var header in headers)
        {
            var column = new TableColumn(new Text(header.TrimEnd(), terminal.OutColours ? new Style(decoration: Decoration.Bold) : Style.Plain)) { NoWrap = true };
            table.AddColumn(header.EndsWith(' ') ? column : column.RightAligned());
        }

        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal.OutColours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = terminal.OutColours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = Width;
        console.Write(table);
        foreach (var line in text.ToString().TrimEnd('\n').Split('\n'))
            terminal.Out.WriteLine(line.TrimEnd());
    }
}
