using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>IEEE binary32, as it is.</summary>
internal readonly unsafe struct F32 : IFormat
{
    /// <inheritdoc/>
    public static FloatFormat Format => FloatFormat.F32;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Load<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Load((float*)source + index);

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
        return (
            TSimd.SelectBit(bits, TSimd.LaneBits, Load<TSimd>(source, index), Load<TSimd>(others, index)),
            TSimd.SelectBit(bits, TSimd.LaneBitsAbove, Load<TSimd>(source, index + TSimd.Count), Load<TSimd>(others, index + TSimd.Count)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd BitsOfPair<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> => Load<TSimd>(source, index) | Load<TSimd>(source, index + TSimd.Count);

    /// <inheritdoc/>
    public static int LargeBits => 1 << 30;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd>(TSimd value, void* destination, nint index)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Store(Canonical.Of(value), (float*)destination + index);
}
