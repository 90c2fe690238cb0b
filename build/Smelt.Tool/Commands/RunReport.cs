using System.Globalization;
using Smelt.Recipes;
using Smelt.Tool.Output;

namespace Smelt.Tool.Commands;

/// <summary>What <c>smelt run</c> tells at its end.</summary>
internal static class RunReport
{
    /// <summary>Writes the table of outputs, the measurements of the task vectors and the folders.</summary>
    public static void Write(Terminal terminal, IReadOnlyList<MergeDocument> merges)
    {
        TextTable.Write(
            terminal,
            ["output ", "method ", "experts", "merged", "kept", "size", "time", "rate"],
            merges.SelectMany(m => m.Outputs.Select((output, i) => Row(m, output, i == 0))));

        foreach (var group in merges.Where(m => m.Statistics is not null).GroupBy(m => Key(m.Statistics!)))
            WriteStatistics(terminal, [.. group.Select(m => m.Recipe)], group.First().Statistics!);

        terminal.Out.WriteLine();
        foreach (var folder in merges.SelectMany(m => m.Outputs).Select(o => o.Folder))
            terminal.Out.WriteLine("written to " + folder);
    }

    /// <summary>Bytes, time and rate in a line.</summary>
    public static string Summary(long bytes, TimeSpan elapsed) =>
        $"{(ByteSize)bytes} in {ProgressText.Elapsed(elapsed)}{(elapsed > TimeSpan.Zero ? ", " + ProgressText.Rate(bytes / elapsed.TotalSeconds) : "")}";

    /// <summary>Points of a sweep are made together, so time and rate stand beside the first.</summary>
    private static string[] Row(MergeDocument merge, OutputDocument output, bool first) =>
    [
        output.Point.Length == 0 ? merge.Recipe : $"{merge.Recipe}/{output.Point}",
        merge.Method,
        merge.Experts.ToString(CultureInfo.InvariantCulture),
        merge.Tensors.Merged.ToString(CultureInfo.InvariantCulture),
        (merge.Tensors.Kept + merge.Tensors.Copied).ToString(CultureInfo.InvariantCulture),
        ((ByteSize)output.Bytes).ToString(),
        first ? ProgressText.Elapsed(TimeSpan.FromSeconds(merge.Seconds)) : "",
        first && merge.Seconds > 0 ? ProgressText.Rate(merge.BytesMoved / merge.Seconds) : "",
    ];

    /// <summary>Recipes over the same models measure the same; they share one table.</summary>
    private static string Key(StatisticsDocument statistics) =>
        $"{statistics.Conflicts} {statistics.Contested} {string.Join('\n', statistics.Norms)}";

    private static void WriteStatistics(Terminal terminal, IReadOnlyList<string> recipes, StatisticsDocument statistics)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"task vectors of {string.Join(", ", recipes)}: {Conflicts(statistics)}");
        TextTable.Write(
            terminal,
            ["expert ", "L2 norm"],
            statistics.Norms.Select(n => (IReadOnlyList<string>)[n.Expert, n.Norm.ToString("0.####", CultureInfo.InvariantCulture)]));
    }

    private static string Conflicts(StatisticsDocument statistics) => statistics.Contested == 0
        ? "no element is changed by two experts"
        : $"signs conflict in {(100.0 * statistics.Conflicts / statistics.Contested).ToString("0.0", CultureInfo.InvariantCulture)} % of {statistics.Contested.ToString("N0", CultureInfo.InvariantCulture)} contested elements";
}
