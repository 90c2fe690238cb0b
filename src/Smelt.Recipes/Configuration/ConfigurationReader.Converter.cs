using System.Text.Json;
using Smelt.Recipes.Rules;

namespace Smelt.Recipes.Configuration;

/// <summary>Makes recipe objects of JSON, collecting what does not fit.</summary>
/// <param name="problems">Takes what does not fit.</param>
/// <param name="takesAnyMethod">Whether a method that is not known gives an <see cref="OutsideRecipe"/> instead of a problem.</param>
internal sealed partial class ConfigurationConverter(List<Problem> problems, bool takesAnyMethod = false)
{
    // No LINQ over JSON elements and properties in here: they are structs, for which the runtime would have to compile it at
    // every start.
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private static readonly string[] Header = ["version", "name", "method", "$schema"];

    /// <summary>The recipe of a configuration; null where its method is not known.</summary>
    public (string Name, Recipe? Recipe) Convert(JsonElement root)
    {
        if (!Is(root, "", JsonValueKind.Object, "an object"))
            return ("", null);
        CheckDuplicates(root, "");
        var name = ReadHeader(root);
        return (name, OfMethod(root, "", Header));
    }

    /// <summary>The experiment of a configuration; null where it is no object.</summary>
    public (string Name, Experiment? Experiment) ConvertExperiment(JsonElement root)
    {
        if (!Is(root, "", JsonValueKind.Object, "an object"))
            return ("", null);
        CheckDuplicates(root, "");
        var name = ReadHeader(root);
        return (name, (Experiment)Fill(new Experiment(), root, "", ["version", "name", "$schema"]));
    }

    private string ReadHeader(JsonElement root)
    {
        var name = Require(root, "", "name", JsonValueKind.String, "a text")?.GetString() ?? "";
        if (Require(root, "", "version", JsonValueKind.Number, "the number 1") is { } version && !(version.TryGetInt32(out var number) && number == ConfigurationWriter.SchemaVersion))
            problems.Add(RuleTable.SchemaVersion.At("/version", $"the version is {version.GetRawText()}; allowed: {ConfigurationWriter.SchemaVersion}."));
        return name;
    }

    private void CheckKeys(JsonElement json, string where, params string[] known)
    {
        foreach (var key in json.EnumerateObject())
        {
            if (!known.Contains(key.Name))
                problems.Add(RuleTable.UnknownKey.At($"{where}/{key.Name}", $"the key '{key.Name}' is not known here; known: {string.Join(", ", known)}.", Suggestion(key.Name, known)));
        }
    }

    /// <summary>A recipe inside another.</summary>
    private Recipe? ReadRecipe(JsonElement json, string where)
    {
        if (!Is(json, where, JsonValueKind.Object, "an object with a method"))
            return null;
        CheckDuplicates(json, where);
        return OfMethod(json, where, ["method"]);
    }

    private Recipe? OfMethod(JsonElement json, string where, string[] others)
    {
        if (Require(json, where, "method", JsonValueKind.String, "a text") is not { } method)
            return null;
        if (Slots.Create(method.GetString()!) is { } recipe)
            return (Recipe)Fill(recipe, json, where, others);
        if (takesAnyMethod)
            return (Recipe)Fill(Unknown(method.GetString()!, json, others), json, where, others);
        problems.Add(RuleTable.UnknownMethod.At(where + "/method", $"the method is '{method.GetString()}'; known: {string.Join(", ", Slots.MethodIds)}.", Suggestion(method.GetString()!, Slots.MethodIds, "A method of your own is known where its recipe's project or assembly is run.")));
        return null;
    }

    /// <summary>A recipe of a method that is not known, its slots being what the configuration has.</summary>
    private static OutsideRecipe Unknown(string method, JsonElement json, string[] others)
    {
        var known = Slots.Of(typeof(Recipe));
        var slots = new List<Slot>();
        foreach (var property in json.EnumerateObject())
        {
            if (Slots.Find(known, property.Name) is not null || others.Contains(property.Name))
                continue;
            var type = property.Value.ValueKind switch
            {
                JsonValueKind.True or JsonValueKind.False => typeof(bool),
                JsonValueKind.String => typeof(string),
                _ => typeof(Scalar),
            };
            slots.Add(OutsideRecipe.NewSlot(char.ToUpperInvariant(property.Name[0]) + property.Name[1..], type, new SlotAttribute("")));
        }

        return new OutsideRecipe(method, slots, IsTaskVector: false, new Dictionary<string, object>());
    }

