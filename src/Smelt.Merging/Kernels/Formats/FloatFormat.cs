namespace Smelt.Merging.Kernels;

/// <summary>How a floating-point element is stored.</summary>
internal enum FloatFormat
{
    /// <summary>bfloat16: 8 exponent and 7 fraction bits.</summary>
    BF16,

    /// <summary>IEEE binary16: 5 exponent and 10 fraction bits.</summary>
    F16,

    /// <summary>IEEE binary32.</summary>
    F32,

    /// <summary>IEEE binary64; rounded to binary32 before any arithmetic.</summary>
    F64,
}

/// <summary>Facts about a <see cref="FloatFormat"/>.</summary>
internal static class FloatFormats
{
    /// <summary>Bytes of one element.</summary>
    internal static int Size(this FloatFormat format) => format switch
    {
        FloatFormat.BF16 or FloatFormat.F16 => 2,
        FloatFormat.F32 => 4,
        _ => 8,
    };
}

/// <summary>Elements as a checkpoint stores them; who made it says how many there are.</summary>
/// <param name="data">The first element; any alignment.</param>
/// <param name="format">How the elements are stored.</param>
internal readonly unsafe struct RawBlock(void* data, FloatFormat format)
{
    /// <summary>The first element.</summary>
    internal void* Data { get; } = data;

    /// <summary>How the elements are stored.</summary>
    internal FloatFormat Format { get; } = format;

    /// <summary>The same elements from <paramref name="index"/> on.</summary>
    internal RawBlock From(nint index) => new((byte*)Data + (index * Format.Size()), Format);
}
