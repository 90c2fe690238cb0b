using System.Globalization;

namespace Smelt.Benchmarks;

/// <summary>The command line: <c>--name value</c> pairs.</summary>
internal sealed class Options(string[] args)
{
    /// <summary>Below which models and outputs are made; in memory where there is such a file system, else the disk is measured.</summary>
    public string Root => Text("root", Directory.Exists("/dev/shm") ? "/dev/shm/smelt-benchmarks" : Path.Combine(Path.GetTempPath(), "smelt-benchmarks"));

    /// <summary>The size of the models.</summary>
    public ModelShape Shape => ModelShape.All.FirstOrDefault(s => s.Name == Text("size", "135M")) ?? throw new ArgumentException($"--size: one of {string.Join(", ", ModelShape.All.Select(s => s.Name))}");

    /// <summary>The number of experts.</summary>
    public int Experts => Number("experts", 8);

    /// <summary>How often everything is done; the best counts.</summary>
    public int Runs => Number("runs", 5);

    /// <summary>The recipes of the project in which typing is measured.</summary>
    public int Recipes => Number("recipes", 200);

    /// <summary>Whether inputs are read from the disk, their pages dropped before each run; <see cref="Root"/> must be on one.</summary>
    public bool Cold => args.Contains("--cold");

    /// <summary>Whether the experts are links to one model, and the base is empty: for sizes of which only one fits in memory.</summary>
    public bool Linked => args.Contains("--linked");

    /// <summary>Where outputs are made; below <see cref="Root"/> unless given.</summary>
    public string Output => Text("output", Path.Combine(Root, "output"));

    /// <summary>Whether a row is to be measured: <c>--only</c> gives parts of names, with <c>|</c> between them.</summary>
    public bool Selects(string row) => Text("only", "").Split('|').Any(part => row.Contains(part, StringComparison.Ordinal));

    /// <summary>The <c>smelt</c> program, for what is measured as a process.</summary>
    public string Tool => Text("tool", "smelt");

    private string Text(string name, string fallback) =>
        Array.IndexOf(args, "--" + name) is >= 0 and var i && i + 1 < args.Length ? args[i + 1] : fallback;

    private int Number(string name, int fallback) =>
        int.Parse(Text(name, fallback.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
}
