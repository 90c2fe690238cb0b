using System.Globalization;

namespace Smelt.Recipes;

/// <summary>
/// A number of bytes. Converts from a number of bytes or from text: <c>"512MiB"</c> (binary units KiB, MiB, GiB, TiB) or
/// <c>"5GB"</c> (decimal units KB, MB, GB, TB, B).
/// </summary>
public readonly record struct ByteSize
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("KB", 1_000L), ("MB", 1_000_000L), ("GB", 1_000_000_000L), ("TB", 1_000_000_000_000L), ("B", 1L),
    ];

    private ByteSize(long bytes, string? invalidText)
    {
        Bytes = bytes;
        InvalidText = invalidText;
    }

    /// <summary>The number of bytes; 0 where the text could not be read.</summary>
    public long Bytes { get; }

    /// <summary>The text that is no size, reported by rule SM2007; null for a valid size.</summary>
    public string? InvalidText { get; }

    /// <summary>Reads a size; the result has <see cref="InvalidText"/> set where <paramref name="text"/> is none.</summary>
    public static ByteSize Parse(string text)
    {
        var trimmed = (text ?? "").Trim();
        foreach (var (unit, factor) in Units)
        {
            if (trimmed.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
                return Scale(trimmed.Substring(0, trimmed.Length - unit.Length), factor, text ?? "");
        }

        return Scale(trimmed, 1, text ?? "");
    }

    /// <summary>A size from a number of bytes.</summary>
    public static implicit operator ByteSize(long bytes) => new(bytes, null);

    /// <summary>A size from text such as <c>"5GB"</c> or <c>"512MiB"</c>.</summary>
    public static implicit operator ByteSize(string text) => Parse(text);

    /// <summary>The size with a decimal unit: <c>5 GB</c>, <c>641.1 MB</c>.</summary>
    public override string ToString()
    {
        string[] units = ["B", "KB", "MB", "GB", "TB", "PB"];
        double value = Bytes;
        var unit = 0;
        while (Math.Abs(value) >= 999.95 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return value.ToString(unit == 0 ? "0" : "0.#", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    private static ByteSize Scale(string number, long factor, string text) =>
        decimal.TryParse(number.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value <= (decimal)long.MaxValue / factor
            ? new((long)(value * factor), null)
            : new(0, text);
}
