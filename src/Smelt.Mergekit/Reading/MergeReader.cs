using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Reading;

/// <summary>Reads a document that describes a merge.</summary>
/// <param name="yaml">Reads values.</param>
internal sealed class MergeReader(YamlReader yaml)
{
    private const string Root = "the configuration";
    private static readonly string[] Bodies = ["models", "slices", "modules"];

    private readonly ModelReader _models = new(yaml);
    private readonly ParameterReader _parameters = new(yaml);
    private readonly TokenizerReader _tokenizers = new(yaml);

    /// <summary>Reads a document; null where it names no method.</summary>
    public MergeDocument? Read(YamlMap map)
    {
        var entries = yaml.Map(
            map,
            Root,
            "merge_method", "models", "slices", "modules", "base_model", "parameters", "dtype", "out_dtype", "tokenizer_source", "tokenizer", "chat_template", "name")!;
        var method = yaml.Text(entries.GetValueOrDefault("merge_method"), "merge_method");
        if (!entries.ContainsKey("merge_method"))
            yaml.Missing(map, Root, "merge_method", "the name of a method, such as ties");
        CheckExclusive(map, entries);

        // Of several bodies only the first is looked at: what the others lack follows from there being several.
        foreach (var extra in map.Entries.Select(e => e.Key.Value).Where(k => Bodies.Contains(k) && entries.ContainsKey(k)).Skip(1).ToArray())
            entries.Remove(extra);
        var document = new MergeDocument(method ?? new Located<string>("", map.Place), map.Place)
        {
            Name = yaml.Text(entries.GetValueOrDefault("name"), "name"),
            BaseModel = _models.Read(entries.GetValueOrDefault("base_model"), "base_model"),
            Body = ReadBody(entries),
            Modules = ReadModules(entries.GetValueOrDefault("modules")),
            Parameters = _parameters.Read(entries.GetValueOrDefault("parameters"), "parameters"),
            Dtype = yaml.Text(entries.GetValueOrDefault("dtype"), "dtype"),
            OutDtype = yaml.Text(entries.GetValueOrDefault("out_dtype"), "out_dtype"),
            TokenizerSource = _tokenizers.ReadSource(entries.GetValueOrDefault("tokenizer_source"), "tokenizer_source"),
            Tokenizer = _tokenizers.Read(entries.GetValueOrDefault("tokenizer")),
            ChatTemplate = yaml.Text(entries.GetValueOrDefault("chat_template"), "chat_template"),
        };
        return method is null ? null : document;
    }

    private void CheckExclusive(YamlMap map, Dictionary<string, YamlPart> entries)
    {
        var given = map.Entries.Where(e => Bodies.Contains(e.Key.Value) && entries.ContainsKey(e.Key.Value)).ToArray();
        if (given.Length == 0)
            yaml.Problems.Add(MergekitRules.MissingKey, map.Place, $"{Root} has none of models, slices and modules; give exactly one of them.");
        else if (given.Length > 1)
            yaml.Problems.Add(MergekitRules.ExclusiveKeys, given[1].Key.Place, $"{Root} has {string.Join(" and ", given.Select(g => g.Key.Value))}; give exactly one of models, slices and modules.");
        if (entries.ContainsKey("tokenizer") && map.Entries.FirstOrDefault(e => e.Key.Value == "tokenizer_source" && entries.ContainsKey(e.Key.Value)).Key is { } older)
            yaml.Problems.Add(MergekitRules.ExclusiveKeys, older.Place, $"{Root} has tokenizer_source and tokenizer; give one of them.", "tokenizer_source: X is the older form of tokenizer: {source: X}.");
    }

    private MergeBody ReadBody(Dictionary<string, YamlPart> entries) => new(
        yaml.List(entries.GetValueOrDefault("models"), "models", ReadInput),
        yaml.List(entries.GetValueOrDefault("slices"), "slices", ReadSlice));

    private MergeInput? ReadInput(YamlPart part, string what)
    {
        if (yaml.Map(part, what, "model", "parameters") is not { } entries)
            return null;
        var model = _models.Require(entries, part, what, "model");
        var parameters = _parameters.Read(entries.GetValueOrDefault("parameters"), $"parameters of {what}");
        return model is null ? null : new MergeInput(model, parameters);
    }

    private MergeSlice? ReadSlice(YamlPart part, string what)
    {
        if (yaml.Map(part, what, "sources", "base_model", "parameters", "residual_weight") is not { } entries)
            return null;
        if (!entries.ContainsKey("sources"))
            yaml.Missing(part, what, "sources", "a list of models with a layer_range each");
        var residual = entries.GetValueOrDefault("residual_weight");
        return new MergeSlice(yaml.List(entries.GetValueOrDefault("sources"), $"sources of {what}", ReadSource) ?? Sequence<SliceSource>.Empty, part.Place)
        {
            BaseModel = _models.Read(entries.GetValueOrDefault("base_model"), $"base_model of {what}"),
            ResidualWeight = yaml.Number(residual, "residual_weight") is { } weight ? new Located<double>(weight, residual!.Place) : null,
            Parameters = _parameters.Read(entries.GetValueOrDefault("parameters"), $"parameters of {what}"),
        };
    }

    private SliceSource? ReadSource(YamlPart part, string what)
    {
        if (yaml.Map(part, what, "model", "layer_range", "parameters") is not { } entries)
            return null;
        var model = _models.Require(entries, part, what, "model");
        var parameters = _parameters.Read(entries.GetValueOrDefault("parameters"), $"parameters of {what}");
        if (!entries.TryGetValue("layer_range", out var range))
        {
            yaml.Missing(part, what, "layer_range", "the first layer and the layer after the last, as in [0, 16]");
            return null;
        }

        if (range is not YamlList { Items: [var first, var last] })
        {
            yaml.Wrong(range, $"layer_range of {what}", "two whole numbers, as in [0, 16]");
            return null;
        }

        var (start, end) = (yaml.Whole(first, $"the start of layer_range of {what}", 0), yaml.Whole(last, $"the end of layer_range of {what}", 0));
        return model is null || start is null || end is null ? null : new SliceSource(model, start.Value, end.Value, parameters, range.Place);
    }

    private Sequence<MergeModule>? ReadModules(YamlPart? part)
    {
        if (part is null)
            return null;
        if (part is not YamlMap map)
        {
            yaml.Wrong(part, "modules", "a mapping from a module's name to its models or slices");
            return null;
        }

        return Sequence.From(map.Entries.Select(e => ReadModule(e.Key, e.Value)).OfType<MergeModule>());
    }

    private MergeModule? ReadModule(YamlScalar name, YamlPart part)
    {
        var what = $"module {name.Value}";
        if (yaml.Map(part, what, "models", "slices", "parameters") is not { } entries)
            return null;
        if (entries.ContainsKey("models") == entries.ContainsKey("slices"))
            yaml.Problems.Add(entries.ContainsKey("models") ? MergekitRules.ExclusiveKeys : MergekitRules.MissingKey, name.Place, $"{what} has {(entries.ContainsKey("models") ? "both" : "none")} of models and slices; give exactly one of them.");
        return new MergeModule(name.Value, ReadBody(entries), _parameters.Read(entries.GetValueOrDefault("parameters"), $"parameters of {what}"), name.Place);
    }
}
