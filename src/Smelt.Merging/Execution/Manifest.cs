using System.Text.Json;
using System.Text.Json.Nodes;
using Smelt.Checkpoints;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>
/// <c>smelt.json</c>, which lies beside every output: the configuration and its hash, the sweep point, the inputs and the
/// hash of every tensor that was read and written, so that <c>smelt verify</c> finds a single changed bit. It holds no time
/// and no place: the same merge makes the same manifest.
/// </summary>
public static class Manifest
{
    /// <summary>The manifest's name.</summary>
    public const string FileName = "smelt.json";

    private const int SchemaVersion = 1;
    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    /// <summary>Writes a manifest.</summary>
    /// <param name="path">The file.</param>
    /// <param name="plan">What was merged.</param>
    /// <param name="point">The sweep point.</param>
    /// <param name="hashes">The hashes of tensors.</param>
    /// <param name="sideFiles">The other files of the output.</param>
    internal static void Write(string path, MergePlan plan, int point, TensorHashes hashes, IReadOnlyList<SideFile> sideFiles)
    {
        const int depthOfInput = 3;
        var lists = new ReadOnlyMemory<byte>[1 + plan.Inputs.Count];
        using var file = File.Create(path);
        using (var json = new Utf8JsonWriter(file, Indented))
        {
            // What has an entry for each rule or for each tensor is made on all cores: the head, the list of the output, and those of the inputs.
            Concurrently.For(1 + lists.Length, i =>
            {
                if (i == 0)
                    WriteHead(json, plan, point);
                else
                    lists[i - 1] = i == 1 ? HashList.Of(hashes.Outputs(plan.Tensors, point), 1, plan.Tensors.Count) : HashList.Of(hashes.Inputs(plan.Inputs[i - 2]), depthOfInput, plan.Inputs[i - 2].Checkpoint.Tensors.Count);
            });
            HashList.Write(json, "tensors", lists[0]);
            if (plan.MaskOutputs is { } masks)
            {
                json.WriteStartObject("masks");
                for (var mask = 0; mask < masks.Names.Count; mask++)
                {
                    HashList.Write(json, MaskOutputs.FileOf(masks.Names[mask]), HashList.Of(hashes.Outputs(plan.Merged, plan.StreamOf(point, mask)), json.CurrentDepth));
                }

                json.WriteEndObject();
            }

            HashList.Write(json, "files", HashList.Of(HashesOf(sideFiles), json.CurrentDepth));
            json.WriteStartArray("inputs");
            for (var i = 0; i < plan.Inputs.Count; i++)
                WriteInput(json, plan.Inputs[i], lists[1 + i]);
            json.WriteEndArray();
            WriteGiven(json, plan, hashes);
            json.WriteEndObject();
        }

        file.Write("\n"u8);
    }

    /// <summary>Whether a folder holds the finished outputs of a plan, at all its sweep points.</summary>
    public static bool IsOf(string folder, MergePlan plan) =>
        Enumerable.Range(0, plan.Points.Count).All(point => IsOf(Path.Combine(folder, plan.Points[point].Label), plan, point));

    /// <summary>
    /// Whether a folder holds the finished output of a plan at a sweep point: the same recipe, this version, and inputs of the same commit whose
    /// files have the sizes they had and were not written to since.
    /// </summary>
    public static bool IsOf(string folder, MergePlan plan, int point)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return false;
        try
        {
            using var manifest = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = manifest.RootElement;
            var made = File.GetLastWriteTimeUtc(path).Ticks;
            var inputs = root.GetProperty("inputs").EnumerateArray().ToArray();
            return root.GetProperty("configurationSha256").GetString() == plan.ConfigurationHash
                && root.GetProperty("tool").GetString() == "smelt " + ToolVersion
                && root.GetProperty("point").GetString() == plan.Points[point].Label
                && (root.TryGetProperty("mergekit", out var seed) ? JsonNode.Parse(seed.GetRawText())!.ToJsonString() : null) == SeedOf(plan)?.ToJsonString()
                && inputs.Length == plan.Inputs.Count
                && plan.Inputs.Zip(inputs).All(pair => pair.First.Commit == pair.Second.GetProperty("commit").GetString() && pair.First.Checkpoint.Files.All(file =>
                    pair.Second.GetProperty("files").TryGetProperty(file.Name, out var size) && size.GetInt64() == file.Length && file.LastWriteTicks <= made));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    /// <summary>The version of this build.</summary>
    public static string ToolVersion { get; } = typeof(Manifest).Assembly.GetName().Version!.ToString(3);

    /// <summary>What the random masks of mergekit follow from; null where they are not asked for.</summary>
    internal static JsonObject? SeedOf(MergePlan plan)
    {
        if (plan.MergekitSeed is not { } seed)
            return null;
        var text = new JsonObject { ["seed"] = seed.Value };
        if (seed.Arithmetic.TryGetValue(plan.Name, out var dtype))
            text.Add("arithmetic", dtype is { } format ? Recipes.Slots.CamelCase(format.ToString()) : "promoted");
        return text;
    }

    private static void WriteHead(Utf8JsonWriter json, MergePlan plan, int point)
    {
        json.WriteStartObject();
        json.WriteNumber("version", SchemaVersion);
        json.WriteString("tool", "smelt " + ToolVersion);
        json.WritePropertyName("configuration");
        using (var configuration = JsonDocument.Parse(plan.Configuration))
            configuration.WriteTo(json);
        json.Flush();
        json.WriteString("configurationSha256", plan.ConfigurationHash);
        json.WriteString("point", plan.Points[point].Label);
        if (SeedOf(plan) is { } seed)
        {
            json.WritePropertyName("mergekit");
            seed.WriteTo(json);
        }

        json.WriteString("hash", "XxHash128 over the XxHash128 of each block of 65,536 elements");
    }

    private static void WriteInput(Utf8JsonWriter json, PlannedInput input, ReadOnlyMemory<byte> tensors)
    {
        json.WriteStartObject();
        json.WriteString("model", input.Reference.ToString());
        json.WriteString("commit", input.Commit);
        json.WriteStartObject("files");
        foreach (var file in input.Checkpoint.Files)
            json.WriteNumber(file.Name, file.Length);
        json.WriteEndObject();
        HashList.Write(json, "tensors", tensors);
        if (input is { Reference: Recipes.StageModel, Checkpoint.Folder: { } stage })
            CopyInputs(json, Path.Combine(stage, FileName));
        json.WriteEndObject();
    }

    /// <summary>What a stage was merged of, which is known to its own manifest alone: the stage's output goes away.</summary>
    private static void CopyInputs(Utf8JsonWriter json, string manifest)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(manifest));
        foreach (var name in new[] { "inputs", "given" })
        {
            if (!document.RootElement.TryGetProperty(name, out var value))
                continue;
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    private static void WriteGiven(Utf8JsonWriter json, MergePlan plan, TensorHashes hashes)
    {
        var names = GivenFiles.Of(plan.Recipe);
        if (names.Count == 0)
            return;
        var files = plan.Given.ToDictionary(g => g.Path, StringComparer.Ordinal);
        json.WriteStartObject("given");
        foreach (var name in names)
        {
            // A merge that makes no tensor of the output reads nothing.
            HashList.Write(json, name, HashList.Of(files.TryGetValue(Path.GetFullPath(name, plan.Root), out var file) ? hashes.Given(file) : [], json.CurrentDepth));
        }

        json.WriteEndObject();
    }

    private static IEnumerable<(string Name, UInt128 Hash)> HashesOf(IReadOnlyList<SideFile> files)
    {
        foreach (var file in files)
            yield return (file.Name, file.Hash);
    }
}
