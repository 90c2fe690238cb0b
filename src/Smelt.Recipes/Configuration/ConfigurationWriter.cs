namespace Smelt.Recipes.Configuration;

/// <summary>
/// Turns a recipe into its configuration: canonical JSON in which every default and profile is written out, so that it
/// means the same to every later version.
/// </summary>
public static class ConfigurationWriter
{
    /// <summary>The version of the configuration's schema.</summary>
    public const int SchemaVersion = 1;

    /// <summary>The canonical JSON of a recipe that breaks no rule.</summary>
    public static string Write(string name, Recipe recipe)
    {
        var resolved = recipe.Resolve();
        var map = Inner(resolved);
        map["version"] = SchemaVersion;
        map["name"] = name;
        return CanonicalJson.Write(map);
    }

    /// <summary>The canonical JSON of an experiment that breaks no rule.</summary>
    public static string Write(string name, Experiment experiment)
    {
        var map = SlotValues(experiment);
        map["version"] = SchemaVersion;
        map["name"] = name;
        return CanonicalJson.Write(map);
    }

    private static Dictionary<string, object> Inner(Recipe resolved) =>
        With(SlotValues(resolved), "method", Slots.MethodId(resolved));

    private static Dictionary<string, object> SlotValues(object owner)
    {
        var map = new Dictionary<string, object>();
        var slots = Slots.Of(owner);
        for (var i = 0; i < slots.Count; i++)
        {
            var slot = slots[i];
            if (slot.Get(owner) is { } value && value is not System.Collections.ICollection { Count: 0 } and not IReadOnlyCollection<object> { Count: 0 })
                map[slot.Name] = Value(value);
        }

        return map;
    }

    private static object Value(object value) => value switch
    {
        Scalar { Axis: { } axis } zip => With(new() { ["zip"] = zip.Values.Select(v => (object)v).ToArray() }, "axis", axis),
        Scalar { IsSweep: true } sweep => new Dictionary<string, object> { ["sweep"] = sweep.Values.Select(v => (object)v).ToArray() },
        Scalar { IsGradient: true } gradient => new Dictionary<string, object> { ["gradient"] = gradient.Values.Select(v => (object)v).ToArray() },
        Scalar scalar => scalar.Value,
        LayerRange { End: { } end } layers => new object[] { layers.First, end },
        LayerRange layers => new object[] { layers.First },
        ByteSize size => size.Bytes,
        ChatTemplate template => template.Text,
        Enum member => Slots.CamelCase(member.ToString()),
        FolderModel folder => new Dictionary<string, object> { ["folder"] = folder.Path },
        HubModel hub => new Dictionary<string, object> { ["hub"] = hub.Id, ["revision"] = hub.Revision },
        StageModel { Name: { } name } stage => With(new() { ["stage"] = Inner(stage.Recipe.Resolve()) }, "name", name),
        StageModel stage => new Dictionary<string, object> { ["stage"] = Inner(stage.Recipe.Resolve()) },
        Part part => new Dictionary<string, object> { ["match"] = part.Match, ["merge"] = Inner(part.Merge) },
        Recipe recipe => Inner(recipe),
        ExpertPool pool => With(SlotValues(pool), "name", pool.Name),
        Arm arm => new Dictionary<string, object> { ["name"] = arm.Name, ["recipe"] = Inner(arm.Recipe.Resolve()) },
        AllExperts => "all",
        NestedSubsets nested => new Dictionary<string, object> { ["nested"] = Random(nested.Sizes, nested.Draws, nested.Seed) },
        IndependentSubsets independent => new Dictionary<string, object> { ["independent"] = Random(independent.Sizes, independent.Draws, independent.Seed) },
        ExplicitSubsets subsets => new Dictionary<string, object> { ["explicit"] = subsets.Sets.Select(Numbers).ToArray() },
        KeepRule keep => new Dictionary<string, object> { ["keep"] = keep.Globs.Cast<object>().ToArray() },
        TensorOverride rule => With(SlotValues(rule), "on", rule.Match),
        Expert expert => With(SlotValues(expert), "model", Value(expert.Model)),
        IReadOnlyList<object> list => ValuesOf(list),
        _ => value,
    };

    private static object[] ValuesOf(IReadOnlyList<object> list)
    {
        var values = new object[list.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = Value(list[i]);
        return values;
    }

    private static Dictionary<string, object> Random(Sequence<int> sizes, int draws, int seed) => new() { ["sizes"] = Numbers(sizes), ["draws"] = draws, ["seed"] = seed };

    private static object Numbers(Sequence<int> numbers) => numbers.Select(n => (object)n).ToArray();

    private static Dictionary<string, object> With(Dictionary<string, object> map, string key, object value)
    {
        map[key] = value;
        return map;
    }
}
