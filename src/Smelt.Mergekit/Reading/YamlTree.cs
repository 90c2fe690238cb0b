namespace Smelt.Mergekit.Reading;

/// <summary>A part of a YAML text.</summary>
/// <param name="Place">Where it begins.</param>
internal abstract record YamlPart(Place Place);

/// <summary>A scalar.</summary>
/// <param name="Value">Its text, without quotes.</param>
/// <param name="IsPlain">Whether it stands without quotes, so that it may be a number, a yes or no, or nothing.</param>
/// <param name="Place">Where it begins.</param>
internal sealed record YamlScalar(string Value, bool IsPlain, Place Place) : YamlPart(Place)
{
    /// <summary>Whether it stands for nothing.</summary>
    public bool IsNull => IsPlain && Value is "" or "~" or "null" or "Null" or "NULL";
}

/// <summary>A list.</summary>
/// <param name="Items">Its items.</param>
/// <param name="Place">Where it begins.</param>
internal sealed record YamlList(IReadOnlyList<YamlPart> Items, Place Place) : YamlPart(Place);

/// <summary>A mapping.</summary>
/// <param name="Entries">Its entries in the order written.</param>
/// <param name="Place">Where it begins.</param>
internal sealed record YamlMap(IReadOnlyList<(YamlScalar Key, YamlPart Value)> Entries, Place Place) : YamlPart(Place);
