using System.Globalization;
using System.Text.Json;
using Smelt.Recipes.Configuration;

namespace Smelt.Merging.Execution;

/// <summary>What a manifest says, as far as an output is verified by it.</summary>
/// <param name="Configuration">The canonical JSON of the recipe.</param>
/// <param name="ConfigurationHash">The SHA-256 that stands beside it.</param>
/// <param name="Tensors">The hash of each tensor of the output.</param>
/// <param name="Files">The hash of each file beside the weights and of each weight file's header.</param>
/// <param name="Masks">The hash of each tensor of each file of masks.</param>
/// <param name="Sources">What was read: models, and files of masks and signs.</param>
internal sealed record ManifestText(
    string Configuration,
    string ConfigurationHash,
    IReadOnlyDictionary<string, UInt128> Tensors,
    IReadOnlyDictionary<string, UInt128> Files,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, UInt128>> Masks,
    ManifestSources Sources)
{
    /// <summary>Reads a manifest.</summary>
    /// <exception cref="JsonException">The text is no JSON.</exception>
    /// <exception cref="KeyNotFoundException">A part is missing.</exception>
    /// <exception cref="InvalidOperationException">A part is of another kind, or a text is no valid Unicode.</exception>
    /// <exception cref="FormatException">A hash is none.</exception>
    /// <exception cref="OverflowException">A hash is too long.</exception>
    /// <exception cref="ArgumentException">A name stands twice.</exception>
    public static ManifestText Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        return new ManifestText(
            CanonicalJson.Write(Value(root.GetProperty("configuration"))),
            root.GetProperty("configurationSha256").GetString() ?? "",
            Hashes(root.GetProperty("tensors")),
            Hashes(root.GetProperty("files")),
            HashesOfFiles(root, "masks"),
            SourcesOf(root));
    }

    private static ManifestSources SourcesOf(JsonElement element) => new(
        [.. element.GetProperty("inputs").EnumerateArray().Select(i => new ManifestInput(Hashes(i.GetProperty("tensors")), i.TryGetProperty("inputs", out _) ? SourcesOf(i) : null))],
        HashesOfFiles(element, "given"));

    private static Dictionary<string, IReadOnlyDictionary<string, UInt128>> HashesOfFiles(JsonElement element, string name) =>
        element.TryGetProperty(name, out var files) ? files.EnumerateObject().ToDictionary(f => f.Name, f => (IReadOnlyDictionary<string, UInt128>)Hashes(f.Value), StringComparer.Ordinal) : [];

    private static object Value(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().ToDictionary(p => p.Name, p => Value(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().Select(Value).ToArray(),
        JsonValueKind.String => element.GetString()!,
        JsonValueKind.Number => element.TryGetInt64(out var integer) ? integer : element.GetDouble(),
        JsonValueKind.True or JsonValueKind.False => element.GetBoolean(),
        var kind => throw new FormatException($"a configuration has no {kind}."),
    };

    private static Dictionary<string, UInt128> Hashes(JsonElement element) =>
        element.EnumerateObject().ToDictionary(p => p.Name, p => Hash(p.Value.GetString()), StringComparer.Ordinal);

    private static UInt128 Hash(string? text) => text is { Length: 32 }
        ? UInt128.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
        : throw new FormatException($"'{text}' is no hash of 32 hexadecimal digits.");
}

/// <summary>What a merge read.</summary>
/// <param name="Inputs">The models: the base, then each expert, then their statistics.</param>
/// <param name="Given">The hash of each tensor of each file of masks or signs, by its path in the recipe.</param>
internal sealed record ManifestSources(IReadOnlyList<ManifestInput> Inputs, IReadOnlyDictionary<string, IReadOnlyDictionary<string, UInt128>> Given);

/// <summary>A model that a merge read.</summary>
/// <param name="Tensors">The hashes of its tensors.</param>
/// <param name="Sources">What it was merged of where it was a stage; null otherwise.</param>
internal sealed record ManifestInput(IReadOnlyDictionary<string, UInt128> Tensors, ManifestSources? Sources);
