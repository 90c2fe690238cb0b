namespace Smelt.Merging.Kernels;

/// <summary>
/// A place in the order of magnitudes (largest first; of equal ones the lowest flat index first): an element is in the top
/// iff bits(|d|) &gt; <paramref name="Bits"/>, or they are equal and its flat index is at most <paramref name="LastEqual"/>.
/// </summary>
/// <param name="Bits">The fp32 pattern of the threshold magnitude, sign cleared.</param>
/// <param name="LastEqual">Flat index, in the tensor, of the last element in the top among those equal to the threshold.</param>
internal readonly record struct Cut(uint Bits, long LastEqual)
{
    /// <summary>Everything is in the top.</summary>
    internal static Cut All => new(0, long.MaxValue);

    /// <summary>Nothing is in the top, not even a NaN.</summary>
    internal static Cut None => new(int.MaxValue, -1);

    /// <summary>Everything at the threshold magnitude or above it is in the top.</summary>
    internal static Cut AtThreshold(uint bits) => new(bits, long.MaxValue);

    /// <summary>The same cut with flat indices counted from <paramref name="first"/> on.</summary>
    internal Cut From(long first) => LastEqual is < 0 or long.MaxValue ? this : this with { LastEqual = Math.Max(-1, LastEqual - first) };

    /// <summary>
    /// The signed integer that the magnitude bits of a top element exceed, for elements whose flat indices
    /// lie all on one side of <see cref="LastEqual"/>; <paramref name="flat"/> is one of them.
    /// </summary>
    internal int Below(long flat) => flat <= LastEqual ? (int)Bits - 1 : (int)Bits;
}
