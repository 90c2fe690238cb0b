using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Methods;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>A parameter's values: those of filters, then the one for all other tensors.</summary>
/// <param name="Conditions">The values of tensors that patterns match, first match first.</param>
/// <param name="Rest">The value of all others; null where none is given.</param>
/// <param name="Place">Where the value of all others stands, else the parameter.</param>
internal sealed record Setting(IReadOnlyList<(string Glob, Scalar Value, Place Place)> Conditions, Scalar? Rest, Place Place)
{
    /// <summary>Whether another setting gives every tensor the same value.</summary>
    public bool IsSame(Setting other) => Rest == other.Rest && Conditions.SequenceEqual(other.Conditions);
}

/// <summary>Turns parameters into values of a recipe.</summary>
/// <param name="problems">Gets what does not fit.</param>
/// <param name="isFlat">Whether the models are flat files, without layers.</param>
internal sealed class Settings(ProblemList problems, bool isFlat)
{
    private readonly Dictionary<Parameter, IReadOnlyList<(string? Glob, Scalar Value, Place Place)>> _read = new(ReferenceEqualityComparer.Instance);

    /// <summary>
    /// The setting of a parameter over several levels, the innermost first: a level without a condition that holds leaves a
    /// tensor to the next.
    /// </summary>
    /// <returns>The setting; null where no level has the parameter.</returns>
    public Setting? Find(ParameterMap parameter, IEnumerable<Sequence<Parameter>> levels)
    {
        var conditions = new List<(string Glob, Scalar Value, Place Place)>();
        var given = levels.SelectMany(level => level.Where(p => p.Name == parameter.Name)).ToArray();
        foreach (var (glob, value, place) in given.SelectMany(p => Read(parameter, p)))
        {
            if (glob is null)
                return new Setting(conditions, value, place);
            conditions.Add((glob, value, place));
        }

        return given.Length == 0 ? null : new Setting(conditions, null, given[0].Place);
    }

    /// <summary>A yes or no; null where it is not given.</summary>
    public bool? Flag(Scalar? value, Place place, string name)
    {
        if (value is { Value: not (0 or 1) })
            problems.Add(MergekitRules.WrongType, place, $"{name} is {value}; allowed: true or false.");
        return value is null ? null : value.Value != 0;
    }

    /// <summary>The conditions of a parameter as it stands in the file, read once.</summary>
    private IReadOnlyList<(string? Glob, Scalar Value, Place Place)> Read(ParameterMap map, Parameter parameter)
    {
        if (!_read.TryGetValue(parameter, out var conditions))
            _read.Add(parameter, conditions = [.. parameter.Conditions.Select(c => ReadCondition(map, c)).OfType<(string?, Scalar, Place)>()]);
        return conditions;
    }

    private (string? Glob, Scalar Value, Place Place)? ReadCondition(ParameterMap map, Condition condition)
    {
        var glob = condition.Filter is null ? null : Filters.ToGlob(condition.Filter);
        if (condition.Filter is not null && glob is null)
        {
            problems.Add(MergekitRules.NoEffect, condition.Place, $"no tensor's name holds '{condition.Filter}': a filter is a part of names, without wildcards, in mergekit too.", "Write the part itself, as in filter: mlp.");
            return null;
        }

        var values = condition.Values.Select(v => Number(map, v, condition.Place)).ToArray();
        if (values.Any(v => v is null))
            return null;
        if (isFlat && values.Length > 1)
            problems.Add(MergekitRules.NoEffect, condition.Place, $"the gradient of {map.Name} runs over no layers, as the models are single files: its first value holds for all tensors, in mergekit too.", "Give a single value.");
        double[] numbers = [.. values.Select(v => v!.Value)];
        return (glob, isFlat || numbers.Length == 1 ? numbers[0] : Syntax.Gradient(numbers), condition.Place);
    }

    private double? Number(ParameterMap map, Literal literal, Place place)
    {
        var number = literal.Number ?? (literal.Flag is { } flag ? flag ? 1 : 0 : null);
        var fits = number is not null && (map.Kind != ParameterKind.Whole || number == Math.Floor(number.Value));
        if (!fits)
            problems.Add(MergekitRules.WrongType, place, $"{map.Name} is {literal}; allowed: {(map.Kind switch { ParameterKind.Whole => "a whole number", ParameterKind.Number => "a number", _ => "true or false" })}.");
        return fits ? number : null;
    }
}
