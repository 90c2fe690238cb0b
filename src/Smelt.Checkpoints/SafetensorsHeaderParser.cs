using System.Buffers.Text;
using System.Text;

namespace Smelt.Checkpoints;

/// <summary>
/// Reads the JSON of a safetensors header as the reference parser (Rust, serde_json) does: strict JSON, whole numbers only
/// where numbers count, unknown fields skipped but checked, a tensor also as an array of its three fields.
/// </summary>
/// <remarks>System.Text.Json differs in numbers, nesting, lone surrogates and repeated keys, so it can't serve here.</remarks>
internal ref partial struct SafetensorsHeaderParser
{
    private const int MaxDepth = 127;
    private const string MetadataKey = "__metadata__";

    /// <summary>What a tensor takes of a header, as a rule.</summary>
    private const int BytesOfTensor = 100;

    private readonly ReadOnlySpan<byte> _json;
    private int _position;
    private int _depth;
    private ulong[] _numbers = new ulong[8];

    public SafetensorsHeaderParser(ReadOnlySpan<byte> json)
    {
        _json = json;
        Tensors = [];
        Metadata = new Dictionary<string, string>(StringComparer.Ordinal);
    }

    /// <summary>A tensor as the header states it, and its position among all of them.</summary>
    public sealed record Entry(string Name, TensorType Type, ulong[] Shape, ulong Start, ulong End, int Position);

    /// <summary>The tensors in the order of the text.</summary>
    public List<Entry> Tensors { get; }

    /// <summary>The texts under <c>__metadata__</c>.</summary>
    public Dictionary<string, string> Metadata { get; }

    /// <summary>What is wrong, after <see cref="Parse"/> was false.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Where reading stopped.</summary>
    public readonly int Position => _position;

    /// <summary>Reads everything.</summary>
    public bool Parse()
    {
        if (!System.Text.Unicode.Utf8.IsValid(_json))
            return Fail("the header is not valid UTF-8");

        var names = new HashSet<string>(_json.Length / BytesOfTensor, StringComparer.Ordinal);
        SkipSpace();
        if (!Open('{', "the header is no JSON object"))
            return false;
        for (var first = true; ; first = false)
        {
            if (!Next('}', first, out var more))
                return false;
            if (!more)
                break;
            if (!Key(out var name))
                return false;
            if (!names.Add(name))
                return Fail($"the name '{name}' stands twice");
            if (name == MetadataKey ? !ReadMetadata() : !ReadTensor(name))
                return false;
        }

        SkipSpace();
        return _position == _json.Length || Fail("something follows the JSON object");
    }

    private bool ReadMetadata()
    {
        if (Peek() == 'n')
            return Literal("null"u8);
        if (!Open('{', "__metadata__ is no object of texts"))
            return false;
        for (var first = true; ; first = false)
        {
            if (!Next('}', first, out var more))
                return false;
            if (!more)
                return true;
            if (!Key(out var key) || !String(out var value, "a value in __metadata__ is no text"))
                return false;
            if (!Metadata.TryAdd(key, value))
                return Fail($"the metadata key '{key}' stands twice");
        }
    }

    private bool ReadTensor(string name)
    {
        var fields = default(Fields);
        if (Peek() == '[')
        {
            Open('[', "");
            for (var i = 0; i < 3; i++)
            {
                if (!Next(']', i == 0, out var more))
                    return false;
                if (!more)
                    return Fail($"the tensor '{name}' has {i} of its 3 fields");
                if (!ReadField(i, name, ref fields))
                    return false;
            }

            if (!Next(']', false, out var extra))
                return false;
            if (extra)
                return Fail($"the tensor '{name}' has more than 3 fields");
        }
        else
        {
            if (Peek() != '{')
                return Fail($"the tensor '{name}' is no object");
            if (!Open('{', ""))
                return false;
            for (var first = true; ; first = false)
            {
                if (!Next('}', first, out var more))
                    return false;
                if (!more)
                    break;
                if (!FieldKey(out var field) || (field < 0 ? !SkipValue() : !ReadField(field, name, ref fields)))
                    return false;
            }
        }

        if (fields.Type is not { } type || fields.Shape is not { } shape || !fields.HasOffsets)
            return Fail($"the tensor '{name}' lacks its {(fields.Type is null ? "dtype" : fields.Shape is null ? "shape" : "data_offsets")}");
        Tensors.Add(new Entry(name, type, shape, fields.Start, fields.End, Tensors.Count));
        return true;
    }

    /// <summary>The key of a tensor's field: 0 to 2 in the order of the array form, -1 for any other.</summary>
    private bool FieldKey(out int field)
    {
        // As every writer spells them, without escapes.
        var rest = _json[_position..];
        field = rest.StartsWith("\"dtype\":"u8) ? 0 : rest.StartsWith("\"shape\":"u8) ? 1 : rest.StartsWith("\"data_offsets\":"u8) ? 2 : -1;
        if (field >= 0)
        {
            _position += field == 2 ? 15 : 8;
            SkipSpace();
            return true;
        }

        if (!Key(out var key))
            return false;
        field = key switch { "dtype" => 0, "shape" => 1, "data_offsets" => 2, _ => -1 };
        return true;
    }

    private bool ReadField(int field, string name, ref Fields fields)
    {
        var repeated = field == 0 ? fields.Type is not null : field == 1 ? fields.Shape is not null : fields.HasOffsets;
        if (repeated)
            return Fail($"the tensor '{name}' has a field twice");
        switch (field)
        {
            case 0: return ReadType(name, out fields.Type);
            case 1:
                if (!ReadNumbers("shape", name, out var dimensions))
                    return false;
                fields.Shape = _numbers.AsSpan(0, dimensions).ToArray();
                return true;
            default:
                if (!ReadNumbers("data_offsets", name, out var offsets))
                    return false;
                (fields.Start, fields.End, fields.HasOffsets) = (_numbers[0], _numbers[1], true);
                return offsets == 2 || Fail($"the data_offsets of '{name}' are {offsets} numbers, not 2");
        }
    }

    private bool ReadType(string name, out TensorType? type)
    {
        // The types that nearly all tensors have, without a look into the table.
        var rest = _json[_position..];
        type = rest.StartsWith("\"BF16\""u8) ? TensorType.BF16 : rest.StartsWith("\"F32\""u8) ? TensorType.F32 : rest.StartsWith("\"F16\""u8) ? TensorType.F16 : null;
        if (type is not null)
        {
            _position += type.Name.Length + 2;
            return true;
        }

        string text;
        if (Peek() == '{')
        {
            // The reference reads a type also as a variant without content: {"F32": null}.
            Open('{', "");
            if (!Next('}', true, out var more))
                return false;
            if (!more || !Key(out text))
                return Fail($"the dtype of '{name}' is no type");
            if (Peek() == '{')
            {
                Open('{', "");
                if (!Next('}', true, out var content))
                    return false;
                if (content)
                    return Fail($"the dtype of '{name}' is no type");
            }
            else if (!Literal("null"u8))
            {
                return false;
            }

            if (!Next('}', false, out more))
                return false;
            if (more)
                return Fail($"the dtype of '{name}' is no type");
        }
        else if (!String(out text, $"the dtype of '{name}' is no text"))
        {
            return false;
        }

        return TensorType.All.TryGetValue(text, out type)
            || Fail($"the tensor '{name}' is of the unknown type '{text}'; known: {string.Join(", ", TensorType.All.Keys.Order(StringComparer.Ordinal))}");
    }

    /// <summary>Reads a list of numbers into <see cref="_numbers"/>.</summary>
    private bool ReadNumbers(string what, string name, out int count)
    {
        count = 0;
        if (Peek() != '[')
            return Fail($"the {what} of '{name}' is no list");
        if (!Open('[', ""))
            return false;
        for (var first = true; ; first = false)
        {
            if (!Next(']', first, out var more))
                return false;
            if (!more)
                break;
            var start = _position;
            if (!Number(out var whole))
                return Error.Length > 0 ? false : Fail($"the {what} of '{name}' holds something else than numbers");
            var digits = _json[start.._position];
            if (!whole || !Utf8Parser.TryParse(digits, out ulong value, out var used) || used != digits.Length)
                return Fail($"the {what} of '{name}' holds {Encoding.UTF8.GetString(digits)}; allowed: whole numbers from 0 to {ulong.MaxValue}");
            if (count == _numbers.Length)
                Array.Resize(ref _numbers, 2 * count);
            _numbers[count++] = value;
        }

        return true;
    }

    /// <summary>What a tensor's entry says so far.</summary>
    private struct Fields
    {
        public TensorType? Type;
        public ulong[]? Shape;
        public ulong Start;
        public ulong End;
        public bool HasOffsets;
    }
}
