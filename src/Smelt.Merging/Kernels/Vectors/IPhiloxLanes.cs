namespace Smelt.Merging.Kernels;

/// <summary>64-bit lanes, one counter each, of which only the low 32 bits count: what <see cref="Philox"/> is made of.</summary>
/// <remarks>
/// The lane order is chosen so that the four output words, put together, come out in element order:
/// pairs of neighbouring lanes hold counters that are <see cref="Count"/> / 2 apart.
/// </remarks>
internal interface IPhiloxLanes<TSelf>
    where TSelf : unmanaged, IPhiloxLanes<TSelf>
{
    /// <summary>Number of counters: 8, 4 or 2.</summary>
    static abstract int Count { get; }

    /// <summary><paramref name="value"/> in every lane.</summary>
    static abstract TSelf Create(uint value);

    /// <summary>The 64-bit counters <paramref name="first"/> to <paramref name="first"/> + <see cref="Count"/> - 1, in lane order.</summary>
    static abstract TSelf Counters(ulong first);

    /// <summary>The 64-bit products of the low halves.</summary>
    static abstract TSelf Multiply(TSelf a, TSelf b);

    /// <summary>The high halves, moved down.</summary>
    static abstract TSelf High(TSelf a);

    /// <summary>The low halves, moved up; zeros come in.</summary>
    static abstract TSelf Up(TSelf a);

    /// <summary>a ^ b ^ c, which the JIT makes one instruction of where it is one expression.</summary>
    static abstract TSelf Xor(TSelf a, TSelf b, TSelf c);

    /// <summary>Exclusive or.</summary>
    static abstract TSelf operator ^(TSelf a, TSelf b);

    /// <summary>The largest word that, shifted right by 8, is less than <paramref name="threshold"/>, from 1 to 2^24; for <see cref="Less"/>.</summary>
    static abstract TSelf Limit(uint threshold);

    /// <summary>
    /// Bit 4 c + j tells whether word j of counter c is at most the limit. A lane of <paramref name="front"/> holds word 0 of its counter in the high half
    /// and word 1 in the low one, of <paramref name="back"/> words 2 and 3.
    /// </summary>
    static abstract uint Less(TSelf front, TSelf back, TSelf limit);

    /// <summary>Word 4 c + j of <paramref name="draws"/> becomes word j of counter c, shifted right by 8; the words are as for <see cref="Less"/>.</summary>
    static abstract unsafe void Store(TSelf front, TSelf back, uint* draws);
}
