using Smelt.Mergekit.Reading;

namespace Smelt.Mergekit.Writing;

/// <summary>Builds a mapping; what is null is left out.</summary>
internal sealed class YamlTreeBuilder
{
    private readonly List<(YamlScalar Key, YamlPart Value)> _entries = [];

    /// <summary>The mapping.</summary>
    public YamlMap Map => new(_entries, default);

    /// <summary>A number.</summary>
    public static YamlScalar Plain(double value) => new(YamlPrinter.Number(value), true, default);

    /// <summary>A yes or no.</summary>
    public static YamlScalar Plain(bool value) => new(value ? "true" : "false", true, default);

    /// <summary>A text.</summary>
    public static YamlScalar Quoted(string value) => new(value, false, default);

    /// <summary>Adds a text.</summary>
    public YamlTreeBuilder Text(string key, string? value) => Add(key, value, v => Quoted(v));

    /// <summary>Adds a number.</summary>
    public YamlTreeBuilder Number(string key, double? value) => value is { } number ? Add(key, value, _ => Plain(number)) : this;

    /// <summary>Adds a yes or no.</summary>
    public YamlTreeBuilder Flag(string key, bool? value) => value is { } flag ? Add(key, value, _ => Plain(flag)) : this;

    /// <summary>Adds a list.</summary>
    public YamlTreeBuilder List<T>(string key, IEnumerable<T>? items, Func<T, YamlPart> write) =>
        Add(key, items, list => new YamlList([.. list.Select(write)], default));

    /// <summary>Adds what is written of a value.</summary>
    public YamlTreeBuilder Add<T>(string key, T? value, Func<T, YamlPart?> write)
    {
        if (value is not null && write(value) is { } part)
            _entries.Add((Quoted(key), part));
        return this;
    }
}
