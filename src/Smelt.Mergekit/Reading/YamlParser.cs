using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Smelt.Mergekit.Reading;

/// <summary>
/// Reads YAML into a tree with places. Aliases and merge keys (<c>&lt;&lt;</c>) are resolved; a key that stands twice is an
/// error, where Python would take the last. Depth and size are bounded, so that no text takes long.
/// </summary>
internal sealed class YamlParser
{
    private const int MaxDepth = 32;
    private const int MaxParts = 1_000_000;
    private const string TextTag = "tag:yaml.org,2002:str";

    private readonly Parser _parser;
    private readonly Dictionary<string, YamlPart?> _anchors = new(StringComparer.Ordinal);
    private ParsingEvent _current = new StreamEnd();
    private int _parts;

    private YamlParser(string text) => _parser = new Parser(new StringReader(text));

    /// <summary>Reads all documents of a text.</summary>
    /// <exception cref="YamlException">The text is not YAML; the message says why.</exception>
    public static IReadOnlyList<YamlPart> Parse(string text) => new YamlParser(text).ReadStream();

    private List<YamlPart> ReadStream()
    {
        var documents = new List<YamlPart>();
        Next();
        while (Next() is DocumentStart)
        {
            _anchors.Clear();
            Next();
            documents.Add(ReadPart(0));
            Next();
        }

        return documents;
    }

    /// <summary>Reads the part that begins with the current event.</summary>
    private YamlPart ReadPart(int depth)
    {
        var current = _current;
        if (depth > MaxDepth)
            throw new YamlException(current.Start, current.End, $"the text is nested more than {MaxDepth} levels deep");
        if (current is AnchorAlias alias)
        {
            return _anchors.GetValueOrDefault(alias.Value.Value)
                ?? throw new YamlException(alias.Start, alias.End, $"the alias '*{alias.Value.Value}' names nothing that stands before it");
        }

        var place = PlaceOf(current);
        YamlPart part = current switch
        {
            Scalar scalar => new YamlScalar(scalar.Value, scalar.Style == ScalarStyle.Plain && !(scalar.Tag is { IsEmpty: false, Value: TextTag }), place),
            SequenceStart => ReadList(depth, place),
            MappingStart => ReadMap(depth, place),
            _ => throw new YamlException(current.Start, current.End, "a value is missing"),
        };
        if (current is NodeEvent { Anchor: { IsEmpty: false, Value: var anchor } })
            _anchors[anchor] = part;
        return part;
    }

    private YamlList ReadList(int depth, Place place)
    {
        var items = new List<YamlPart>();
        while (Next() is not SequenceEnd)
            items.Add(ReadPart(depth + 1));
        return new YamlList(items, place);
    }

    private YamlMap ReadMap(int depth, Place place)
    {
        var entries = new List<(YamlScalar Key, YamlPart Value)>();
        var merged = new List<(YamlScalar Key, YamlPart Value)>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (Next() is not MappingEnd)
        {
            var start = _current;
            if (ReadPart(depth + 1) is not YamlScalar key)
                throw new YamlException(start.Start, start.End, "a key is a list or a mapping; only texts are allowed");
            Next();
            var value = ReadPart(depth + 1);
            if (key is { Value: "<<", IsPlain: true })
                Merge(value, start, merged);
            else if (keys.Add(key.Value))
                entries.Add((key, value));
            else
                throw new YamlException(start.Start, start.End, $"the key '{key.Value}' stands twice");
        }

        entries.AddRange(merged.Where(m => keys.Add(m.Key.Value)));
        return new YamlMap(entries, place);
    }

    private void Merge(YamlPart value, ParsingEvent at, List<(YamlScalar Key, YamlPart Value)> merged)
    {
        foreach (var part in value is YamlList list ? list.Items : [value])
        {
            if (part is not YamlMap map)
                throw new YamlException(at.Start, at.End, "'<<' takes a mapping or a list of mappings");
            Count(map.Entries.Count);
            merged.AddRange(map.Entries);
        }
    }

    private ParsingEvent Next()
    {
        Count(1);
        try
        {
            return _current = _parser.MoveNext() ? _parser.Current! : new StreamEnd();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // The scanner takes some damaged texts for a state that it can't be in.
            throw new YamlException(_current.End, _current.End, "the text can't be read beyond this place");
        }
    }

    private void Count(int parts)
    {
        _parts += parts;
        if (_parts > MaxParts)
            throw new YamlException(_current.Start, _current.End, $"the text has more than {MaxParts} parts");
    }

    private static Place PlaceOf(ParsingEvent parsing) => new((int)parsing.Start.Line, (int)parsing.Start.Column);
}
