using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>One lane in a plain float: the tails of every kernel, and machines without vectors.</summary>
internal readonly unsafe struct SimdScalar : ISimd<SimdScalar>
{
    private readonly float _lane;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private SimdScalar(float lane) => _lane = lane;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private SimdScalar(int bits) => _lane = BitConverter.Int32BitsToSingle(bits);

    private int Bits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BitConverter.SingleToInt32Bits(_lane);
    }

    /// <inheritdoc/>
    public static int Count => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Create(float value) => new(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar CreateBits(int bits) => new(bits);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Load(float* source) => new(*source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(SimdScalar value, float* destination) => *destination = value._lane;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar LoadUInt16(ushort* source) => new((int)*source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreUInt16(SimdScalar value, ushort* destination) => *destination = (ushort)value.Bits;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator +(SimdScalar a, SimdScalar b) => new(a._lane + b._lane);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator -(SimdScalar a, SimdScalar b) => new(a._lane - b._lane);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator *(SimdScalar a, SimdScalar b) => new(a._lane * b._lane);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator /(SimdScalar a, SimdScalar b) => new(a._lane / b._lane);

    /// <inheritdoc/>
    public static bool HasMultiplyAdd => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar MultiplyAdd(SimdScalar a, SimdScalar b, SimdScalar c) => new(MathF.FusedMultiplyAdd(a._lane, b._lane, c._lane));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar MultiplySubtract(SimdScalar a, SimdScalar b, SimdScalar c) => new(MathF.FusedMultiplyAdd(-a._lane, b._lane, c._lane));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator &(SimdScalar a, SimdScalar b) => new(a.Bits & b.Bits);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator |(SimdScalar a, SimdScalar b) => new(a.Bits | b.Bits);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator ^(SimdScalar a, SimdScalar b) => new(a.Bits ^ b.Bits);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Max(SimdScalar a, SimdScalar b) => a._lane > b._lane ? a : b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar SelectGreater(SimdScalar a, SimdScalar b, SimdScalar yes, SimdScalar no) => a._lane > b._lane ? yes : no;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar AddWherePositive(SimdScalar sum, SimdScalar value, SimdScalar addend) => value._lane > 0 ? sum + addend : sum;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar SelectEqual(SimdScalar a, SimdScalar b, SimdScalar yes, SimdScalar no) => a._lane == b._lane ? yes : no;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar SelectGreaterBits(SimdScalar a, SimdScalar b, SimdScalar yes, SimdScalar no) => a.Bits > b.Bits ? yes : no;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar SelectBits(uint bits, SimdScalar yes, SimdScalar no) => (bits & 1) != 0 ? yes : no;

    /// <inheritdoc/>
    public static SimdScalar LaneBits => new(1);

    /// <inheritdoc/>
    public static SimdScalar LaneBitsAbove
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ShiftLeft(LaneBits, 1);
    }

    /// <inheritdoc/>
    public static SimdScalar EvenBits => new(1);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar SelectBit(SimdScalar bits, SimdScalar bit, SimdScalar yes, SimdScalar no) => (bits.Bits & bit.Bits) != 0 ? yes : no;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar SelectHalves(ulong* mask, nint index, SimdScalar yes, SimdScalar no)
    {
        var bits = (int)(mask[index >> 6] >> (int)index);
        var chosen = (-(bits & 1) & 0xFFFF) | (-((bits >> 1) & 1) << 16);
        return new((yes.Bits & chosen) | (no.Bits & ~chosen));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyCommonBits(SimdScalar a, SimdScalar b) => (a.Bits & b.Bits) != 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackGreater(SimdScalar a, SimdScalar b) => a._lane > b._lane ? 1u : 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackEqual(SimdScalar a, SimdScalar b) => a._lane == b._lane ? 1u : 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackGreaterBits(SimdScalar a, SimdScalar b) => a.Bits > b.Bits ? 1u : 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackEqualBits(SimdScalar a, SimdScalar b) => a.Bits == b.Bits ? 1u : 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PackInside(SimdScalar bits, SimdScalar low, SimdScalar span) => (uint)(bits.Bits - low.Bits) <= (uint)span.Bits ? 1u : 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar CountGreaterBits(SimdScalar counts, SimdScalar a, SimdScalar b) => new(counts.Bits + (a.Bits > b.Bits ? 1 : 0));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar CountEqualBits(SimdScalar counts, SimdScalar a, SimdScalar b) => new(counts.Bits + (a.Bits == b.Bits ? 1 : 0));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int StoreInside(SimdScalar bits, SimdScalar low, SimdScalar span, SimdScalar except, uint* destination)
    {
        *destination = (uint)bits.Bits;
        return PackInside(bits, low, span) != 0 && bits.Bits != except.Bits ? 1 : 0;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (SimdScalar Lower, SimdScalar Upper) Interleave(SimdScalar a, SimdScalar b) => (a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar MinBits(SimdScalar a, SimdScalar b) => new(Math.Min(a.Bits, b.Bits));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar MaxBits(SimdScalar a, SimdScalar b) => new(Math.Max(a.Bits, b.Bits));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar MinUnsigned(SimdScalar a, SimdScalar b) => new((int)Math.Min((uint)a.Bits, (uint)b.Bits));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar AddBits(SimdScalar a, SimdScalar b) => new(a.Bits + b.Bits);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar SubtractBits(SimdScalar a, SimdScalar b) => new(a.Bits - b.Bits);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar ShiftLeft(SimdScalar a, [ConstantExpected] int count) => new(a.Bits << count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar ShiftRight(SimdScalar a, [ConstantExpected] int count) => new(a.Bits >>> count);
}
