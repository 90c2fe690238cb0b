using YamlDotNet.RepresentationModel;

namespace Smelt.Conformance.Mergekit;

/// <summary>One input of a configuration.</summary>
/// <param name="Path">The model's path.</param>
/// <param name="Parameters">Its own parameters; null where it has none.</param>
internal sealed record MergekitInput(string Path, YamlMappingNode? Parameters);

/// <summary>A configuration of mergekit, as far as it merges whole models.</summary>
internal sealed class MergekitConfig
{
    private static readonly string[] TokenizerKeys = ["tokenizer_source", "tokenizer"];

    private readonly YamlMappingNode[] _documents;

    /// <param name="path">The YAML file.</param>
    public MergekitConfig(string path)
    {
        using var reader = File.OpenText(path);
        var stream = new YamlStream();
        stream.Load(reader);
        _documents = [.. stream.Documents.Select(d => (YamlMappingNode)d.RootNode)];
    }

    /// <summary>The merge method.</summary>
    public string Method => Text("merge_method")!;

    /// <summary>The base model's path; null where there is none.</summary>
    public string? BaseModel => Get(Root, "base_model") is { } model ? PathOf(model) : null;

    /// <summary>The format of arithmetic; null where the inputs' own is taken.</summary>
    public string? Dtype => Text("dtype");

    /// <summary>The format of the output; null where it is that of the arithmetic.</summary>
    public string? OutDtype => Text("out_dtype");

    /// <summary>The inputs in the order listed.</summary>
    public IReadOnlyList<MergekitInput> Models =>
        [.. ((YamlSequenceNode)Get(Root, "models")!).Cast<YamlMappingNode>().Select(m => new MergekitInput(PathOf(Get(m, "model")!), Get(m, "parameters") as YamlMappingNode))];

    /// <summary>The configuration's own parameters; null where it has none.</summary>
    public YamlMappingNode? Parameters => Get(Root, "parameters") as YamlMappingNode;

    /// <summary>What the configuration uses beyond merging whole models by their tensors' names, in words that the list of skips knows.</summary>
    public IEnumerable<string> Features
    {
        get
        {
            if (_documents.Length > 1)
                yield return "several-stages";
            foreach (var key in new[] { "slices", "modules", "chat_template" }.Where(k => _documents.Any(d => Get(d, k) is not null)))
                yield return key;
            if (TokenizerKeys.Any(k => _documents.Any(d => Get(d, k) is not null)))
                yield return "tokenizer";
            if (_documents.Any(UsesAdapter))
                yield return "adapter";
        }
    }

    private YamlMappingNode Root => _documents[0];

    /// <summary>A child of a mapping; null where there is none or it is null.</summary>
    public static YamlNode? Get(YamlMappingNode? node, string key) =>
        node is not null && node.Children.TryGetValue(key, out var child) && child is not YamlScalarNode { Value: null or "" or "null" or "~" } ? child : null;

    private static bool UsesAdapter(YamlNode node) => node switch
    {
        YamlMappingNode mapping => mapping.Children.Any(c => c.Key is YamlScalarNode { Value: var key }
            && ((key is "model" or "base_model" && c.Value is YamlScalarNode { Value: { } path } && path.Contains('+', StringComparison.Ordinal))
                || key == "lora"
                || UsesAdapter(c.Value))),
        YamlSequenceNode list => list.Any(UsesAdapter),
        _ => false,
    };

    /// <summary>The path of a model reference: a text, or the object form <c>{model: {path: ...}}</c>.</summary>
    private static string PathOf(YamlNode model) => model switch
    {
        YamlMappingNode mapping => PathOf(Get(mapping, "model") ?? Get(mapping, "path")!),
        _ => ((YamlScalarNode)model).Value!,
    };

    private string? Text(string key) => (Get(Root, key) as YamlScalarNode)?.Value;
}
