using System.Text.Json.Nodes;
using Smelt.Tests;

namespace Smelt.Conformance;

/// <summary>One case of another program: its description, and where its files are found.</summary>
internal sealed class GoldenCase
{
    /// <summary>The folder of merges by the methods' original repositories.</summary>
    public const string Originals = "originals";

    /// <summary>The folder of merges by mergekit.</summary>
    public const string Mergekit = "mergekit";

    private readonly string _set;

    private GoldenCase(string kind, string set, string folder)
    {
        Kind = kind;
        _set = set;
        Folder = folder;
        Json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "case.json")))!.AsObject();
    }

    /// <summary><see cref="Originals"/> or <see cref="Mergekit"/>.</summary>
    public string Kind { get; }

    /// <summary>The case's folder.</summary>
    public string Folder { get; }

    /// <summary>The case's description, case.json.</summary>
    public JsonObject Json { get; }

    /// <summary>The case's path below the folder of its kind.</summary>
    public string Name => Path.GetRelativePath(GoldenFolder.Of(Kind), Folder).Replace('\\', '/');

    /// <summary>The merge method, in the words of the program.</summary>
    public string Method => Text("method");

    /// <summary>Which program made it: the profile of an original, the command of mergekit.</summary>
    public string Program => Text(Kind == Originals ? "profile" : "tool");

    /// <summary>All cases of a kind, of both sets.</summary>
    public static IEnumerable<GoldenCase> All(string kind) =>
        from set in GoldenFolder.Sets(kind)
        where Directory.Exists(Path.Combine(set, "cases"))
        from folder in Directory.EnumerateDirectories(Path.Combine(set, "cases")).Order(StringComparer.Ordinal)
        where File.Exists(Path.Combine(folder, "case.json"))
        select new GoldenCase(kind, set, folder);

    /// <summary>The case with a <see cref="Name"/>.</summary>
    public static GoldenCase Find(string kind, string name) => All(kind).Single(c => c.Name == name);

    /// <summary>Where the paths that the case names start: the second set may use what the first has.</summary>
    public IReadOnlyList<string> Roots => [_set, Path.GetDirectoryName(_set)!];

    /// <summary>A file or folder that the case names.</summary>
    public string Resolve(string path) =>
        Roots.Select(r => Path.Combine(r, path)).FirstOrDefault(Path.Exists) ?? Path.Combine(_set, path);

    /// <summary>A file of the case's own folder; null where there is none.</summary>
    public string? OwnFile(string name) => File.Exists(Path.Combine(Folder, name)) ? Path.Combine(Folder, name) : null;

    /// <summary>A text of the description.</summary>
    public string Text(string key) => Json[key]?.GetValue<string>() ?? throw new InvalidDataException($"{Name}: case.json lacks '{key}'");

    /// <inheritdoc/>
    public override string ToString() => $"{Kind}/{Name}";
}
