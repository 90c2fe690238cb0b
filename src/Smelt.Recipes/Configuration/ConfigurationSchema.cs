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
            definitions[id] = Method(id, type, ["version", "name"]);
            var properties = (JsonObject)definitions[id]!["properties"]!;
            properties["$schema"] = new JsonObject { ["type"] = "string" };
            properties["version"] = new JsonObject { ["const"] = ConfigurationWriter.SchemaVersion };
            properties["name"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Za-z0-9_-]([A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$" };
            definitions["inner_" + id] = Method(id, type, []);
        }

        definitions["inner"] = new JsonObject { ["oneOf"] = new JsonArray([.. Slots.Methods.Keys.Select(id => (JsonNode)Reference("inner_" + id))]) };
        definitions["part"] = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["match"] = new JsonObject { ["type"] = "string" }, ["merge"] = Reference("inner") },
            ["required"] = new JsonArray("match", "merge"),
            ["additionalProperties"] = false,
        };

        var expert = Object(typeof(Expert), ["model"]);
        expert["properties"]!["model"] = Reference("model");
        definitions["expert"] = expert;
        var rule = Object(typeof(TensorOverride), ["on"]);
        rule["properties"]!["on"] = new JsonObject { ["type"] = "string", ["description"] = "the tensors, as a pattern over whole names" };
        definitions["rule"] = new JsonObject { ["oneOf"] = new JsonArray(rule, Keep()) };
        definitions["model"] = new JsonObject { ["oneOf"] = new JsonArray(Texts(["folder"], ["folder"]), Texts(["hub", "revision"], ["hub"]), Stage()) };
        return definitions;
    }

    private static JsonObject Method(string id, Type type, string[] header)
    {
        var experts = typeof(CompositeRecipe).IsAssignableFrom(type) ? Array.Empty<string>() : ["experts"];
        var recipe = Object(type, [.. header, "method", .. experts, .. Slots.Of(type).Where(s => s.Attribute.Required).Select(s => s.Name)]);
        recipe["properties"]!["method"] = new JsonObject { ["const"] = id };
        return recipe;
    }

    private static JsonObject Stage() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject { ["stage"] = Reference("inner"), ["name"] = new JsonObject { ["type"] = "string" } },
        ["required"] = new JsonArray("stage"),
        ["additionalProperties"] = false,
    };

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
            var zip = Several("zip", slot.Attribute, distinct: false);
            zip["properties"]!["axis"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Za-z0-9_-]{1,40}$" };
            ((JsonArray)zip["required"]!).Add("axis");
            var choices = new JsonArray(Number(slot.Attribute), Several("sweep", slot.Attribute, distinct: true), zip);
            if (Slots.TakesGradient(slot))
                choices.Add(Several("gradient", slot.Attribute, distinct: false));
            value = new JsonObject { ["oneOf"] = choices };
        }
        else if (slot.Type == typeof(ByteSize))
            value = new JsonObject { ["type"] = new JsonArray("integer", "string"), ["minimum"] = slot.Attribute.Min };
        else if (slot.Type == typeof(bool))
            value = new JsonObject { ["type"] = "boolean" };
        else if (slot.Type == typeof(string) || slot.Type == typeof(ChatTemplate))
            value = new JsonObject { ["type"] = "string" };
        else if (slot.Type.IsEnum)
            value = new JsonObject { ["enum"] = new JsonArray([.. Enum.GetNames(slot.Type).Select(n => (JsonNode)Slots.CamelCase(n))]) };
        else if (slot.Type == typeof(Model))
            value = Reference("model");
        else if (slot.Type == typeof(LayerRange))
            value = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "integer", ["minimum"] = 0 }, ["minItems"] = 1, ["maxItems"] = 2 };
        else
            value = new JsonObject { ["type"] = "array", ["items"] = Reference(ItemOf(slot.Type)) };
        value["description"] = slot.Attribute.Summary;
        return value;
    }

    private static string ItemOf(Type list) =>
        list == typeof(Sequence<Expert>) ? "expert" : list == typeof(Sequence<Recipe>) ? "inner" : list == typeof(Sequence<Part>) ? "part" : "rule";

    private static JsonObject Several(string word, SlotAttribute range, bool distinct)
    {
        var list = new JsonObject { ["type"] = "array", ["items"] = Number(range), ["minItems"] = 1 };
        if (distinct)
            list["uniqueItems"] = true;
        return new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { [word] = list }, ["required"] = new JsonArray(word), ["additionalProperties"] = false };
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
