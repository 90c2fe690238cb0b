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
        return CanonicalJson.Write(With(With(Inner(resolved), "version", SchemaVersion), "name", name));
    }

    /// <summary>The canonical JSON of an experiment that breaks no rule.</summary>
    public static string Write(string name, Experiment experiment)
    {
        return CanonicalJson.Write(With(With(SlotValues(experiment), "version", SchemaVersion), "name", name));
    }

    private static JsonMembers Inner(Recipe resolved) =>
        With(SlotValues(resolved), "method", Slots.MethodId(resolved));

    private static JsonMembers SlotValues(object owner)
    {
        var members = new JsonMembers();
        var slots = Slots.Of(owner);
        for (var i = 0; i < slots.Count; i++)
        {
            var slot = slots[i];
            if (slot.Get(owner) is { } value && (value is Scalar || value is not System.Collections.ICollection { Count: 0 } and not IReadOnlyCollection<object> { Count: 0 }))
                members[slot.Name] = Value(value);
        }

        return members;
    }

    private static object Value(object value) => value switch
    {
        Scalar { Axis: { } axis } zip => With(new() { ["zip"] = zip.Values.Select(v => (object)v).ToArray() }, "axis", axis),
        Scalar { IsSweep: true } sweep => new JsonMembers { ["sweep"] = sweep.Values.Select(v => (object)v).ToArray() },
        Scalar { IsGradient: true } gradient => new JsonMembers { ["gradient"] = gradient.Values.Select(v => (object)v).ToArray() },
        Scalar scalar => scalar.Value,
        LayerRange { End: { } end } layers => new object[] { layers.First, end },
        LayerRange layers => new object[] { layers.First },
        ByteSize size => size.Bytes,
        ChatTemplate template => template.Text,
        Enum member => Slots.CamelCase(member.ToString()),
        FolderModel folder => new JsonMembers { ["folder"] = folder.Path },
        HubModel hub => new JsonMembers { ["hub"] = hub.Id, ["revision"] = hub.Revision },
        StageModel { Name: { } name } stage => With(new() { ["stage"] = Inner(stage.Recipe.Resolve()) }, "name", name),
        StageModel stage => new JsonMembers { ["stage"] = Inner(stage.Recipe.Resolve()) },
        Part part => new JsonMembers { ["match"] = part.Match, ["merge"] = Inner(part.Merge) },
        Recipe recipe => Inner(recipe),
        ExpertPool pool => With(SlotValues(pool), "name", pool.Name),
        Arm arm => new JsonMembers { ["name"] = arm.Name, ["recipe"] = Inner(arm.Recipe.Resolve()) },
        AllExperts => "all",
        NestedSubsets nested => new JsonMembers { ["nested"] = Random(nested.Sizes, nested.Draws, nested.Seed) },
        IndependentSubsets independent => new JsonMembers { ["independent"] = Random(independent.Sizes, independent.Draws, independent.Seed) },
        ExplicitSubsets subsets => new JsonMembers { ["explicit"] = subsets.Sets.Select(Numbers).ToArray() },
        KeepRule keep => new JsonMembers { ["keep"] = keep.Globs.Cast<object>().ToArray() },
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

    private static JsonMembers Random(Sequence<int> sizes, int draws, int seed) => new() { ["sizes"] = Numbers(sizes), ["draws"] = draws, ["seed"] = seed };

    private static object Numbers(Sequence<int> numbers) => numbers.Select(n => (object)n).ToArray();

    private static JsonMembers With(JsonMembers members, string key, object value)
    {
        members[key] = value;
        return members;
    }
}
