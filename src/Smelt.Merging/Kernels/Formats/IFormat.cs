using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>How values of a stored format become fp32 lanes and back. What has a body is for formats whose pairs come in the order of the elements.</summary>
internal unsafe interface IFormat
{
    /// <summary>The format that this type reads and writes.</summary>
    static abstract FloatFormat Format { get; }

    /// <summary>Widens, exactly, the elements <paramref name="index"/>, <paramref name="index"/> + 1, ... of <paramref name="source"/>.</summary>
    static abstract TSimd Load<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd>;

    /// <summary>
    /// Two vectors with the elements from <paramref name="index"/> on, in whatever order is quick: the same one for every call of a format and width.
    /// </summary>
    static abstract (TSimd First, TSimd Second) LoadPair<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd>;

    /// <summary>As <see cref="LoadPair"/>, but of the elements whose bit in <paramref name="mask"/> is 0, those of <paramref name="others"/>.</summary>
    static abstract (TSimd First, TSimd Second) LoadKept<TSimd>(void* source, void* others, nint index, ulong* mask)
        where TSimd : unmanaged, ISimd<TSimd>;

    /// <summary>The stored bits that any element of two such vectors has.</summary>
    static abstract TSimd BitsOfPair<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd>;

    /// <summary>Of <see cref="BitsOfPair"/>, those that magnitudes from 2 on have, infinities and NaNs too, and no others.</summary>
    static abstract int LargeBits { get; }

    /// <summary>The two vectors of <see cref="LoadPair"/>, or what was computed from them, in the order of the elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static virtual (TSimd Lower, TSimd Upper) InOrder<TSimd>(TSimd first, TSimd second)
        where TSimd : unmanaged, ISimd<TSimd> => (first, second);

    /// <summary>Of bits for the elements of two such vectors, lowest first, those of each lane of either.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static virtual (TSimd First, TSimd Second) PairBits<TSimd>()
        where TSimd : unmanaged, ISimd<TSimd> => (TSimd.LaneBits, TSimd.LaneBitsAbove);

    /// <summary>The bits of the lanes of two such vectors of <paramref name="count"/> lanes, in the order of the elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static virtual uint InOrder(uint first, uint second, int count) => first | (second << count);

    /// <summary>The lane of an element of two such vectors; those of the second come after the <paramref name="count"/> of the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static virtual nint LaneOf(nint element, nint count) => element;

    /// <summary>The bits of a mask for the elements of two vectors, lowest first, in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static TSimd MaskBits<TSimd>(ulong* mask, nint index)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Count == 16 ? TSimd.CreateBits(((int*)mask)[index >> 5]) : TSimd.CreateBits((int)(mask[index >> 6] >> (int)index));

    /// <summary>Writes the lanes to the elements from <paramref name="index"/> on, rounded to nearest, ties to even; every NaN becomes the canonical quiet NaN.</summary>
    static abstract void Store<TSimd>(TSimd value, void* destination, nint index)
        where TSimd : unmanaged, ISimd<TSimd>;
}

/// <summary>The canonical NaN: a processor may keep the payload of either operand, so none is allowed to reach memory.</summary>
internal static class Canonical
{
    /// <summary>Bits of the only fp32 NaN that kernels write.</summary>
    internal const int NaN = 0x7FC00000;

    /// <summary>The bits of infinity: magnitudes from here on are those of infinities and NaNs.</summary>
    internal const int Infinity = 0x7F800000;

    /// <summary><paramref name="value"/> with every NaN made canonical.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TSimd Of<TSimd>(TSimd value)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.SelectEqual(value, value, value, TSimd.CreateBits(NaN));

    /// <summary>The bits of |value|, which order as the magnitudes do; every NaN counts as 0x7FC00000, above infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TSimd Magnitude<TSimd>(TSimd value)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.MinBits(value & TSimd.CreateBits(0x7FFFFFFF), TSimd.CreateBits(NaN));
}
