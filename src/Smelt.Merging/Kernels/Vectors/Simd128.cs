using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>4 lanes in a 128-bit register.</summary>
internal unsafe struct Simd128 : ISimdWide<Simd128>
{
    // Set by initializers: a constructor would be one more call to inline in each operation, and large loops have more of them than the compiler inlines.
    private Vector128<float> _lanes;


    /// <inheritdoc/>
    public static int Count => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Create(float value) => new() { _lanes = Vector128.Create(value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 CreateBits(int bits) => new() { _lanes = Vector128.Create(bits).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Load(float* source) => new() { _lanes = Vector128.Load(source) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd128 value, float* destination) => value._lanes.Store(destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 LoadUInt16(ushort* source) =>
        new() { _lanes = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreUInt16(Simd128 value, ushort* destination)
    {
        var bits = value._lanes.AsUInt32();
        *(ulong*)destination = Vector128.Narrow(bits, bits).AsUInt64().ToScalar();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator +(Simd128 a, Simd128 b) => new() { _lanes = a._lanes + b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator -(Simd128 a, Simd128 b) => new() { _lanes = a._lanes - b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator *(Simd128 a, Simd128 b) => new() { _lanes = a._lanes * b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator /(Simd128 a, Simd128 b) => new() { _lanes = a._lanes / b._lanes };

    /// <inheritdoc/>
    public static bool HasMultiplyAdd => AdvSimd.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MultiplyAdd(Simd128 a, Simd128 b, Simd128 c) => new() { _lanes = AdvSimd.FusedMultiplyAdd(c._lanes, a._lanes, b._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator &(Simd128 a, Simd128 b) => new() { _lanes = a._lanes & b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator |(Simd128 a, Simd128 b) => new() { _lanes = a._lanes | b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator ^(Simd128 a, Simd128 b) => new() { _lanes = a._lanes ^ b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Max(Simd128 a, Simd128 b) => new() { _lanes = Vector128.MaxNative(a._lanes, b._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 SelectGreater(Simd128 a, Simd128 b, Simd128 yes, Simd128 no) =>
        new() { _lanes = Vector128.ConditionalSelect(Vector128.GreaterThan(a._lanes, b._lanes), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 AddWherePositive(Simd128 sum, Simd128 value, Simd128 addend) =>
        new() { _lanes = sum._lanes + (Vector128.GreaterThan(value._lanes, Vector128<float>.Zero) & addend._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 SelectEqual(Simd128 a, Simd128 b, Simd128 yes, Simd128 no) =>
        new() { _lanes = Vector128.ConditionalSelect(Vector128.Equals(a._lanes, b._lanes), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 SelectGreaterBits(Simd128 a, Simd128 b, Simd128 yes, Simd128 no) =>
        new() { _lanes = Vector128.ConditionalSelect(Vector128.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32()), yes._lanes.AsInt32(), no._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 SelectBits(uint bits, Simd128 yes, Simd128 no) => SelectBit(CreateBits((int)bits), LaneBits, yes, no);

    /// <inheritdoc/>
    public static Simd128 LaneBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector128.Create(1, 2, 4, 8).AsSingle() };
    }

    /// <inheritdoc/>
    public static Simd128 LaneBitsAbove
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ShiftLeft(LaneBits, 4);
    }

    /// <inheritdoc/>
    public static Simd128 EvenBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector128.Create(1, 4, 16, 64).AsSingle() };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 SelectBit(Simd128 bits, Simd128 bit, Simd128 yes, Simd128 no) =>
        new() { _lanes = Vector128.ConditionalSelect(Vector128.Equals(bits._lanes.AsInt32() & bit._lanes.AsInt32(), bit._lanes.AsInt32()).AsSingle(), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 SelectHalves(ulong* mask, nint index, Simd128 yes, Simd128 no)
    {
        var bit = Vector128.Create((ushort)1, 2, 4, 8, 16, 32, 64, 128);
        var bits = Vector128.Create((ushort)((byte*)mask)[index >> 3]) & bit;
        return new() { _lanes = Vector128.ConditionalSelect(Vector128.Equals(bits, bit), yes._lanes.AsUInt16(), no._lanes.AsUInt16()).AsSingle() };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyCommonBits(Simd128 a, Simd128 b) => (a._lanes.AsInt32() & b._lanes.AsInt32()) != Vector128<int>.Zero;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MultiplySubtract(Simd128 a, Simd128 b, Simd128 c) => new() { _lanes = AdvSimd.FusedMultiplySubtract(c._lanes, a._lanes, b._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackGreater(Simd128 a, Simd128 b) =>
        (uint)Vector128.GreaterThan(a._lanes, b._lanes).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackEqual(Simd128 a, Simd128 b) =>
        (uint)Vector128.Equals(a._lanes, b._lanes).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackGreaterBits(Simd128 a, Simd128 b) =>
        (uint)Vector128.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32()).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackEqualBits(Simd128 a, Simd128 b) =>
        (uint)Vector128.Equals(a._lanes.AsInt32(), b._lanes.AsInt32()).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackInside(Simd128 bits, Simd128 low, Simd128 span) =>
        PackEqualBits(MinUnsigned(SubtractBits(bits, low), span), SubtractBits(bits, low));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 CountGreaterBits(Simd128 counts, Simd128 a, Simd128 b) =>
        new() { _lanes = (counts._lanes.AsInt32() - Vector128.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32())).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 CountEqualBits(Simd128 counts, Simd128 a, Simd128 b) =>
        new() { _lanes = (counts._lanes.AsInt32() - Vector128.Equals(a._lanes.AsInt32(), b._lanes.AsInt32())).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int StoreInside(Simd128 bits, Simd128 low, Simd128 span, Simd128 except, uint* destination)
    {
        var inside = PackInside(bits, low, span) & ~PackEqualBits(bits, except);
        var count = 0;
        for (; inside != 0; inside &= inside - 1)
            destination[count++] = bits._lanes.AsUInt32()[BitOperations.TrailingZeroCount(inside)];
        return count;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Simd128 Lower, Simd128 Upper) Interleave(Simd128 a, Simd128 b)
    {
        if (Sse.IsSupported)
            return (new() { _lanes = Sse.UnpackLow(a._lanes, b._lanes) }, new() { _lanes = Sse.UnpackHigh(a._lanes, b._lanes) });
        if (AdvSimd.Arm64.IsSupported)
            return (new() { _lanes = AdvSimd.Arm64.ZipLow(a._lanes, b._lanes) }, new() { _lanes = AdvSimd.Arm64.ZipHigh(a._lanes, b._lanes) });
        return (new() { _lanes = Vector128.Create(a._lanes[0], b._lanes[0], a._lanes[1], b._lanes[1]) }, new() { _lanes = Vector128.Create(a._lanes[2], b._lanes[2], a._lanes[3], b._lanes[3]) });
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MinBits(Simd128 a, Simd128 b) => new() { _lanes = Vector128.Min(a._lanes.AsInt32(), b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MaxBits(Simd128 a, Simd128 b) => new() { _lanes = Vector128.Max(a._lanes.AsInt32(), b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MinUnsigned(Simd128 a, Simd128 b) => new() { _lanes = Vector128.Min(a._lanes.AsUInt32(), b._lanes.AsUInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 AddBits(Simd128 a, Simd128 b) => new() { _lanes = (a._lanes.AsInt32() + b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 SubtractBits(Simd128 a, Simd128 b) => new() { _lanes = (a._lanes.AsInt32() - b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 ShiftLeft(Simd128 a, [ConstantExpected] int count) => new() { _lanes = (a._lanes.AsInt32() << count).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 ShiftRight(Simd128 a, [ConstantExpected] int count) => new() { _lanes = (a._lanes.AsInt32() >>> count).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 CreateDouble(double value) => new() { _lanes = Vector128.Create(value).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 WidenLower(Simd128 value) => new() { _lanes = Vector128.WidenLower(value._lanes).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 WidenUpper(Simd128 value) => new() { _lanes = Vector128.WidenUpper(value._lanes).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 AddDoubles(Simd128 a, Simd128 b) => new() { _lanes = (a._lanes.AsDouble() + b._lanes.AsDouble()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MultiplyDoubles(Simd128 a, Simd128 b) => new() { _lanes = (a._lanes.AsDouble() * b._lanes.AsDouble()).AsSingle() };
}
