using Smelt.Mergekit.Documents;

namespace Smelt.Mergekit.Reading;

/// <summary>Reads references to models.</summary>
/// <param name="yaml">Reads values.</param>
internal sealed class ModelReader(YamlReader yaml)
{
    /// <summary>A reference; a null part is none.</summary>
    public ModelReference? Read(YamlPart? part, string what)
    {
        switch (part)
        {
            case null:
                return null;
            case YamlScalar { IsNull: false } text:
                if (ModelReference.TryParse(text.Value, text.Place, out var error) is { } reference)
                    return reference;
                Bad(text.Place, text.Value, error);
                return null;
            case YamlMap map:
                return ReadObject(map, what);
            default:
                yaml.Wrong(part, what, "a model: path, path@revision or path+adapter");
                return null;
        }
    }

    /// <summary>A reference that must be there.</summary>
    public ModelReference? Require(Dictionary<string, YamlPart> entries, YamlPart owner, string what, string key)
    {
        if (entries.TryGetValue(key, out var part))
            return Read(part, $"{key} of {what}");
        yaml.Missing(owner, what, key, "a model: path, path@revision or path+adapter");
        return null;
    }

    private ModelReference? ReadObject(YamlMap map, string what)
    {
        var entries = yaml.Map(map, what, "model", "lora", "override_architecture")!;
        if (!entries.TryGetValue("model", out var model))
        {
            yaml.Missing(map, what, "model", "the model's path");
            return null;
        }

        var path = ReadPath(model, what);
        var adapter = entries.TryGetValue("lora", out var lora) ? ReadPath(lora, $"the adapter of {what}") : null;
        var architecture = yaml.Text(entries.GetValueOrDefault("override_architecture"), "override_architecture")?.Value;
        return path is null ? null : new ModelReference(path, adapter, architecture, map.Place);
    }

    private ModelPath? ReadPath(YamlPart part, string what)
    {
        if (part is YamlScalar { IsNull: false, Value.Length: > 0 } text)
            return new ModelPath(text.Value);
        if (yaml.Map(part, what, "path", "revision") is not { } entries)
            return null;
        if (yaml.Text(entries.GetValueOrDefault("path"), "path")?.Value is { Length: > 0 } path)
            return new ModelPath(path, yaml.Text(entries.GetValueOrDefault("revision"), "revision")?.Value);
        yaml.Missing(part, what, "path", "a folder, a file or organisation/name");
        return null;
    }

    private void Bad(Place place, string text, string error) =>
        yaml.Problems.Add(MergekitRules.ModelReference, place, $"'{text}' is no model reference: it has {error}.", "Write path, path@revision or path+adapter; a path with '+' or '@' needs the form {model: {path: ...}}.");
}
