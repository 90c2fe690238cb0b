using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>8 lanes in a 256-bit register.</summary>
internal unsafe struct Simd256 : ISimdWide<Simd256>
{
    // Set by initializers: a constructor would be one more call to inline in each operation, and large loops have more of them than the compiler inlines.
    private Vector256<float> _lanes;


    /// <inheritdoc/>
    public static int Count => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Create(float value) => new() { _lanes = Vector256.Create(value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 CreateBits(int bits) => new() { _lanes = Vector256.Create(bits).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Load(float* source) => new() { _lanes = Vector256.Load(source) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd256 value, float* destination) => value._lanes.Store(destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 LoadUInt16(ushort* source) =>
        new() { _lanes = Avx2.ConvertToVector256Int32(Vector128.Load(source)).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreUInt16(Simd256 value, ushort* destination) =>
        Sse41.PackUnsignedSaturate(value._lanes.GetLower().AsInt32(), value._lanes.GetUpper().AsInt32()).Store(destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator +(Simd256 a, Simd256 b) => new() { _lanes = a._lanes + b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator -(Simd256 a, Simd256 b) => new() { _lanes = a._lanes - b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator *(Simd256 a, Simd256 b) => new() { _lanes = a._lanes * b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator /(Simd256 a, Simd256 b) => new() { _lanes = a._lanes / b._lanes };

    /// <inheritdoc/>
    public static bool HasMultiplyAdd => Fma.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MultiplyAdd(Simd256 a, Simd256 b, Simd256 c) => new() { _lanes = Fma.MultiplyAdd(a._lanes, b._lanes, c._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator &(Simd256 a, Simd256 b) => new() { _lanes = a._lanes & b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator |(Simd256 a, Simd256 b) => new() { _lanes = a._lanes | b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator ^(Simd256 a, Simd256 b) => new() { _lanes = a._lanes ^ b._lanes };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Max(Simd256 a, Simd256 b) => new() { _lanes = Vector256.MaxNative(a._lanes, b._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 SelectGreater(Simd256 a, Simd256 b, Simd256 yes, Simd256 no) =>
        new() { _lanes = Vector256.ConditionalSelect(Vector256.GreaterThan(a._lanes, b._lanes), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 AddWherePositive(Simd256 sum, Simd256 value, Simd256 addend) =>
        new() { _lanes = sum._lanes + (Vector256.GreaterThan(value._lanes, Vector256<float>.Zero) & addend._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 SelectEqual(Simd256 a, Simd256 b, Simd256 yes, Simd256 no) =>
        new() { _lanes = Vector256.ConditionalSelect(Vector256.Equals(a._lanes, b._lanes), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 SelectGreaterBits(Simd256 a, Simd256 b, Simd256 yes, Simd256 no) =>
        new() { _lanes = Vector256.ConditionalSelect(Vector256.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32()), yes._lanes.AsInt32(), no._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 SelectBits(uint bits, Simd256 yes, Simd256 no) => SelectBit(CreateBits((int)bits), LaneBits, yes, no);

    /// <inheritdoc/>
    public static Simd256 LaneBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128).AsSingle() };
    }

    /// <inheritdoc/>
    public static Simd256 LaneBitsAbove
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ShiftLeft(LaneBits, 8);
    }

    /// <inheritdoc/>
    public static Simd256 EvenBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new() { _lanes = Vector256.Create(1, 4, 16, 64, 256, 1024, 4096, 16384).AsSingle() };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 SelectBit(Simd256 bits, Simd256 bit, Simd256 yes, Simd256 no) =>
        new() { _lanes = Vector256.ConditionalSelect(Vector256.Equals(bits._lanes.AsInt32() & bit._lanes.AsInt32(), bit._lanes.AsInt32()).AsSingle(), yes._lanes, no._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 SelectHalves(ulong* mask, nint index, Simd256 yes, Simd256 no)
    {
        var bit = Vector256.Create((ushort)1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
        var bits = Vector256.Create(((ushort*)mask)[index >> 4]) & bit;
        return new() { _lanes = Vector256.ConditionalSelect(Vector256.Equals(bits, bit), yes._lanes.AsUInt16(), no._lanes.AsUInt16()).AsSingle() };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyCommonBits(Simd256 a, Simd256 b) => (a._lanes.AsInt32() & b._lanes.AsInt32()) != Vector256<int>.Zero;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MultiplySubtract(Simd256 a, Simd256 b, Simd256 c) => new() { _lanes = Fma.MultiplyAddNegated(a._lanes, b._lanes, c._lanes) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackGreater(Simd256 a, Simd256 b) =>
        (uint)Vector256.GreaterThan(a._lanes, b._lanes).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackEqual(Simd256 a, Simd256 b) =>
        (uint)Vector256.Equals(a._lanes, b._lanes).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackGreaterBits(Simd256 a, Simd256 b) =>
        (uint)Vector256.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32()).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackEqualBits(Simd256 a, Simd256 b) =>
        (uint)Vector256.Equals(a._lanes.AsInt32(), b._lanes.AsInt32()).ExtractMostSignificantBits();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackInside(Simd256 bits, Simd256 low, Simd256 span) =>
        PackEqualBits(MinUnsigned(SubtractBits(bits, low), span), SubtractBits(bits, low));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 CountGreaterBits(Simd256 counts, Simd256 a, Simd256 b) =>
        new() { _lanes = (counts._lanes.AsInt32() - Vector256.GreaterThan(a._lanes.AsInt32(), b._lanes.AsInt32())).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 CountEqualBits(Simd256 counts, Simd256 a, Simd256 b) =>
        new() { _lanes = (counts._lanes.AsInt32() - Vector256.Equals(a._lanes.AsInt32(), b._lanes.AsInt32())).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int StoreInside(Simd256 bits, Simd256 low, Simd256 span, Simd256 except, uint* destination)
    {
        var inside = PackInside(bits, low, span) & ~PackEqualBits(bits, except);
        if (inside == 0)
            return 0;
        if (Bmi2.X64.IsSupported)
        {
            // A byte of ones for each lane inside picks the lanes' numbers.
            var lanes = Bmi2.X64.ParallelBitExtract(0x0706050403020100, Bmi2.X64.ParallelBitDeposit(inside, 0x0101010101010101) * byte.MaxValue);
            Avx2.PermuteVar8x32(bits._lanes.AsUInt32(), Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(lanes).AsByte()).AsUInt32()).Store(destination);
            return BitOperations.PopCount(inside);
        }

        var count = 0;
        for (; inside != 0; inside &= inside - 1)
            destination[count++] = bits._lanes.AsUInt32()[BitOperations.TrailingZeroCount(inside)];
        return count;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Simd256 Lower, Simd256 Upper) Interleave(Simd256 a, Simd256 b)
    {
        var (even, odd) = (Avx.UnpackLow(a._lanes, b._lanes), Avx.UnpackHigh(a._lanes, b._lanes));
        return (new() { _lanes = Avx.Permute2x128(even, odd, 0x20) }, new() { _lanes = Avx.Permute2x128(even, odd, 0x31) });
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MinBits(Simd256 a, Simd256 b) => new() { _lanes = Vector256.Min(a._lanes.AsInt32(), b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MaxBits(Simd256 a, Simd256 b) => new() { _lanes = Vector256.Max(a._lanes.AsInt32(), b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MinUnsigned(Simd256 a, Simd256 b) => new() { _lanes = Vector256.Min(a._lanes.AsUInt32(), b._lanes.AsUInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 AddBits(Simd256 a, Simd256 b) => new() { _lanes = (a._lanes.AsInt32() + b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 SubtractBits(Simd256 a, Simd256 b) => new() { _lanes = (a._lanes.AsInt32() - b._lanes.AsInt32()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 ShiftLeft(Simd256 a, [ConstantExpected] int count) => new() { _lanes = (a._lanes.AsInt32() << count).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 ShiftRight(Simd256 a, [ConstantExpected] int count) => new() { _lanes = (a._lanes.AsInt32() >>> count).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 CreateDouble(double value) => new() { _lanes = Vector256.Create(value).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 WidenLower(Simd256 value) => new() { _lanes = Vector256.WidenLower(value._lanes).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 WidenUpper(Simd256 value) => new() { _lanes = Vector256.WidenUpper(value._lanes).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 AddDoubles(Simd256 a, Simd256 b) => new() { _lanes = (a._lanes.AsDouble() + b._lanes.AsDouble()).AsSingle() };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MultiplyDoubles(Simd256 a, Simd256 b) => new() { _lanes = (a._lanes.AsDouble() * b._lanes.AsDouble()).AsSingle() };
}
