using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

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
    internal static void Mask(PhiloxKey key, ulong tensor, long start, nint n, uint threshold, ulong* bits)
    {
        var words = (n + 63) >> 6;
        if (threshold == 0)
            new Span<ulong>(bits, (int)words).Clear();
        else
            Run<No>(key, tensor, (ulong)start >> 2, words, threshold, bits, null);
        if ((n & 63) != 0)
            bits[words - 1] &= (1UL << (int)(n & 63)) - 1;
    }

    /// <summary>Writes the uniform numbers of elements, times 2^24: what <see cref="Mask"/> compares with a threshold.</summary>
    /// <param name="key">The key, from seed and expert.</param>
    /// <param name="tensor">The <see cref="NameHash"/> of the tensor's name.</param>
    /// <param name="start">Flat index of the first element; a multiple of 4.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="draws">Room for <paramref name="n"/> rounded up to a multiple of 64.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Draw(PhiloxKey key, ulong tensor, long start, nint n, uint* draws) =>
        Run<Yes>(key, tensor, (ulong)start >> 2, (n + 63) >> 6, 0, null, draws);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TDraws>(PhiloxKey key, ulong tensor, ulong counter, nint words, uint threshold, ulong* bits, uint* draws)
        where TDraws : IFlag
    {
        // Vectors take the high half of the counter as the same for all. Once in 2^34 elements it is not.
        var last = counter + (16 * (ulong)words) - 1;
        switch (counter >> 32 == last >> 32 ? Simd.Width : 0)
        {
            case 512: Vectors<PhiloxLanes512, Yes, TDraws>(key, tensor, counter, words, threshold, bits, draws); break;
            case 256 when Avx512F.VL.IsSupported: Vectors<PhiloxLanes256, Yes, TDraws>(key, tensor, counter, words, threshold, bits, draws); break;
            case 256: Vectors<PhiloxLanes256, No, TDraws>(key, tensor, counter, words, threshold, bits, draws); break;
            case 128 when Avx512F.VL.IsSupported || AdvSimd.IsSupported: Vectors<PhiloxLanes128, Yes, TDraws>(key, tensor, counter, words, threshold, bits, draws); break;
            case 128: Vectors<PhiloxLanes128, No, TDraws>(key, tensor, counter, words, threshold, bits, draws); break;
            default: Scalars<TDraws>(key, tensor, counter, words, threshold, bits, draws); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scalars<TDraws>(PhiloxKey key, ulong tensor, ulong counter, nint words, uint threshold, ulong* bits, uint* draws)
        where TDraws : IFlag
    {
        for (nint e = 0; e < words << 6; e += 4, counter++)
        {
            var (w0, w1, w2, w3) = Block(key, (uint)counter, (uint)(counter >> 32), (uint)tensor, (uint)(tensor >> 32));
            if (TDraws.Value)
            {
                (draws[e], draws[e + 1], draws[e + 2], draws[e + 3]) = (w0 >> 8, w1 >> 8, w2 >> 8, w3 >> 8);
                continue;
            }

            var nibble = (w0 >> 8 < threshold ? 1UL : 0) | (w1 >> 8 < threshold ? 2UL : 0) | (w2 >> 8 < threshold ? 4UL : 0) | (w3 >> 8 < threshold ? 8UL : 0);
            var word = bits + (e >> 6);
            *word = ((e & 63) == 0 ? 0 : *word) | (nibble << (int)(e & 63));
        }
    }

    /// <summary>
    /// Counters are made in four vectors at once, or in three where there are only 16 registers, which hides the multiplier's latency. Vectors beyond
    /// the last word are cut off.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Vectors<TLanes, TFour, TDraws>(PhiloxKey key, ulong tensor, ulong counter, nint words, uint threshold, ulong* bits, uint* draws)
        where TLanes : unmanaged, IPhiloxLanes<TLanes>
        where TFour : IFlag
        where TDraws : IFlag
    {
        var m0 = TLanes.Create(Multiplier0);
        var m1 = TLanes.Create(Multiplier1);
        var schedule = stackalloc uint[2 * Rounds];
        for (var round = 0; round < Rounds; round++)
        {
            schedule[2 * round] = key.K0 + ((uint)round * Weyl0);
            schedule[(2 * round) + 1] = key.K1 + ((uint)round * Weyl1);
        }

        // All counters here are alike but for their first word, so that half of the first two rounds is the same for all: with (c0, c1, c2, c3) before,
        // c0 and c1 after the first round, c3 after the second, and what is added to the other words by exclusive or.
        var first = (ulong)Multiplier1 * (uint)tensor;
        var second = (ulong)Multiplier0 * ((uint)(first >> 32) ^ (uint)(counter >> 32) ^ schedule[0]);
        var common = new Common<TLanes>(
            TLanes.Create((uint)(tensor >> 32) ^ schedule[1]),
            TLanes.Create((uint)first ^ schedule[2]),
            TLanes.Create((uint)(second >> 32) ^ schedule[3]),
            TLanes.Create((uint)second));

        var last0 = TLanes.Up(TLanes.Create(schedule[2 * (Rounds - 1)]));
        var last1 = TLanes.Up(TLanes.Create(schedule[(2 * Rounds) - 1]));
        var limit = TLanes.Limit(threshold);
        var size = 4 * TLanes.Count;
        var step = TFour.Value ? 4 * size : 3 * size;
        var end = words << 6;
        for (nint e = 0; e < end; e += step)
        {
            // The upper halves of the lanes hold garbage throughout.
            Begin(counter, m0, m1, common, out var a0, out var a1, out var a2, out var a3);
            Begin(counter + (ulong)TLanes.Count, m0, m1, common, out var b0, out var b1, out var b2, out var b3);
            Begin(counter + (2 * (ulong)TLanes.Count), m0, m1, common, out var c0, out var c1, out var c2, out var c3);
            TLanes d0 = a0, d1 = a1, d2 = a2, d3 = a3;
            if (TFour.Value)
                Begin(counter + (3 * (ulong)TLanes.Count), m0, m1, common, out d0, out d1, out d2, out d3);

            for (nint round = 4; round < 2 * (Rounds - 1); round += 2)
            {
                var key0 = TLanes.Create(schedule[round]);
                var key1 = TLanes.Create(schedule[round + 1]);
                Round(ref a0, ref a1, ref a2, ref a3, m0, m1, key0, key1);
                Round(ref b0, ref b1, ref b2, ref b3, m0, m1, key0, key1);
                Round(ref c0, ref c1, ref c2, ref c3, m0, m1, key0, key1);
                if (TFour.Value)
                    Round(ref d0, ref d1, ref d2, ref d3, m0, m1, key0, key1);
            }

            End(ref a0, a1, ref a2, a3, m0, m1, last0, last1);
            End(ref b0, b1, ref b2, b3, m0, m1, last0, last1);
            End(ref c0, c1, ref c2, c3, m0, m1, last0, last1);
            if (TFour.Value)
                End(ref d0, d1, ref d2, d3, m0, m1, last0, last1);

            counter += (ulong)step / 4;
            Write<TLanes, TDraws>(a0, a2, limit, e, bits, draws);
            if (e + size < end)
                Write<TLanes, TDraws>(b0, b2, limit, e + size, bits, draws);
            if (e + (2 * size) < end)
                Write<TLanes, TDraws>(c0, c2, limit, e + (2 * size), bits, draws);
            if (TFour.Value && e + (3 * size) < end)
                Write<TLanes, TDraws>(d0, d2, limit, e + (3 * size), bits, draws);
        }
    }

    /// <summary>Writes what a vector of counters made, from element <paramref name="e"/> on; of masks a word, a half, a quarter or an eighth of one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write<TLanes, TDraws>(TLanes front, TLanes back, TLanes limit, nint e, ulong* bits, uint* draws)
        where TLanes : unmanaged, IPhiloxLanes<TLanes>
        where TDraws : IFlag
    {
        if (TDraws.Value)
        {
            TLanes.Store(front, back, draws + e);
            return;
        }

        var less = TLanes.Less(front, back, limit);
        var place = (byte*)bits + (e >> 3);
        switch (TLanes.Count)
        {
            case 8: *(uint*)place = less; break;
            case 4: *(ushort*)place = (ushort)less; break;
            default: *place = (byte)less; break;
        }
    }

    /// <summary>The first two rounds of the counters from <paramref name="counter"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Begin<TLanes>(ulong counter, TLanes m0, TLanes m1, in Common<TLanes> common, out TLanes c0, out TLanes c1, out TLanes c2, out TLanes c3)
        where TLanes : unmanaged, IPhiloxLanes<TLanes>
    {
        var p0 = TLanes.Multiply(TLanes.Counters(counter), m0);
        var p1 = TLanes.Multiply(TLanes.High(p0) ^ common.First2, m1);
        c0 = TLanes.High(p1) ^ common.Second0;
        c1 = p1;
        c2 = p0 ^ common.Second2;
        c3 = common.Second3;
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

    /// <summary>The last round: words 0 and 1 in the high and low halves of <paramref name="c0"/>, 2 and 3 in those of <paramref name="c2"/>, as the products have them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End<TLanes>(ref TLanes c0, TLanes c1, ref TLanes c2, TLanes c3, TLanes m0, TLanes m1, TLanes key0, TLanes key1)
        where TLanes : unmanaged, IPhiloxLanes<TLanes>
    {
        var p0 = TLanes.Multiply(c0, m0);
        var p1 = TLanes.Multiply(c2, m1);
        c0 = TLanes.Xor(p1, TLanes.Up(c1), key0);
        c2 = TLanes.Xor(p0, TLanes.Up(c3), key1);
    }

    /// <summary>What the first two rounds have in common for all counters of a tensor.</summary>
    /// <param name="First2">Added to the third word in the first round.</param>
    /// <param name="Second0">Added to the first word in the second round.</param>
    /// <param name="Second2">Added to the third word in the second round.</param>
    /// <param name="Second3">The fourth word after the second round.</param>
    private readonly record struct Common<TLanes>(TLanes First2, TLanes Second0, TLanes Second2, TLanes Second3);
}
