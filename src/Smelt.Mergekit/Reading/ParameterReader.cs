using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Reading;

/// <summary>Reads parameters: values, gradients and conditions.</summary>
/// <param name="yaml">Reads values.</param>
internal sealed class ParameterReader(YamlReader yaml)
{
    /// <summary>The filter that mergekit takes for "all tensors".</summary>
    private const string All = "*";

    /// <summary>Reads a mapping <c>parameters</c>; null is an empty one.</summary>
    public Sequence<Parameter> Read(YamlPart? part, string what)
    {
        if (part is null)
            return Sequence<Parameter>.Empty;
        if (part is YamlMap map)
            return Sequence.From(map.Entries.Select(e => ReadParameter(e.Key, e.Value)).OfType<Parameter>());
        yaml.Wrong(part, what, "a mapping of parameters");
        return Sequence<Parameter>.Empty;
    }

    private Parameter? ReadParameter(YamlScalar name, YamlPart value)
    {
        var conditions = value switch
        {
            YamlScalar { IsNull: true } or YamlList { Items.Count: 0 } => null,
            YamlMap condition => OneCondition(condition, name.Value),
            YamlList { Items: var items } list when items.Any(i => i is YamlMap) => ReadConditions(list, name.Value),
            _ => OneValue(null, value, name.Value),
        };
        if (conditions is null)
        {
            yaml.Problems.Add(MergekitRules.NoEffect, name.Place, $"{name.Value} has no value, so it is as if it were not given.", "Remove it, or give it a value.");
            return null;
        }

        return conditions.Count == 0 ? null : new Parameter(name.Value, Sequence.From(conditions), name.Place);
    }

    private List<Condition> ReadConditions(YamlList list, string name)
    {
        var conditions = new List<Condition>();
        foreach (var item in list.Items)
        {
            if (item is not YamlMap map)
                yaml.Problems.Add(MergekitRules.WrongType, item.Place, $"{name} mixes values and conditions; a list holds numbers only (a gradient), or {{filter, value}} mappings only.", "Write every entry as '- value: ...', or none.");
            else if (conditions.Count > 0 && conditions[^1].Filter is null)
                yaml.Problems.Add(MergekitRules.NoEffect, map.Place, $"this condition of {name} is never reached: the one before it holds for all tensors.", "Put the condition without a filter last.");
            else
                conditions.AddRange(OneCondition(map, name));
        }

        return conditions;
    }

    private List<Condition> OneCondition(YamlMap map, string name)
    {
        var entries = yaml.Map(map, $"a condition of {name}", "filter", "value")!;
        if (!entries.TryGetValue("value", out var value))
        {
            yaml.Missing(map, $"a condition of {name}", "value", "a number, or a list of numbers");
            return [];
        }

        var filter = yaml.Text(entries.GetValueOrDefault("filter"), "a filter")?.Value;
        return OneValue(filter is "" or All ? null : filter, value, name);
    }

    private List<Condition> OneValue(string? filter, YamlPart value, string name)
    {
        var items = value is YamlList list ? list.Items : [value];
        foreach (var item in items.Where(i => i is not YamlScalar || i is YamlScalar { IsNull: true }))
            yaml.Wrong(item, $"a value of {name}", "a number, or true or false");
        if (items.Count == 0)
            yaml.Wrong(value, $"the value of {name}", "a number, or a list of numbers");
        return items.Count > 0 && items.All(i => i is YamlScalar { IsNull: false })
            ? [new Condition(filter, Sequence.From(items.Select(i => YamlReader.Literal((YamlScalar)i))), value is YamlList, value.Place)]
            : [];
    }
}
