using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
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
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The text of a manifest.</summary>
    /// <param name="plan">What was merged.</param>
    /// <param name="point">The sweep point.</param>
    /// <param name="hashes">The hashes of tensors.</param>
    /// <param name="sideFiles">The other files of the output, by relative path, with their XxHash128.</param>
    internal static string Write(MergePlan plan, int point, TensorHashes hashes, IEnumerable<(string Name, UInt128 Hash)> sideFiles)
    {
        var manifest = new JsonObject
        {
            ["version"] = SchemaVersion,
            ["tool"] = "smelt " + ToolVersion,
            ["configuration"] = JsonNode.Parse(plan.Configuration),
            ["configurationSha256"] = plan.ConfigurationHash,
            ["point"] = plan.Points[point].Label,
            ["hash"] = "XxHash128 over the XxHash128 of each block of 65,536 elements",
            ["tensors"] = new JsonObject(plan.Tensors.Select(t => Pair(t.Name, hashes.Output(t.Index, point)))),
            ["masks"] = plan.MaskOutputs is not { } masks ? null : new JsonObject(masks.Names.Select((name, mask) => KeyValuePair.Create(
                MaskOutputs.FileOf(name),
                (JsonNode?)new JsonObject(plan.Merged.Select(t => Pair(t.Name, hashes.Output(t.Index, plan.StreamOf(point, mask)))))))),
            ["files"] = new JsonObject(sideFiles.Select(f => Pair(f.Name, f.Hash))),
            ["inputs"] = new JsonArray([.. plan.Inputs.Select(input => (JsonNode)new JsonObject
            {
                ["model"] = input.Reference.ToString(),
                ["commit"] = input.Commit,
                ["files"] = new JsonObject(input.Checkpoint.Files.Select(f => KeyValuePair.Create(f.Name, (JsonNode?)JsonValue.Create(f.Length)))),
                ["tensors"] = new JsonObject(hashes.Inputs(input).Select(t => Pair(t.Name, t.Hash))),
            })]),
        };
        if (plan.MaskOutputs is null)
            manifest.Remove("masks");
        return manifest.ToJsonString(Indented) + "\n";
    }

    /// <summary>
    /// Whether a folder holds the finished output of a plan at a sweep point: the same recipe, this version, and inputs whose
    /// files have the sizes they had.
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
            var inputs = root.GetProperty("inputs").EnumerateArray().ToArray();
            return root.GetProperty("configurationSha256").GetString() == plan.ConfigurationHash
                && root.GetProperty("tool").GetString() == "smelt " + ToolVersion
                && root.GetProperty("point").GetString() == plan.Points[point].Label
                && inputs.Length == plan.Inputs.Count
                && plan.Inputs.Zip(inputs).All(pair => pair.First.Checkpoint.Files.All(file =>
                    pair.Second.GetProperty("files").TryGetProperty(file.Name, out var size) && size.GetInt64() == file.Length));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    /// <summary>The version of this build.</summary>
    public static string ToolVersion { get; } = typeof(Manifest).Assembly.GetName().Version!.ToString(3);

    /// <summary>A hash in hexadecimal.</summary>
    internal static string Text(UInt128 hash) => hash.ToString("x32", CultureInfo.InvariantCulture);

    private static KeyValuePair<string, JsonNode?> Pair(string name, UInt128 hash) => KeyValuePair.Create(name, (JsonNode?)JsonValue.Create(Text(hash)));
}
