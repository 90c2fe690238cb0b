using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>The two key words of a <see cref="Philox"/> stream.</summary>
/// <param name="K0">First key word.</param>
/// <param name="K1">Second key word.</param>
internal readonly record struct PhiloxKey(uint K0, uint K1)
{
    /// <summary>
    /// The key of an expert under a seed: the 64 bits of the seed, exclusive or the 64-bit hash of the expert's identity,
    /// low half first. With an identity hash of h, K0 = low(seed ^ h), K1 = high(seed ^ h).
    /// </summary>
    internal static PhiloxKey Of(ulong seed, ulong expert) => new((uint)(seed ^ expert), (uint)((seed ^ expert) >> 32));
}

/// <summary>
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC 2011) and the random masks drawn from it.
/// </summary>
/// <remarks>
/// A counter of four words (c0, c1, c2, c3) goes through ten rounds under a key (k0, k1). A round is
/// (c0, c1, c2, c3) := (high(0xCD9E8D57 * c2) ^ c1 ^ k0, low(0xCD9E8D57 * c2), high(0xD2511F53 * c0) ^ c3 ^ k1, low(0xD2511F53 * c0));
/// between rounds k0 grows by 0x9E3779B9 and k1 by 0xBB67AE85. The counter after the last round is the output.
/// <para>
/// Element e of a tensor uses word e % 4 of the output of the counter (low(e / 4), high(e / 4), low(h), high(h)), where h is the
/// <see cref="NameHash"/> of the tensor's name. Its uniform number is u = (word &gt;&gt; 8) * 2^-24, and it is kept iff u is less than the density.
/// So a mask depends on seed, expert, tensor and element only, and the masks of two densities are nested.
/// </para>
/// </remarks>
internal static unsafe class Philox
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Number of the 2^24 values of u that are less than <paramref name="density"/>: 0 for a density of 0 or less, 2^24 for 1 or more.</summary>
    internal static uint Threshold24(double density) => (uint)Math.Ceiling(Math.Clamp(density, 0, 1) * (1 << 24));

    /// <summary>The four output words of one counter.</summary>
    internal static (uint W0, uint W1, uint W2, uint W3) Block(PhiloxKey key, uint c0, uint c1, uint c2, uint c3)
    {
        var (k0, k1) = key;
        for (var round = 0; round < Rounds; round++)
        {
            var p0 = (ulong)Multiplier0 * c0;
            var p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>Writes the mask of elements <paramref name="start"/> to <paramref name="start"/> + <paramref name="n"/> - 1.</summary>
    /// <param name="key">The key, from seed and expert.</param>
    /// <param name="tensor">The <see cref="NameHash"/> of the tensor's name.</param>
    /// <param name="start">Flat index of the first element; a multiple of 64.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="threshold">The density as <see cref="Threshold24"/>.</param>
    /// <param name="bits">Ceiling(n / 64) words; bit e % 64 of word e / 64 is 1 where element start + e is kept. Bits from n on are 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Mask(PhiloxKey key, ulong tensor, long start, nint n, uint threshold, ulong* bits) =>
        Masks(key, tensor, start, n, &threshold, 1, &bits);

    /// <summary>As <see cref="Mask"/>, for several densities that share their uniform numbers.</summary>
    /// <param name="key">The key, from seed and expert.</param>
    /// <param name="tensor">The <see cref="NameHash"/> of the tensor's name.</param>
    /// <param name="start">Flat index of the first element; a multiple of 64.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="thresholds">The densities as <see cref="Threshold24"/>.</param>
    /// <param name="count">Number of densities.</param>
    /// <param name="bits">One mask for each density.</param>
    internal static void Masks(PhiloxKey key, ulong tensor, long start, nint n, uint* thresholds, int count, ulong** bits)
    {
        var words = (n + 63) >> 6;
        var counter = (ulong)start >> 2;
        switch (Simd.Width)
        {
            case 512: Vectors<PhiloxLanes512, No>(key, tensor, counter, words, thresholds, count, bits, null); break;
            case 256: Vectors<PhiloxLanes256, No>(key, tensor, counter, words, thresholds, count, bits, null); break;
            case 128: Vectors<PhiloxLanes128, No>(key, tensor, counter, words, thresholds, count, bits, null); break;
            default: Scalars(key, tensor, counter, words, thresholds, count, bits); break;
        }

        for (var i = 0; i < count && (n & 63) != 0; i++)
            bits[i][words - 1] &= (1UL << (int)(n & 63)) - 1;
    }

    /// <summary>Writes the uniform numbers of elements, times 2^24: what <see cref="Mask"/> compares with a threshold.</summary>
    /// <param name="key">The key, from seed and expert.</param>
    /// <param name="tensor">The <see cref="NameHash"/> of the tensor's name.</param>
    /// <param name="start">Flat index of the first element; a multiple of 4.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="draws">Room for <paramref name="n"/> rounded up to a multiple of 64.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Draw(PhiloxKey key, ulong tensor, long start, nint n, uint* draws)
    {
        var words = (n + 63) >> 6;
        var counter = (ulong)start >> 2;
        switch (Simd.Width)
        {
            case 512: Vectors<PhiloxLanes512, Yes>(key, tensor, counter, words, null, 0, null, draws); break;
            case 256: Vectors<PhiloxLanes256, Yes>(key, tensor, counter, words, null, 0, null, draws); break;
            case 128: Vectors<PhiloxLanes128, Yes>(key, tensor, counter, words, null, 0, null, draws); break;
            default:
                for (nint e = 0; e < words << 6; e += 4, counter++)
                {
                    var (w0, w1, w2, w3) = Block(key, (uint)counter, (uint)(counter >> 32), (uint)tensor, (uint)(tensor >> 32));
                    (draws[e], draws[e + 1], draws[e + 2], draws[e + 3]) = (w0 >> 8, w1 >> 8, w2 >> 8, w3 >> 8);
                }

                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scalars(PhiloxKey key, ulong tensor, ulong counter, nint words, uint* thresholds, int count, ulong** bits)
    {
        for (nint word = 0; word < words; word++)
        {
            for (var i = 0; i < count; i++)
                bits[i][word] = 0;

            for (var block = 0; block < 16; block++, counter++)
            {
                var (w0, w1, w2, w3) = Block(key, (uint)counter, (uint)(counter >> 32), (uint)tensor, (uint)(tensor >> 32));
                for (var i = 0; i < count; i++)
                {
                    var t = thresholds[i];
                    var nibble = (w0 >> 8 < t ? 1UL : 0) | (w1 >> 8 < t ? 2UL : 0) | (w2 >> 8 < t ? 4UL : 0) | (w3 >> 8 < t ? 8UL : 0);
                    bits[i][word] |= nibble << (4 * block);
                }
            }
        }
    }

    /// <summary>
    /// Counters are made in four vectors at once, which hides the multiplier's latency: 128, 64 or 32 elements. Words of masks that
    /// begin beyond the last are cut off.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Vectors<TLanes, TDraws>(PhiloxKey key, ulong tensor, ulong counter, nint words, uint* thresholds, int count, ulong** bits, uint* draws)
        where TLanes : unmanaged, IPhiloxLanes<TLanes>
        where TDraws : IFlag
    {
        var m0 = TLanes.Create(Multiplier0);
        var m1 = TLanes.Create(Multiplier1);
        var name0 = TLanes.Create((uint)tensor);
        var name1 = TLanes.Create((uint)(tensor >> 32));
        var schedule = stackalloc uint[2 * Rounds];
        for (var round = 0; round < Rounds; round++)
        {
            schedule[2 * round] = key.K0 + ((uint)round * Weyl0);
            schedule[(2 * round) + 1] = key.K1 + ((uint)round * Weyl1);
        }

        var size = 4 * TLanes.Count;
        for (nint e = 0; e < words << 6; e += 4 * size)
        {
            // The upper halves of the lanes hold garbage throughout.
            var a0 = TLanes.Counters(counter);
            var b0 = TLanes.Counters(counter + (ulong)TLanes.Count);
            var c0 = TLanes.Counters(counter + (2 * (ulong)TLanes.Count));
            var d0 = TLanes.Counters(counter + (3 * (ulong)TLanes.Count));
            TLanes a1 = TLanes.High(a0), b1 = TLanes.High(b0), c1 = TLanes.High(c0), d1 = TLanes.High(d0);
            TLanes a2 = name0, b2 = name0, c2 = name0, d2 = name0;
            TLanes a3 = name1, b3 = name1, c3 = name1, d3 = name1;
            for (nint round = 0; round < 2 * Rounds; round += 2)
            {
                var key0 = TLanes.Create(schedule[round]);
                var key1 = TLanes.Create(schedule[round + 1]);
                Round(ref a0, ref a1, ref a2, ref a3, m0, m1, key0, key1);
                Round(ref b0, ref b1, ref b2, ref b3, m0, m1, key0, key1);
                Round(ref c0, ref c1, ref c2, ref c3, m0, m1, key0, key1);
                Round(ref d0, ref d1, ref d2, ref d3, m0, m1, key0, key1);
            }

            if (TDraws.Value)
            {
                // There is room for whole words only.
                TLanes.Store(a0, a1, a2, a3, draws + e);
                TLanes.Store(b0, b1, b2, b3, draws + e + size);
                if (4 * size > 64 && e + 64 >= words << 6)
                    break;
                TLanes.Store(c0, c1, c2, c3, draws + e + (2 * size));
                TLanes.Store(d0, d1, d2, d3, draws + e + (3 * size));
            }

            for (var i = 0; i < count; i++)
            {
                var t = thresholds[i];
                var a = (ulong)TLanes.Less(a0, a1, a2, a3, t);
                var b = (ulong)TLanes.Less(b0, b1, b2, b3, t);
                var c = (ulong)TLanes.Less(c0, c1, c2, c3, t);
                var d = (ulong)TLanes.Less(d0, d1, d2, d3, t);
                var word = bits[i] + (e >> 6);
                if (size == 32)
                {
                    word[0] = a | (b << 32);
                    if (e + 64 < words << 6)
                        word[1] = c | (d << 32);
                }
                else
                {
                    var part = a | (b << size) | (c << (2 * size)) | (d << (3 * size));
                    *word = size == 16 || (e & 63) == 0 ? part : *word | (part << (int)(e & 63));
                }
            }

            counter += 4 * (ulong)TLanes.Count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<TLanes>(ref TLanes c0, ref TLanes c1, ref TLanes c2, ref TLanes c3, TLanes m0, TLanes m1, TLanes key0, TLanes key1)
        where TLanes : unmanaged, IPhiloxLanes<TLanes>
    {
        var p0 = TLanes.Multiply(c0, m0);
        var p1 = TLanes.Multiply(c2, m1);
        c0 = TLanes.Xor(TLanes.High(p1), c1, key0);
        c1 = p1;
        c2 = TLanes.Xor(TLanes.High(p0), c3, key1);
        c3 = p0;
    }
}
