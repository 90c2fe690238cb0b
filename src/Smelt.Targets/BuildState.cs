using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smelt.Targets;

/// <summary>A file as it was hashed: its bytes, when it was changed (UTC), and the SHA-256 of its content.</summary>
internal sealed record FileRecord(long Length, long Ticks, string Hash);

/// <summary>A target that succeeded: the hash of its parameters and of all it consumed, and the hashes of what it produced, by path.</summary>
internal sealed record TargetRecord(string Key, SortedDictionary<string, string> Products);

/// <summary>A run: the targets asked for, the hashes of the parameters' values by name, the targets that succeeded, and whether nothing is left to do.</summary>
internal sealed record RunRecord(IReadOnlyList<string> Requested, IReadOnlyDictionary<string, string> Parameters, IReadOnlyList<string> Succeeded, bool Finished);

/// <summary>
/// What is known of earlier runs. It is written after every target, to a file beside it that is renamed, so that a run that is
/// killed leaves the state of the moment before.
/// </summary>
internal sealed class BuildState
{
    /// <summary>The version of the file; another one is not read, and every target runs.</summary>
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    public Dictionary<string, TargetRecord> Targets { get; init; } = [];

    public Dictionary<string, FileRecord> Files { get; init; } = [];

    public RunRecord? LastRun { get; set; }

    /// <summary>The file of a build's state.</summary>
    /// <param name="root">The root folder.</param>
    /// <param name="name">The build's name.</param>
    /// <param name="partition">The part that runs: parts keep states of their own, since they may run at the same time.</param>
    public static string PathOf(string root, string name, Partition partition) =>
        Path.Combine(root, ".smelt", "state", partition.Total == 1 ? name + ".json" : $"{name}.{partition.Part}of{partition.Total}.json");

    /// <summary>Reads a state; an empty one where there is none that can be read.</summary>
    public static BuildState Read(string path)
    {
        try
        {
            if (File.Exists(path) && JsonSerializer.Deserialize(File.ReadAllBytes(path), StateJson.Default.BuildState) is { Version: CurrentVersion, Targets: not null, Files: not null } state)
                return state;
        }
        catch (JsonException)
        {
            // As good as none: every target runs and is written down anew.
        }

        return new BuildState();
    }

    /// <summary>Replaces the file as a whole.</summary>
    public void Write(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var ignore = Path.Combine(folder, ".gitignore");
        if (!File.Exists(ignore))
            File.WriteAllText(ignore, "*\n");
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        using (var stream = File.Create(temporary))
        {
            JsonSerializer.Serialize(stream, this, StateJson.Default.BuildState);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}

/// <summary>Writes and reads <see cref="BuildState"/> without reflection.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(BuildState))]
internal sealed partial class StateJson : JsonSerializerContext;
