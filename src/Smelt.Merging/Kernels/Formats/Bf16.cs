using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>bfloat16: the upper half of an fp32 pattern.</summary>
internal readonly unsafe struct Bf16 : IFormat
{
    /// <inheritdoc/>
    public static FloatFormat Format => FloatFormat.BF16;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Load<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.ShiftLeft(TSimd.LoadUInt16((ushort*)source + index), 16);

    /// <summary>Those of even index, then those of odd index: of a little-endian machine's 32-bit words the lower halves, and the upper ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TSimd First, TSimd Second) LoadPair<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var words = TSimd.Load((float*)((ushort*)source + index));
        return (TSimd.ShiftLeft(words, 16), words & TSimd.CreateBits(unchecked((int)0xFFFF0000)));
    }

    /// <summary>As <see cref="LoadPair"/>; elements are chosen while there are two in a lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TSimd First, TSimd Second) LoadKept<TSimd>(void* source, void* others, nint index, ulong* mask)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var words = TSimd.SelectHalves(mask, index, TSimd.Load((float*)((ushort*)source + index)), TSimd.Load((float*)((ushort*)others + index)));
        return (TSimd.ShiftLeft(words, 16), words & TSimd.CreateBits(unchecked((int)0xFFFF0000)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd BitsOfPair<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> => TSimd.Load((float*)((ushort*)source + index));

    /// <inheritdoc/>
    public static int LargeBits => 0x4000_4000;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TSimd Lower, TSimd Upper) InOrder<TSimd>(TSimd first, TSimd second)
        where TSimd : unmanaged, ISimd<TSimd> => TSimd.Interleave(first, second);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TSimd First, TSimd Second) PairBits<TSimd>()
        where TSimd : unmanaged, ISimd<TSimd> => (TSimd.EvenBits, TSimd.ShiftLeft(TSimd.EvenBits, 1));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint InOrder(uint first, uint second, int count) => Spread(first) | (Spread(second) << 1);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint LaneOf(nint element, nint count) => (element >> 1) + ((element & 1) * count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd>(TSimd value, void* destination, nint index)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        // Half an ulp less one, plus the lowest kept bit: ties go to even. Infinity stays, as its lower half is zero.
        var odd = TSimd.ShiftRight(value, 16) & TSimd.CreateBits(1);
        var rounded = TSimd.ShiftRight(TSimd.AddBits(TSimd.AddBits(value, TSimd.CreateBits(0x7FFF)), odd), 16);
        TSimd.StoreUInt16(TSimd.SelectEqual(value, value, rounded, TSimd.CreateBits(0x7FC0)), (ushort*)destination + index);
    }

    /// <summary>Bit i of 16 becomes bit 2 i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Spread(uint bits)
    {
        if (Bmi2.IsSupported)
            return Bmi2.ParallelBitDeposit(bits, 0x55555555);
        bits = (bits | (bits << 8)) & 0x00FF00FF;
        bits = (bits | (bits << 4)) & 0x0F0F0F0F;
        bits = (bits | (bits << 2)) & 0x33333333;
        return (bits | (bits << 1)) & 0x55555555;
    }
}
