using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Smelt.Recipes.Configuration;

/// <summary>
/// Canonical JSON after RFC 8785: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them,
/// strings escaped only where they must be. A value is a string, a number (double, long, int), a bool, a list of values, or
/// a dictionary or <see cref="JsonMembers"/> of them.
/// </summary>
public static class CanonicalJson
{
    /// <summary>The text of <paramref name="value"/>.</summary>
    /// <exception cref="ArgumentException">A number is not finite, a string holds a lone surrogate, or a type is none of JSON's.</exception>
    public static string Write(object value)
    {
        var text = new StringBuilder();
        Append(text, value);
        return text.ToString();
    }

    /// <summary>The SHA-256 of the UTF-8 bytes of <paramref name="canonical"/>, in lower-case hexadecimal.</summary>
    public static string Sha256(string canonical)
    {
        using var sha = SHA256.Create();
        var hash = sha.ComputeHash(Encoding.UTF8.GetBytes(canonical));
        var text = new StringBuilder(2 * hash.Length);
        foreach (var b in hash)
            text.Append(b.ToString("x2", CultureInfo.InvariantCulture));
        return text.ToString();
    }

    /// <summary>A number as ECMAScript's Number.toString prints it: the shortest digits that read back the same.</summary>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    public static string Number(double value)
    {
        if (double.IsNaN(value) || double.IsInfinity(value))
            throw new ArgumentException($"{value.ToString(CultureInfo.InvariantCulture)} is no number of JSON.", nameof(value));
        if (value == 0)
            return "0";

        // "R" is the shortest text that reads back the same; where an old runtime gets that wrong, 17 digits always do.
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        if (double.Parse(text, CultureInfo.InvariantCulture) != value)
            text = value.ToString("G17", CultureInfo.InvariantCulture);
        return text.IndexOf('E') < 0 ? text : Rewrite(text);
    }

    /// <summary>A number with an exponent as ECMAScript prints it.</summary>
    private static string Rewrite(string text)
    {
        var sign = text[0] == '-' ? "-" : "";
        var mark = text.IndexOf('E');
        var digits = text.Substring(sign.Length, mark - sign.Length).Replace(".", "");
        var exponent = int.Parse(text.Substring(mark + 1), CultureInfo.InvariantCulture);

        // exponent: the position of the decimal point after the first digit, as in d.ddd * 10^exponent.
        if (exponent is >= 0 and < 21)
        {
            return sign + (digits.Length <= exponent + 1
                ? digits + new string('0', exponent + 1 - digits.Length)
                : digits.Substring(0, exponent + 1) + "." + digits.Substring(exponent + 1));
        }

        if (exponent is < 0 and >= -7 + 1)
            return sign + "0." + new string('0', -exponent - 1) + digits;
        return sign + digits.Substring(0, 1) + (digits.Length > 1 ? "." + digits.Substring(1) : "")
            + "e" + (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString(CultureInfo.InvariantCulture);
    }

    private static void Append(StringBuilder text, object value)
    {
        switch (value)
        {
            case string s: AppendString(text, s); break;
            case bool b: text.Append(b ? "true" : "false"); break;
            case double d: AppendNumber(text, d); break;
            case int i: text.Append(i.ToString(CultureInfo.InvariantCulture)); break;
            case long l: text.Append(l.ToString(CultureInfo.InvariantCulture)); break;
            case JsonMembers members: AppendObject(text, members); break;
            case IReadOnlyDictionary<string, object> map: AppendObject(text, new JsonMembers(map)); break;
            case IEnumerable<object> list: AppendList(text, list); break;
            default: throw new ArgumentException($"{value?.GetType().Name ?? "null"} is no type of JSON.", nameof(value));
        }
    }

    private static void AppendNumber(StringBuilder text, double value)
    {
#if NET
        // Most numbers have no exponent: they are printed in place.
        Span<char> digits = stackalloc char[32];
        if (value != 0 && double.IsFinite(value) && value.TryFormat(digits, out var length, "R", CultureInfo.InvariantCulture) && !digits[..length].Contains('E'))
        {
            text.Append(digits[..length]);
            return;
        }
#endif
        text.Append(Number(value));
    }

    private static void AppendObject(StringBuilder text, JsonMembers members)
    {
        text.Append('{');
        for (var i = 0; i < members.Count; i++)
        {
            if (i > 0)
                text.Append(',');
            var (key, value) = members[i];
            AppendString(text, key);
            text.Append(':');
            Append(text, value);
        }

        text.Append('}');
    }

    private static void AppendList(StringBuilder text, IEnumerable<object> list)
    {
        text.Append('[');
        var first = true;
        foreach (var item in list)
        {
            if (!first)
                text.Append(',');
            first = false;
            Append(text, item);
        }

        text.Append(']');
    }

    private static bool IsPlain(string value)
    {
        foreach (var c in value)
        {
            if (c is < ' ' or > '~' or '"' or '\\')
                return false;
        }

        return true;
    }

    private static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        if (IsPlain(value))
        {
            text.Append(value).Append('"');
            return;
        }

        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\b': text.Append("\\b"); break;
                case '\t': text.Append("\\t"); break;
                case '\n': text.Append("\\n"); break;
                case '\f': text.Append("\\f"); break;
                case '\r': text.Append("\\r"); break;
                case < ' ': text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)); break;
                default:
                    if (char.IsHighSurrogate(c) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]))
                        text.Append(c).Append(value[++i]);
                    else if (char.IsSurrogate(c))
                        throw new ArgumentException("The text holds half a surrogate pair, which JSON can't.", nameof(value));
                    else
                        text.Append(c);
                    break;
            }
        }

        text.Append('"');
    }
}
