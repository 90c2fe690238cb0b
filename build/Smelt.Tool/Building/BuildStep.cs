using System.Globalization;
using System.Text;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Tool.Commands;

namespace Smelt.Tool.Building;

/// <summary>
/// A run of a verb as a step of a build, which keeps files of its own in a folder: the inputs of each step, and for every
/// output the state of all it was made of, so that nothing is merged again that did not change.
/// </summary>
/// <param name="folder">The folder, inside the build's own.</param>
internal sealed class BuildStep(string folder)
{
    /// <summary>
    /// Writes down, for the build to look at before it runs a step again, which files and folders the step read and which
    /// outputs must be there.
    /// </summary>
    /// <param name="verb">The step.</param>
    /// <param name="plans">What it planned.</param>
    /// <param name="outputs">The folders of its outputs; their manifests stand for them.</param>
    /// <param name="made">The folders that it made, which go when the build is cleaned.</param>
    public void Finish(string verb, IEnumerable<MergePlan> plans, IEnumerable<string> outputs, IEnumerable<string> made)
    {
        var roots = plans.SelectMany(RootsOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        WriteLines(verb + ".folders.txt", roots.Where(Directory.Exists));
        WriteLines(verb + ".files.txt", roots.Where(File.Exists));
        WriteLines(verb + ".outputs.txt", outputs.Select(f => Path.Combine(f, Manifest.FileName)));
        WriteLines(verb + ".made.txt", made);
    }

    /// <summary>Whether the outputs of a merge are there, made of what the plan would make them of now.</summary>
    public bool IsCurrent(MergePlan plan, MergeOptions options) =>
        Manifest.IsOf(options.Output, plan) && File.Exists(StateOf(plan)) && File.ReadAllText(StateOf(plan)) == Describe(plan, options);

    /// <summary>Keeps the state of what was just merged.</summary>
    public void Keep(MergePlan plan, MergeOptions options)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(StateOf(plan))!);
        File.WriteAllText(StateOf(plan), Describe(plan, options));
    }

    private string StateOf(MergePlan plan) => Path.Combine(folder, "state", plan.Name + ".txt");

    /// <summary>Files by length and time, as builds tell them apart; their content would take as long to read as to merge.</summary>
    private static string Describe(MergePlan plan, MergeOptions options)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"smelt {Manifest.ToolVersion}\n{plan.ConfigurationHash}\n{options.Output}\n");
        foreach (var file in RootsOf(plan).SelectMany(FilesOf))
            text.Append(CultureInfo.InvariantCulture, $"{file.Length} {file.LastWriteTimeUtc.Ticks} {file.FullName}\n");
        return text.ToString();
    }

    private static IEnumerable<FileInfo> FilesOf(string root) => Directory.Exists(root)
        ? new DirectoryInfo(root).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(f => f.FullName, StringComparer.Ordinal)
        : [new FileInfo(root)];

    /// <summary>The folders of models, and the files, that a plan and its stages depend on; not what stages themselves make.</summary>
    private static IEnumerable<string> RootsOf(MergePlan plan) => PreparedMerge.WithStages(plan)
        .SelectMany(p => p.Inputs.Where(i => i.Reference is not StageModel).SelectMany(InputRoots).Concat(p.Files.Select(f => f.FullPath)))
        .Where(Path.Exists)
        .Distinct(StringComparer.Ordinal);

    /// <summary>A model's folder or file; for one of the hub's cache also what names its commit.</summary>
    private static IEnumerable<string> InputRoots(PlannedInput input)
    {
        yield return input.Checkpoint.Path;
        if (input.Commit is not null && Path.GetFullPath(Path.Combine(input.Checkpoint.Path, "..", "..", "refs")) is var refs && Directory.Exists(refs))
            yield return refs;
    }

    private void WriteLines(string name, IEnumerable<string> lines)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name), string.Concat(lines.Select(l => l + "\n")));
    }
}
