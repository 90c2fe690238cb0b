using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Smelt.Checkpoints;

/// <content>Strict JSON: values, texts and numbers.</content>
internal ref partial struct SafetensorsHeaderParser
{
    /// <summary>Skips a value of any kind, checking that it is JSON.</summary>
    private bool SkipValue()
    {
        switch (Peek())
        {
            case '{':
                if (!Open('{', ""))
                    return false;
                for (var first = true; ; first = false)
                {
                    if (!Next('}', first, out var more))
                        return false;
                    if (!more)
                        return true;
                    if (!Key(out _) || !SkipValue())
                        return false;
                }

            case '[':
                if (!Open('[', ""))
                    return false;
                for (var first = true; ; first = false)
                {
                    if (!Next(']', first, out var more))
                        return false;
                    if (!more)
                        return true;
                    if (!SkipValue())
                        return false;
                }

            case '"': return String(out _, "");
            case 't': return Literal("true"u8);
            case 'f': return Literal("false"u8);
            case 'n': return Literal("null"u8);
            default: return Number(out _) || (Error.Length == 0 && Fail("a value is expected"));
        }
    }

    private bool Open(char bracket, string error)
    {
        if (Peek() != bracket)
            return Fail(error);
        if (++_depth > MaxDepth)
            return Fail($"the nesting is deeper than {MaxDepth}");
        _position++;
        return true;
    }

    /// <summary>Goes to the next element of an object or a list, or past its end.</summary>
    private bool Next(char close, bool first, out bool more)
    {
        SkipSpace();
        more = Peek() != close;
        if (!more)
        {
            _depth--;
            _position++;
            return true;
        }

        if (first)
            return _position < _json.Length || Fail("the JSON ends too early");
        if (Peek() != ',')
            return Fail(_position < _json.Length ? $"',' or '{close}' is expected" : "the JSON ends too early");
        _position++;
        SkipSpace();
        return Peek() != close || Fail("a ',' stands before the end");
    }

    private bool Key(out string key)
    {
        if (!String(out key, "a name in quotes is expected"))
            return false;
        SkipSpace();
        if (Peek() != ':')
            return Fail("':' is expected");
        _position++;
        SkipSpace();
        return true;
    }

    private bool Literal(ReadOnlySpan<byte> text)
    {
        if (!_json[_position..].StartsWith(text))
            return Fail($"'{Encoding.UTF8.GetString(text)}' is expected");
        _position += text.Length;
        return true;
    }

    /// <summary>Passes a number; <paramref name="whole"/> where it is digits alone. False without an error where there is none.</summary>
    private bool Number(out bool whole)
    {
        whole = true;
        var start = _position;
        if (Peek() == '-')
        {
            whole = false;
            _position++;
        }

        var digits = Digits();
        if (digits == 0)
            return _position > start && Fail("a digit is expected after '-'");
        if (digits > 1 && _json[_position - digits] == '0')
            return Fail("a number starts with 0");
        if (Peek() == '.')
        {
            whole = false;
            _position++;
            if (Digits() == 0)
                return Fail("a digit is expected after '.'");
        }

        if (Peek() is 'e' or 'E')
        {
            whole = false;
            _position++;
            if (Peek() is '+' or '-')
                _position++;
            if (Digits() == 0)
                return Fail("a digit is expected in an exponent");
        }

        // Whole numbers of up to 300 digits are in range for sure; nobody writes longer ones but to break a parser.
        return (whole && digits <= 300)
            || double.IsFinite(double.Parse(_json[start.._position], NumberStyles.Float, CultureInfo.InvariantCulture))
            || Fail("a number is out of range");
    }

    private int Digits()
    {
        var start = _position;
        while (_position < _json.Length && _json[_position] is >= (byte)'0' and <= (byte)'9')
            _position++;
        return _position - start;
    }

    private bool String(out string value, string error)
    {
        value = "";
        if (Peek() != '"')
            return Fail(error);
        var start = ++_position;
        var rest = _json[start..];
        var end = rest.IndexOfAny((byte)'"', (byte)'\\');
        if (end >= 0 && rest[end] == '"' && !HasControl(rest[..end]))
        {
            value = Encoding.UTF8.GetString(rest[..end]);
            _position += end + 1;
            return true;
        }

        return EscapedString(out value);
    }

    private bool EscapedString(out string value)
    {
        value = "";
        var text = new StringBuilder();
        var run = _position;
        while (_position < _json.Length)
        {
            var b = _json[_position];
            if (b < 0x20)
                return Fail("a control character stands in a text");
            if (b is not ((byte)'"' or (byte)'\\'))
            {
                _position++;
                continue;
            }

            text.Append(Encoding.UTF8.GetString(_json[run.._position]));
            _position++;
            if (b == '"')
            {
                value = text.ToString();
                return true;
            }

            if (!Escape(text))
                return false;
            run = _position;
        }

        return Fail("the JSON ends inside a text");
    }

    private bool Escape(StringBuilder text)
    {
        var c = Peek();
        _position++;
        switch (c)
        {
            case '"' or '\\' or '/': text.Append(c); return true;
            case 'b': text.Append('\b'); return true;
            case 'f': text.Append('\f'); return true;
            case 'n': text.Append('\n'); return true;
            case 'r': text.Append('\r'); return true;
            case 't': text.Append('\t'); return true;
            case 'u':
                if (!Hex(out var unit))
                    return false;
                text.Append(unit);
                if (!char.IsSurrogate(unit))
                    return true;
                if (char.IsLowSurrogate(unit) || !_json[_position..].StartsWith("\\u"u8))
                    return Fail("half a surrogate pair stands in a text");
                _position += 2;
                if (!Hex(out var low))
                    return false;
                text.Append(low);
                return char.IsLowSurrogate(low) || Fail("half a surrogate pair stands in a text");
            default: return Fail("an unknown escape stands in a text");
        }
    }

    private bool Hex(out char unit)
    {
        unit = '\0';
        if (_position + 4 > _json.Length || !Utf8Parser.TryParse(_json.Slice(_position, 4), out ushort value, out var used, 'x') || used != 4)
            return Fail("four hexadecimal digits are expected after \\u");
        unit = (char)value;
        _position += 4;
        return true;
    }

    private static bool HasControl(ReadOnlySpan<byte> text) => text.IndexOfAnyInRange((byte)0, (byte)0x1F) >= 0;

    private readonly char Peek() => _position < _json.Length ? (char)_json[_position] : '\0';

    private void SkipSpace()
    {
        while (_position < _json.Length && _json[_position] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
            _position++;
    }

    private bool Fail(string error)
    {
        if (Error.Length == 0)
            Error = error;
        return false;
    }
}
