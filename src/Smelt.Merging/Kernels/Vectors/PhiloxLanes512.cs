using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>8 counters in a 512-bit register.</summary>
internal readonly struct PhiloxLanes512 : IPhiloxLanes<PhiloxLanes512>
{
    private readonly Vector512<ulong> _lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private PhiloxLanes512(Vector512<ulong> lanes) => _lanes = lanes;

    /// <inheritdoc/>
    public static int Count => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes512 Create(uint value) => new(Vector512.Create(value).AsUInt64());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes512 Counters(ulong first) => new(Vector512.Create(first) + Vector512.Create(0UL, 4UL, 1UL, 5UL, 2UL, 6UL, 3UL, 7UL));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes512 Multiply(PhiloxLanes512 a, PhiloxLanes512 b) =>
        new(Avx512F.Multiply(a._lanes.AsUInt32(), b._lanes.AsUInt32()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes512 High(PhiloxLanes512 a) => new(a._lanes >>> 32);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes512 Xor(PhiloxLanes512 a, PhiloxLanes512 b, PhiloxLanes512 c) => new(a._lanes ^ b._lanes ^ c._lanes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes512 operator ^(PhiloxLanes512 a, PhiloxLanes512 b) => new(a._lanes ^ b._lanes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes512 Limit(uint threshold) => Create((threshold << 8) - 1);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Less(PhiloxLanes512 w0, PhiloxLanes512 w1, PhiloxLanes512 w2, PhiloxLanes512 w3, PhiloxLanes512 limit)
    {
        var (first, second) = Interleave(w0, w1, w2, w3);
        var bound = limit._lanes.AsUInt32();
        var lower = (uint)Vector512.LessThanOrEqual(first, bound).ExtractMostSignificantBits();
        var upper = (uint)Vector512.LessThanOrEqual(second, bound).ExtractMostSignificantBits();
        return lower | (upper << 16);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(PhiloxLanes512 w0, PhiloxLanes512 w1, PhiloxLanes512 w2, PhiloxLanes512 w3, uint* draws)
    {
        var (first, second) = Interleave(w0, w1, w2, w3);
        (first >>> 8).Store(draws);
        (second >>> 8).Store(draws + 16);
    }

    /// <summary>The words in element order: those of the first half of the counters, and of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<uint> First, Vector512<uint> Second) Interleave(PhiloxLanes512 w0, PhiloxLanes512 w1, PhiloxLanes512 w2, PhiloxLanes512 w3)
    {
        // A lane of front is (w0, w1) of its counter, a lane of back (w2, w3).
        var low = Vector512.Create((ulong)uint.MaxValue);
        var front = (w0._lanes & low) | (w1._lanes << 32);
        var back = (w2._lanes & low) | (w3._lanes << 32);
        return (Avx512F.UnpackLow(front, back).AsUInt32(), Avx512F.UnpackHigh(front, back).AsUInt32());
    }
}
