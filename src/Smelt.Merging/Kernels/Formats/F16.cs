using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>IEEE binary16, by integer and fp32 arithmetic: conversion instructions are not offered to vector code on every machine.</summary>
internal readonly unsafe struct F16 : IFormat
{
    /// <inheritdoc/>
    public static FloatFormat Format => FloatFormat.F16;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Load<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> => Widen(TSimd.LoadUInt16((ushort*)source + index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Widen<TSimd>(TSimd half)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var sign = TSimd.ShiftLeft(half & TSimd.CreateBits(0x8000), 16);
        var magnitude = TSimd.ShiftLeft(half & TSimd.CreateBits(0x7FFF), 13);

        // With the exponent field in place a factor of 2^112 corrects the bias, for subnormal halves too, and is exact.
        var value = magnitude * TSimd.CreateBits((127 + 112) << 23);
        var special = TSimd.SelectGreaterBits(
            magnitude, TSimd.CreateBits((0x7C00 << 13) - 1), TSimd.CreateBits(0x7F800000), TSimd.CreateBits(0));
        return value | special | sign;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TSimd First, TSimd Second) LoadPair<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> => (Load<TSimd>(source, index), Load<TSimd>(source, index + TSimd.Count));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TSimd First, TSimd Second) LoadKept<TSimd>(void* source, void* others, nint index, ulong* mask)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var bits = IFormat.MaskBits<TSimd>(mask, index);
        var value = (ushort*)source + index;
        var other = (ushort*)others + index;
        return (
            Widen(TSimd.SelectBit(bits, TSimd.LaneBits, TSimd.LoadUInt16(value), TSimd.LoadUInt16(other))),
            Widen(TSimd.SelectBit(bits, TSimd.LaneBitsAbove, TSimd.LoadUInt16(value + TSimd.Count), TSimd.LoadUInt16(other + TSimd.Count))));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd BitsOfPair<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> => TSimd.Load((float*)((ushort*)source + index));

    /// <inheritdoc/>
    public static int LargeBits => 0x4000_4000;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd>(TSimd value, void* destination, nint index)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var magnitude = value & TSimd.CreateBits(0x7FFFFFFF);
        var sign = TSimd.ShiftRight(value ^ magnitude, 16);

        // Normal halves: change the bias and add half an ulp less one, plus the lowest kept bit. 65520 and above carry into infinity.
        var odd = TSimd.ShiftRight(magnitude, 13) & TSimd.CreateBits(1);
        var normal = TSimd.ShiftRight(TSimd.AddBits(TSimd.AddBits(magnitude, TSimd.CreateBits(((15 - 127) << 23) + 0xFFF)), odd), 13);

        // Subnormal halves: adding 0.5 leaves the fraction at multiples of 2^-24 and lets the addition round.
        var subnormal = TSimd.SubtractBits(magnitude + TSimd.Create(0.5f), TSimd.Create(0.5f));

        var result = TSimd.SelectGreaterBits(TSimd.CreateBits(113 << 23), magnitude, subnormal, normal);
        result = TSimd.SelectGreaterBits(magnitude, TSimd.CreateBits((143 << 23) - 1), TSimd.CreateBits(0x7C00), result) | sign;
        TSimd.StoreUInt16(TSimd.SelectEqual(value, value, result, TSimd.CreateBits(0x7E00)), (ushort*)destination + index);
    }
}
