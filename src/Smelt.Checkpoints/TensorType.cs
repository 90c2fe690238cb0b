namespace Smelt.Checkpoints;

/// <summary>A type of elements in a safetensors file.</summary>
/// <param name="Name">As the file spells it.</param>
/// <param name="Bits">Bits of one element.</param>
/// <param name="TorchName">As config.json spells it; null for types no model declares.</param>
public sealed record TensorType(string Name, int Bits, string? TorchName = null)
{
    /// <summary>bfloat16.</summary>
    public static readonly TensorType BF16 = new("BF16", 16, "bfloat16");

    /// <summary>IEEE half.</summary>
    public static readonly TensorType F16 = new("F16", 16, "float16");

    /// <summary>IEEE single.</summary>
    public static readonly TensorType F32 = new("F32", 32, "float32");

    /// <summary>IEEE double.</summary>
    public static readonly TensorType F64 = new("F64", 64, "float64");

    /// <summary>Bytes.</summary>
    public static readonly TensorType U8 = new("U8", 8, "uint8");

    /// <summary>Every type of safetensors 0.8, by name.</summary>
    public static readonly IReadOnlyDictionary<string, TensorType> All = new[]
    {
        new TensorType("BOOL", 8, "bool"), new("F4", 4), new("F6_E2M3", 6), new("F6_E3M2", 6), U8, new("I8", 8, "int8"),
        new("F8_E5M2", 8, "float8_e5m2"), new("F8_E4M3", 8, "float8_e4m3fn"), new("F8_E8M0", 8, "float8_e8m0fnu"),
        new("F8_E4M3FNUZ", 8, "float8_e4m3fnuz"), new("F8_E5M2FNUZ", 8, "float8_e5m2fnuz"),
        new("I16", 16, "int16"), new("U16", 16, "uint16"), F16, BF16, new("I32", 32, "int32"), new("U32", 32, "uint32"), F32,
        new("C64", 64, "complex64"), F64, new("I64", 64, "int64"), new("U64", 64, "uint64"),
    }.ToDictionary(t => t.Name, StringComparer.Ordinal);

    /// <summary>Whether tensors of this type can be merged.</summary>
    public bool IsMergeable => this == BF16 || this == F16 || this == F32 || this == F64;

    /// <summary>Bytes of one element, for types of whole bytes.</summary>
    public int BytesPerElement => Bits / 8;

    /// <summary>The bytes of a run of elements: from the first up to the end.</summary>
    public (long Start, long End) ByteRange(long start, int length) => (start * Bits / 8, (((start + length) * Bits) + 7) / 8);

    /// <inheritdoc/>
    public bool Equals(TensorType? other) => ReferenceEquals(this, other) || (other is not null && Name == other.Name);

    /// <inheritdoc/>
    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
