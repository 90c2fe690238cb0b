namespace Smelt.Merging.Kernels;

/// <summary>
/// A row of 32-bit lanes: the one vocabulary that every kernel is written in, so that one source serves every vector width.
/// </summary>
/// <remarks>
/// Lanes hold a float or, for the members that say Bits, the same 32 bits as a signed integer. A comparison and what is done with it
/// are one member, as a mask that is a value of its own costs instructions where masks have registers of their own.
/// Every operation works on each lane alone and rounds once, so a width never shows in a result. A fused multiply-add is here for
/// <see cref="ConstantDivision"/> alone, whose result is that of a division whether it has one or not; sums and products never use it.
/// </remarks>
internal unsafe interface ISimd<TSelf>
    where TSelf : unmanaged, ISimd<TSelf>
{
    /// <summary>Number of lanes: 16, 8, 4 or 1.</summary>
    static abstract int Count { get; }

    /// <summary><paramref name="value"/> in every lane.</summary>
    static abstract TSelf Create(float value);

    /// <summary>The pattern <paramref name="bits"/> in every lane.</summary>
    static abstract TSelf CreateBits(int bits);

    /// <summary>Reads <see cref="Count"/> floats; no alignment is needed.</summary>
    static abstract TSelf Load(float* source);

    /// <summary>Writes <see cref="Count"/> floats.</summary>
    static abstract void Store(TSelf value, float* destination);

    /// <summary>Reads <see cref="Count"/> 16-bit patterns, each zero-extended to a lane.</summary>
    static abstract TSelf LoadUInt16(ushort* source);

    /// <summary>Writes the lanes, which hold integers of 0 to 65,535, as 16-bit patterns.</summary>
    static abstract void StoreUInt16(TSelf value, ushort* destination);

    /// <summary>a + b.</summary>
    static abstract TSelf operator +(TSelf a, TSelf b);

    /// <summary>a - b.</summary>
    static abstract TSelf operator -(TSelf a, TSelf b);

    /// <summary>a * b.</summary>
    static abstract TSelf operator *(TSelf a, TSelf b);

    /// <summary>a / b, correctly rounded.</summary>
    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>Whether <see cref="MultiplyAdd"/> is an instruction.</summary>
    static abstract bool HasMultiplyAdd { get; }

    /// <summary>a * b + c, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>c - a * b, rounded once.</summary>
    static abstract TSelf MultiplySubtract(TSelf a, TSelf b, TSelf c);

    /// <summary>Bitwise and.</summary>
    static abstract TSelf operator &(TSelf a, TSelf b);

    /// <summary>Bitwise or.</summary>
    static abstract TSelf operator |(TSelf a, TSelf b);

    /// <summary>Bitwise exclusive or.</summary>
    static abstract TSelf operator ^(TSelf a, TSelf b);

    /// <summary>The larger of two floats. With a NaN, or zeros of both signs, the result is either operand: callers must not depend on it.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary><paramref name="sum"/>, plus <paramref name="addend"/> where <paramref name="value"/> is more than 0; a sum of -0 may become +0.</summary>
    static abstract TSelf AddWherePositive(TSelf sum, TSelf value, TSelf addend);

    /// <summary><paramref name="yes"/> where a &gt; b as floats, else, and where either is NaN, <paramref name="no"/>.</summary>
    static abstract TSelf SelectGreater(TSelf a, TSelf b, TSelf yes, TSelf no);

    /// <summary><paramref name="yes"/> where a == b as floats, else, and where either is NaN, <paramref name="no"/>.</summary>
    static abstract TSelf SelectEqual(TSelf a, TSelf b, TSelf yes, TSelf no);

    /// <summary><paramref name="yes"/> where a &gt; b as signed integers, else <paramref name="no"/>.</summary>
    static abstract TSelf SelectGreaterBits(TSelf a, TSelf b, TSelf yes, TSelf no);

    /// <summary><paramref name="yes"/> in the lanes l where bit l of <paramref name="bits"/> is set, else <paramref name="no"/>; higher bits are ignored.</summary>
    static abstract TSelf SelectBits(uint bits, TSelf yes, TSelf no);

    /// <summary>Bit l in lane l.</summary>
    static abstract TSelf LaneBits { get; }

    /// <summary>Bit l + <see cref="Count"/> in lane l.</summary>
    static abstract TSelf LaneBitsAbove { get; }

    /// <summary>Bit 2 l in lane l.</summary>
    static abstract TSelf EvenBits { get; }

    /// <summary><paramref name="yes"/> where <paramref name="bits"/> has the one bit of <paramref name="bit"/>, else <paramref name="no"/>.</summary>
    static abstract TSelf SelectBit(TSelf bits, TSelf bit, TSelf yes, TSelf no);

    /// <summary>
    /// Of the 2 * <see cref="Count"/> 16-bit halves, lowest first, those of <paramref name="yes"/> where <paramref name="mask"/> has bit
    /// <paramref name="index"/>, index + 1, ..., else those of <paramref name="no"/>; index is a multiple of their number.
    /// </summary>
    static abstract TSelf SelectHalves(ulong* mask, nint index, TSelf yes, TSelf no);

    /// <summary>Whether a and b have a bit in common in any lane.</summary>
    static abstract bool AnyCommonBits(TSelf a, TSelf b);

    /// <summary>Bit l tells whether a &gt; b as floats in lane l; false where either is NaN.</summary>
    static abstract uint PackGreater(TSelf a, TSelf b);

    /// <summary>Bit l tells whether a == b as floats in lane l; false where either is NaN.</summary>
    static abstract uint PackEqual(TSelf a, TSelf b);

    /// <summary>Bit l tells whether a &gt; b as signed integers in lane l.</summary>
    static abstract uint PackGreaterBits(TSelf a, TSelf b);

    /// <summary>Bit l tells whether a == b as integers in lane l.</summary>
    static abstract uint PackEqualBits(TSelf a, TSelf b);

    /// <summary>Bit l tells whether lane l is neither below <paramref name="low"/> nor more than <paramref name="span"/> above it, all of them integers that are not negative.</summary>
    static abstract uint PackInside(TSelf bits, TSelf low, TSelf span);

    /// <summary><paramref name="counts"/>, plus 1 in the lanes where a &gt; b as signed integers.</summary>
    static abstract TSelf CountGreaterBits(TSelf counts, TSelf a, TSelf b);

    /// <summary><paramref name="counts"/>, plus 1 in the lanes where a == b as integers.</summary>
    static abstract TSelf CountEqualBits(TSelf counts, TSelf a, TSelf b);

    /// <summary>
    /// Writes the lanes that are neither below <paramref name="low"/> nor more than <paramref name="span"/> above it, all of them integers
    /// that are not negative, and not <paramref name="except"/>, one after another; there is room for <see cref="Count"/>. Returns how many there are.
    /// </summary>
    static abstract int StoreInside(TSelf bits, TSelf low, TSelf span, TSelf except, uint* destination);

    /// <summary>a0 b0 a1 b1 ..., in two vectors.</summary>
    static abstract (TSelf Lower, TSelf Upper) Interleave(TSelf a, TSelf b);

    /// <summary>The smaller of two signed integers.</summary>
    static abstract TSelf MinBits(TSelf a, TSelf b);

    /// <summary>The larger of two signed integers.</summary>
    static abstract TSelf MaxBits(TSelf a, TSelf b);

    /// <summary>The smaller of two unsigned integers.</summary>
    static abstract TSelf MinUnsigned(TSelf a, TSelf b);

    /// <summary>Integer sum, wrapping.</summary>
    static abstract TSelf AddBits(TSelf a, TSelf b);

    /// <summary>Integer difference, wrapping.</summary>
    static abstract TSelf SubtractBits(TSelf a, TSelf b);

    /// <summary>Shift to the left.</summary>
    static abstract TSelf ShiftLeft(TSelf a, [System.Diagnostics.CodeAnalysis.ConstantExpected] int count);

    /// <summary>Shift to the right, zeros come in.</summary>
    static abstract TSelf ShiftRight(TSelf a, [System.Diagnostics.CodeAnalysis.ConstantExpected] int count);
}
