using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>16 lanes in a 512-bit register.</summary>
internal unsafe struct Simd512 : ISimdWide<Simd512>
{
    // Set by initializers: a constructor would be one more call to inline in each operation, and large loops have more of them than the compiler inlines.
    private Vector512<float> _lanes;


    /// <inheritdoc/>
    public static int Count => 16;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Create(float value) => new() { _lanes = Vector512.Create(value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 CreateBits(int bits) => new() { _lanes = Vector512.Create(bits).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Load(float* source) => new() { _lanes = Vector512.Load(source) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd512 value, float* destination) => value._lanes.Store(destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 LoadUInt16(ushort* source) =>
        new() { _lanes = Avx512F.ConvertToVector512Int32(Vector256.Load(source)).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreUInt16(Simd512 value, ushort* destination) =>
        Avx512F.ConvertToVector256UInt16(value._lanes.AsUInt32()).Store(destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator +(Simd512 a, Simd512 b) => new() { _lanes = a._lanes + b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator -(Simd512 a, Simd512 b) => new() { _lanes = a._lanes - b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator *(Simd512 a, Simd512 b) => new() { _lanes = a._lanes * b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator /(Simd512 a, Simd512 b) => new() { _lanes = a._lanes / b._lanes };

    /// <inheritdoc/>
    public static bool HasMultiplyAdd => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 MultiplyAdd(Simd512 a, Simd512 b, Simd512 c) => new() { _lanes = Avx512F.FusedMultiplyAdd(a._lanes, b._lanes, c._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator &(Simd512 a, Simd512 b) => new() { _lanes = a._lanes & b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator |(Simd512 a, Simd512 b) => new() { _lanes = a._lanes | b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator ^(Simd512 a, Simd512 b) => new() { _lanes = a._lanes ^ b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Max(Simd512 a, Simd512 b) => new() { _lanes = Vector512.MaxNative(a._lanes, b._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 SelectGreater(Simd512 a, Simd512 b, Simd512 yes, Simd512 no) =>
        new() { _lanes = Vector512.ConditionalSelect(Vector512.GreaterThan(a._lanes, b._lanes), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 AddWherePositive(Simd512 sum, Simd512 value, Simd512 addend) =>
        new() { _lanes = Vector512.ConditionalSelect(Vector512.GreaterThan(value._lanes, Vector512<float>.Zero), sum._lanes + addend._lanes, sum._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 SelectEqual(Simd512 a, Simd512 b, Simd512 yes, Simd512 no) =>
        new() { _lanes = Vector512.ConditionalSelect(Vector512.Equals(a._lanes, b._lanes), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 SelectGreaterBits(Simd512 a, Simd512 b, Simd512 yes, Simd512 no) =>
        new() { _lanes = Vector512.ConditionalSelect(Vector512.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32()), yes._lanes.AsInt32(), no._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 SelectBits(uint bits, Simd512 yes, Simd512 no) => SelectBit(CreateBits((int)bits), LaneBits, yes, no);

    /// <inheritdoc/>
    public static Simd512 LaneBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector512.Create(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768).AsSingle() };
    }

    /// <inheritdoc/>
    public static Simd512 LaneBitsAbove
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ShiftLeft(LaneBits, 16);
    }

    /// <inheritdoc/>
    public static Simd512 EvenBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector512.Create(1, 4, 16, 64, 256, 1024, 4096, 16384, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28, 1 << 30).AsSingle() };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 SelectBit(Simd512 bits, Simd512 bit, Simd512 yes, Simd512 no) =>
        new() { _lanes = Vector512.ConditionalSelect(Vector512.Equals(bits._lanes.AsInt32() & bit._lanes.AsInt32(), bit._lanes.AsInt32()).AsSingle(), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 SelectHalves(ulong* mask, nint index, Simd512 yes, Simd512 no)
    {
        // Each quarter gets its byte of the bits, in every one of its bytes.
        var places = Vector512.Create(0UL, 0, 0x0101010101010101, 0x0101010101010101, 0x0202020202020202, 0x0202020202020202, 0x0303030303030303, 0x0303030303030303);
        var bits = Avx512BW.Shuffle(Vector512.Create(((uint*)mask)[index >> 5]).AsByte(), places.AsByte()).AsUInt16();
        var bit = Vector512.Create(0x0008_0004_0002_0001, 0x0080_0040_0020_0010, 0x0008_0004_0002_0001, 0x0080_0040_0020_0010, 0x0008_0004_0002_0001, 0x0080_0040_0020_0010, 0x0008_0004_0002_0001, 0x0080_0040_0020_0010UL).AsUInt16();
        return new() { _lanes = Vector512.ConditionalSelect(Vector512.Equals(bits & bit, bit), yes._lanes.AsUInt16(), no._lanes.AsUInt16()).AsSingle() };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyCommonBits(Simd512 a, Simd512 b) => (a._lanes.AsInt32() & b._lanes.AsInt32()) != Vector512<int>.Zero;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 MultiplySubtract(Simd512 a, Simd512 b, Simd512 c) => new() { _lanes = Avx512F.FusedMultiplyAddNegated(a._lanes, b._lanes, c._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackGreater(Simd512 a, Simd512 b) =>
        (uint)Vector512.GreaterThan(a._lanes, b._lanes).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackEqual(Simd512 a, Simd512 b) =>
        (uint)Vector512.Equals(a._lanes, b._lanes).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackGreaterBits(Simd512 a, Simd512 b) =>
        (uint)Vector512.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32()).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackEqualBits(Simd512 a, Simd512 b) =>
        (uint)Vector512.Equals(a._lanes.AsInt32(), b._lanes.AsInt32()).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackInside(Simd512 bits, Simd512 low, Simd512 span) =>
        (uint)Vector512.LessThanOrEqual((bits._lanes.AsInt32() - low._lanes.AsInt32()).AsUInt32(), span._lanes.AsUInt32()).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 CountGreaterBits(Simd512 counts, Simd512 a, Simd512 b) =>
        new() { _lanes = Vector512.ConditionalSelect(Vector512.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32()), counts._lanes.AsInt32() + Vector512<int>.One, counts._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 CountEqualBits(Simd512 counts, Simd512 a, Simd512 b) =>
        new() { _lanes = Vector512.ConditionalSelect(Vector512.Equals(a._lanes.AsInt32(), b._lanes.AsInt32()), counts._lanes.AsInt32() + Vector512<int>.One, counts._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int StoreInside(Simd512 bits, Simd512 low, Simd512 span, Simd512 except, uint* destination)
    {
        var value = bits._lanes.AsInt32();
        var inside = Vector512.LessThanOrEqual((value - low._lanes.AsInt32()).AsUInt32(), span._lanes.AsUInt32()).AsInt32() & ~Vector512.Equals(value, except._lanes.AsInt32());
        Avx512F.Compress(Vector512<int>.Zero, inside, value).AsUInt32().Store(destination);
        return BitOperations.PopCount((uint)inside.ExtractMostSignificantBits());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Simd512 Lower, Simd512 Upper) Interleave(Simd512 a, Simd512 b)
    {
        var lower = Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        return (new() { _lanes = Avx512F.PermuteVar16x32x2(a._lanes, lower, b._lanes) }, new() { _lanes = Avx512F.PermuteVar16x32x2(a._lanes, lower + Vector512.Create(8), b._lanes) });
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 MinBits(Simd512 a, Simd512 b) => new() { _lanes = Vector512.Min(a._lanes.AsInt32(), b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 MaxBits(Simd512 a, Simd512 b) => new() { _lanes = Vector512.Max(a._lanes.AsInt32(), b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 MinUnsigned(Simd512 a, Simd512 b) => new() { _lanes = Vector512.Min(a._lanes.AsUInt32(), b._lanes.AsUInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 AddBits(Simd512 a, Simd512 b) => new() { _lanes = (a._lanes.AsInt32() + b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 SubtractBits(Simd512 a, Simd512 b) => new() { _lanes = (a._lanes.AsInt32() - b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 ShiftLeft(Simd512 a, [ConstantExpected] int count) => new() { _lanes = (a._lanes.AsInt32() << count).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 ShiftRight(Simd512 a, [ConstantExpected] int count) => new() { _lanes = (a._lanes.AsInt32() >>> count).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 CreateDouble(double value) => new() { _lanes = Vector512.Create(value).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 WidenLower(Simd512 value) => new() { _lanes = Vector512.WidenLower(value._lanes).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 WidenUpper(Simd512 value) => new() { _lanes = Vector512.WidenUpper(value._lanes).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 AddDoubles(Simd512 a, Simd512 b) => new() { _lanes = (a._lanes.AsDouble() + b._lanes.AsDouble()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 MultiplyDoubles(Simd512 a, Simd512 b) => new() { _lanes = (a._lanes.AsDouble() * b._lanes.AsDouble()).AsSingle() };
}