    /// <summary>Sets the slots of an object from JSON; keys that are neither slots nor <paramref name="others"/> are reported.</summary>
    private object Fill(object target, JsonElement json, string path, string[] others)
    {
        var slots = Slots.Of(target);
        foreach (var property in json.EnumerateObject())
        {
            var name = property.Name;
            var slot = Slots.Find(slots, name);

            // Of thousands of numbers few are wrong: places are made for those alone, and for what is no number.
            if (slot?.Type == typeof(Scalar) && property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetDouble(out var constant) && double.IsFinite(constant))
            {
                target = slot.With(target, (Scalar)constant);
                continue;
            }

            var where = path + "/" + name;
            if (slot is not null)
            {
                if (Value(property.Value, slot.Type, where) is { } value)
                    target = slot.With(target, value);
            }
            else if (!others.Contains(name))
            {
                var known = slots.Select(s => s.Name).Concat(others).Where(k => k[0] != '$').ToArray();
                problems.Add(RuleTable.UnknownKey.At(where, $"the key '{name}' is not known here; known: {string.Join(", ", known)}.", Suggestion(name, known)));
            }
        }

        return target;
    }

    /// <summary>The value of a slot; null where it does not fit, which has been reported.</summary>
    private object? Value(JsonElement json, Type type, string where)
    {
        if (type == typeof(Scalar))
            return Scalar(json, where);
        if (type == typeof(bool))
            return json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : Wrong(json, where, "true or false");
        if (type == typeof(string))
            return Is(json, where, JsonValueKind.String, "a text") ? json.GetString() : null;
        if (type == typeof(ChatTemplate))
            return Is(json, where, JsonValueKind.String, "a name or a text in Jinja") ? (ChatTemplate)json.GetString()! : null;
        if (type.IsEnum)
            return Member(json, type, where);
        if (type == typeof(ByteSize))
            return Size(json, where);
        if (type == typeof(Model))
            return ReadModel(json, where);
        if (type == typeof(LayerRange))
            return Layers(json, where);
        if (type == typeof(Sequence<Expert>))
            return List(json, where, ReadExpert);
        if (type == typeof(Sequence<Recipe>))
            return List(json, where, ReadRecipe);
        if (type == typeof(Sequence<ExpertPool>))
            return List(json, where, ReadPool);
        if (type == typeof(Sequence<Arm>))
            return List(json, where, ReadArm);
        if (type == typeof(ExpertSubsets))
            return ReadSubsets(json, where);
        if (type == typeof(Sequence<Part>))
            return List(json, where, ReadPart);
        return List(json, where, ReadRule, new PlainRules().Read);
    }

    private Scalar? Scalar(JsonElement json, string where)
    {
        if (json.ValueKind == JsonValueKind.Object)
        {
            CheckDuplicates(json, where);
            var word = json.TryGetProperty("gradient", out _) ? "gradient" : json.TryGetProperty("zip", out _) ? "zip" : "sweep";
            foreach (var key in json.EnumerateObject())
            {
                if (key.Name != word && !(word == "zip" && key.Name == "axis"))
                    problems.Add(RuleTable.UnknownKey.At($"{where}/{key.Name}", $"the key '{key.Name}' is not known here; known: sweep, or gradient, or zip and axis.", Suggestion(key.Name, ["sweep", "gradient", "zip", "axis"])));
            }

            var axis = word == "zip" ? Require(json, where, "axis", JsonValueKind.String, "a text") : null;
            if (Require(json, where, word, JsonValueKind.Array, "a list of numbers") is not { } list || (word == "zip" && axis is null))
                return null;
            var values = new double[list.GetArrayLength()];
            var read = 0;
            for (var i = 0; i < values.Length; i++)
            {
                if (Number(list[i], $"{where}/{word}/{i}") is { } number)
                    values[read++] = number;
            }

            if (read < values.Length)
                return null;
            return axis is { } named ? Syntax.Zip(named.GetString()!, values) : word == "sweep" ? Syntax.Sweep(values) : Syntax.Gradient(values);
        }

        return json.ValueKind == JsonValueKind.Number ? Number(json, where) : (Scalar?)Wrong(json, where, "a number, {\"sweep\": [numbers]}, {\"zip\": [numbers], \"axis\": name} or {\"gradient\": [numbers]}");
    }

