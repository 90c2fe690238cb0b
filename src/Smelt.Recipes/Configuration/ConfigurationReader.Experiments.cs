using System.Text.Json;
using Smelt.Recipes.Rules;

namespace Smelt.Recipes.Configuration;

/// <content>What only experiments have: pools, arms and subsets of experts.</content>
internal sealed partial class ConfigurationConverter
{
    private ExpertPool? ReadPool(JsonElement json, string where)
    {
        if (!Is(json, where, JsonValueKind.Object, "an object with a name, a base and experts"))
            return null;
        CheckDuplicates(json, where);
        var name = Require(json, where, "name", JsonValueKind.String, "a text");
        var pool = (ExpertPool)Fill(new ExpertPool(name?.GetString() ?? "?"), json, where, ["name"]);
        return name is null ? null : pool;
    }

    private Arm? ReadArm(JsonElement json, string where)
    {
        if (!Is(json, where, JsonValueKind.Object, "{\"name\": name, \"recipe\": recipe}"))
            return null;
        CheckDuplicates(json, where);
        CheckKeys(json, where, "name", "recipe");
        var name = Require(json, where, "name", JsonValueKind.String, "a text");
        return Require(json, where, "recipe", JsonValueKind.Object, "an object with a method") is { } inner && ReadRecipe(inner, where + "/recipe") is { } recipe && name is { } text
            ? new Arm(text.GetString()!, recipe)
            : null;
    }

    private ExpertSubsets? ReadSubsets(JsonElement json, string where)
    {
        const string allowed = "\"all\", {\"nested\": {\"sizes\": [2, 4], \"draws\": 3, \"seed\": 0}}, {\"independent\": ...} or {\"explicit\": [[0, 1], [0, 2]]}";
        if (json.ValueKind == JsonValueKind.String && json.GetString() == "all")
            return new AllExperts();
        if (json.ValueKind != JsonValueKind.Object || json.EnumerateObject().Count() != 1)
            return (ExpertSubsets?)Wrong(json, where, allowed);
        var property = json.EnumerateObject().Single();
        var place = $"{where}/{property.Name}";
        if (property.Name == "explicit")
        {
            return List(property.Value, place, (set, at) => Numbers(set, at)) is { } sets && sets.Count == property.Value.GetArrayLength() ? new ExplicitSubsets(sets) : null;
        }

        if (property.Name is not ("nested" or "independent"))
            return (ExpertSubsets?)Wrong(json, where, allowed);
        if (!Is(property.Value, place, JsonValueKind.Object, "{\"sizes\": [2, 4], \"draws\": 3, \"seed\": 0}"))
            return null;
        CheckDuplicates(property.Value, place);
        CheckKeys(property.Value, place, "sizes", "draws", "seed");
        if (Require(property.Value, place, "sizes", JsonValueKind.Array, "a list of whole numbers") is not { } list || Numbers(list, place + "/sizes") is not { } sizes
            || Whole(property.Value, place, "draws", 1) is not { } draws || Whole(property.Value, place, "seed", 0) is not { } seed)
            return null;
        return property.Name == "nested" ? new NestedSubsets(sizes, draws, seed) : new IndependentSubsets(sizes, draws, seed);
    }

    private Sequence<int>? Numbers(JsonElement json, string where) =>
        json.ValueKind == JsonValueKind.Array && json.EnumerateArray().All(e => e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out _))
            ? Sequence.From(json.EnumerateArray().Select(e => e.GetInt32()))
            : (Sequence<int>?)Wrong(json, where, "a list of whole numbers");

    private int? Whole(JsonElement json, string where, string key, int fallback)
    {
        if (!json.TryGetProperty(key, out var value))
            return fallback;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : (int?)Wrong(value, $"{where}/{key}", "a whole number");
    }
}
