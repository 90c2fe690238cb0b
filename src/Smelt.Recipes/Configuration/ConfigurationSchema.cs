using System.Text.Json;
using System.Text.Json.Nodes;

namespace Smelt.Recipes.Configuration;

/// <summary>The JSON Schema of configurations (draft 2020-12), made of the same slots that reader and rules go by.</summary>
public static class ConfigurationSchema
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The text of the schema.</summary>
    public static string Write()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Smelt configuration",
            ["oneOf"] = new JsonArray([.. Slots.Methods.Keys.Select(id => (JsonNode)new JsonObject { ["$ref"] = "#/$defs/" + id })]),
            ["$defs"] = Definitions(),
        };
        return schema.ToJsonString(Indented) + "\n";
    }

    private static JsonObject Definitions()
    {
        var definitions = new JsonObject();
        foreach (var (id, type) in Slots.Methods)
        {
            var recipe = Object(type, ["version", "name", "method", "experts", .. Slots.Of(type).Where(s => s.Attribute.Required).Select(s => s.Name)]);
            var properties = (JsonObject)recipe["properties"]!;
            properties["$schema"] = new JsonObject { ["type"] = "string" };
            properties["version"] = new JsonObject { ["const"] = ConfigurationWriter.SchemaVersion };
            properties["name"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Za-z0-9_-]([A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$" };
            properties["method"] = new JsonObject { ["const"] = id };
            definitions[id] = recipe;
        }

        var expert = Object(typeof(Expert), ["model"]);
        expert["properties"]!["model"] = Reference("model");
        definitions["expert"] = expert;
        var rule = Object(typeof(TensorOverride), ["on"]);
        rule["properties"]!["on"] = new JsonObject { ["type"] = "string", ["description"] = "the tensors, as a pattern over whole names" };
        definitions["rule"] = new JsonObject { ["oneOf"] = new JsonArray(rule, Keep()) };
        definitions["model"] = new JsonObject { ["oneOf"] = new JsonArray(Texts(["folder"], ["folder"]), Texts(["hub", "revision"], ["hub"])) };
        return definitions;
    }

    private static JsonObject Object(Type type, string[] required) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(Slots.Of(type).Select(s => KeyValuePair.Create(s.Name, (JsonNode?)Value(s)))),
        ["required"] = new JsonArray([.. required.Select(r => (JsonNode)r)]),
        ["additionalProperties"] = false,
    };

    private static JsonObject Value(Slot slot)
    {
        JsonObject value;
        if (slot.Type == typeof(Scalar))
        {
            var sweep = new JsonObject { ["type"] = "array", ["items"] = Number(slot.Attribute), ["minItems"] = 1, ["uniqueItems"] = true };
            value = new JsonObject
            {
                ["oneOf"] = new JsonArray(
                    Number(slot.Attribute),
                    new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["sweep"] = sweep }, ["required"] = new JsonArray("sweep"), ["additionalProperties"] = false }),
            };
        }
        else if (slot.Type == typeof(ByteSize))
            value = new JsonObject { ["type"] = new JsonArray("integer", "string"), ["minimum"] = slot.Attribute.Min };
        else if (slot.Type == typeof(bool))
            value = new JsonObject { ["type"] = "boolean" };
        else if (slot.Type == typeof(string))
            value = new JsonObject { ["type"] = "string" };
        else if (slot.Type.IsEnum)
            value = new JsonObject { ["enum"] = new JsonArray([.. Enum.GetNames(slot.Type).Select(n => (JsonNode)Slots.CamelCase(n))]) };
        else if (slot.Type == typeof(Model))
            value = Reference("model");
        else
            value = new JsonObject { ["type"] = "array", ["items"] = Reference(slot.Type == typeof(Sequence<Expert>) ? "expert" : "rule") };
        value["description"] = slot.Attribute.Summary;
        return value;
    }

    private static JsonObject Number(SlotAttribute range)
    {
        var number = new JsonObject { ["type"] = range.Integer ? "integer" : "number" };
        if (double.IsFinite(range.Min))
            number["minimum"] = range.Min;
        if (double.IsFinite(range.Max))
            number["maximum"] = range.Max;
        return number;
    }

    private static JsonObject Keep() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject { ["keep"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" }, ["minItems"] = 1 } },
        ["required"] = new JsonArray("keep"),
        ["additionalProperties"] = false,
    };

    private static JsonObject Texts(string[] keys, string[] required) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(keys.Select(k => KeyValuePair.Create(k, (JsonNode?)new JsonObject { ["type"] = "string" }))),
        ["required"] = new JsonArray([.. required.Select(r => (JsonNode)r)]),
        ["additionalProperties"] = false,
    };

    private static JsonObject Reference(string name) => new() { ["$ref"] = "#/$defs/" + name };
}