    private double? Number(JsonElement json, string where)
    {
        if (!Is(json, where, JsonValueKind.Number, "a number"))
            return null;
        if (json.TryGetDouble(out var value) && double.IsFinite(value))
            return value;
        problems.Add(RuleTable.NotFinite.At(where, $"the number {json.GetRawText()} is beyond the range of a double."));
        return null;
    }

    private LayerRange? Layers(JsonElement json, string where)
    {
        const string allowed = "[first layer, layer after the last], or [first layer]";
        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() is not (1 or 2) || !json.EnumerateArray().All(e => e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out _)))
            return (LayerRange?)Wrong(json, where, allowed);
        return new LayerRange(json[0].GetInt32(), json.GetArrayLength() == 2 ? json[1].GetInt32() : null);
    }

    private Part? ReadPart(JsonElement json, string where)
    {
        if (!Is(json, where, JsonValueKind.Object, "{\"match\": pattern, \"merge\": recipe}"))
            return null;
        CheckDuplicates(json, where);
        CheckKeys(json, where, "match", "merge");
        var match = Require(json, where, "match", JsonValueKind.String, "a text");
        return Require(json, where, "merge", JsonValueKind.Object, "an object with a method") is { } merge && ReadRecipe(merge, where + "/merge") is { } recipe && match is { } text
            ? new Part(text.GetString()!, recipe)
            : null;
    }

    private object? Size(JsonElement json, string where) => json.ValueKind switch
    {
        JsonValueKind.String => ByteSize.Parse(json.GetString()!),
        JsonValueKind.Number when json.TryGetInt64(out var bytes) => (ByteSize)bytes,
        _ => Wrong(json, where, "a whole number of bytes, or a text such as \"5GB\""),
    };

    private object? Member(JsonElement json, Type type, string where)
    {
        var members = Enum.GetNames(type).ToDictionary(Slots.CamelCase);
        if (json.ValueKind == JsonValueKind.String && members.TryGetValue(json.GetString()!, out var member))
            return Enum.Parse(type, member);
        if (json.ValueKind != JsonValueKind.String)
            return Wrong(json, where, "one of " + string.Join(", ", members.Keys));
        problems.Add(RuleTable.UndefinedMember.At(where, $"the value is '{json.GetString()}'; allowed: {string.Join(", ", members.Keys)}.", Suggestion(json.GetString()!, members.Keys)));
        return null;
    }

    private Model? ReadModel(JsonElement json, string where)
    {
        if (!Is(json, where, JsonValueKind.Object, "{\"folder\": path}, {\"hub\": \"org/name\"} or {\"stage\": recipe}"))
            return null;
        CheckDuplicates(json, where);
        if (json.TryGetProperty("stage", out var stage))
            return ReadStage(json, stage, where);
        var isHub = json.TryGetProperty("hub", out _);
        string[] known = isHub ? ["hub", "revision"] : ["folder"];
        foreach (var key in json.EnumerateObject())
        {
            if (!known.Contains(key.Name))
                problems.Add(RuleTable.UnknownKey.At($"{where}/{key.Name}", $"the key '{key.Name}' is not known here; known: folder, or hub and revision, or stage and name.", Suggestion(key.Name, ["folder", "hub", "revision", "stage"])));
        }

        if (Require(json, where, known[0], JsonValueKind.String, "a text") is not { } id)
            return null;
        if (!isHub)
            return Syntax.Folder(id.GetString()!);
        if (!json.TryGetProperty("revision", out var revision))
            return Syntax.Hub(id.GetString()!);
        return Is(revision, where + "/revision", JsonValueKind.String, "a text") ? Syntax.Hub(id.GetString()!, revision.GetString()!) : null;
    }

    private Model? ReadStage(JsonElement json, JsonElement stage, string where)
    {
        foreach (var key in json.EnumerateObject())
        {
            if (key.Name is not ("stage" or "name"))
                problems.Add(RuleTable.UnknownKey.At($"{where}/{key.Name}", $"the key '{key.Name}' is not known beside stage; known: name."));
        }

        string? name = null;
        if (json.TryGetProperty("name", out var named) && Is(named, where + "/name", JsonValueKind.String, "a text"))
            name = named.GetString();
        return ReadRecipe(stage, where + "/stage") is { } recipe ? Syntax.From(recipe, name) : null;
    }

    private Expert? ReadExpert(JsonElement json, string where)
    {
        if (!Is(json, where, JsonValueKind.Object, "an object with a model"))
            return null;
        CheckDuplicates(json, where);
        var model = Require(json, where, "model", JsonValueKind.Object, "an object") is { } m ? ReadModel(m, where + "/model") : null;
        var expert = (Expert)Fill(new Expert(model ?? Syntax.Folder("?")), json, where, ["model"]);
        return model is null ? null : expert;
    }

    private TensorRule? ReadRule(JsonElement json, string where)
    {
        if (!Is(json, where, JsonValueKind.Object, "{\"on\": pattern, ...} or {\"keep\": [patterns]}"))
            return null;
        CheckDuplicates(json, where);
        if (json.TryGetProperty("keep", out var keep))
        {
            foreach (var key in json.EnumerateObject())
            {
                if (key.Name != "keep")
                    problems.Add(RuleTable.UnknownKey.At($"{where}/{key.Name}", $"the key '{key.Name}' is not known beside keep."));
            }

            var globs = List(keep, where + "/keep", (e, place) => Is(e, place, JsonValueKind.String, "a text") ? e.GetString() : null);
            return globs is null ? null : new KeepRule(globs);
        }

        return Require(json, where, "on", JsonValueKind.String, "a text") is { } on
            ? (TensorOverride)Fill(Syntax.On(on.GetString()!), json, where, ["on"])
            : null;
    }

    /// <summary>A list of all elements that could be read; null where it is no list. Elements that could not have been reported.</summary>
    /// <param name="json">The list.</param>
    /// <param name="where">Its place.</param>
    /// <param name="read">Reads an element at a place.</param>
    /// <param name="readPlain">Reads elements that hold nothing to report, without their places; null for any other.</param>
    private Sequence<T>? List<T>(JsonElement json, string where, Func<JsonElement, string, T?> read, Func<JsonElement, T?>? readPlain = null)
        where T : class
    {
        if (!Is(json, where, JsonValueKind.Array, "a list"))
            return null;
        var items = new List<T>(json.GetArrayLength());
        var index = 0;
        foreach (var element in json.EnumerateArray())
        {
            if ((readPlain?.Invoke(element) ?? read(element, $"{where}/{index}")) is { } item)
                items.Add(item);
            index++;
        }

        return Sequence.From(items);
    }

    private JsonElement? Require(JsonElement json, string where, string key, JsonValueKind kind, string what)
    {
        if (!json.TryGetProperty(key, out var value))
        {
            problems.Add(RuleTable.MissingKey.At(where, $"the key '{key}' is missing; it is {what}."));
            return null;
        }

        return value.ValueKind == kind || Is(value, where + "/" + key, kind, what) ? value : null;
    }

    private bool Is(JsonElement json, string where, JsonValueKind kind, string what)
    {
        if (json.ValueKind == kind)
            return true;
        Wrong(json, where, what);
        return false;
    }

    private object? Wrong(JsonElement json, string where, string allowed)
    {
        problems.Add(RuleTable.WrongType.At(where, $"the value is {RecipeValidator.Shortened(json.GetRawText())}; allowed: {allowed}."));
        return null;
    }

    private void CheckDuplicates(JsonElement json, string where)
    {
        _names.Clear();
        foreach (var property in json.EnumerateObject())
        {
            if (!_names.Add(property.Name))
                problems.Add(RuleTable.DuplicateKey.At($"{where}/{property.Name}", $"the key '{property.Name}' stands twice."));
        }
    }

    private static string Suggestion(string word, IEnumerable<string> known, string otherwise = "") =>
        EditDistance.DidYouMean(word, known, otherwise, quote: "'");
}
