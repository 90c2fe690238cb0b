using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>4 counters in a 256-bit register.</summary>
internal readonly struct PhiloxLanes256 : IPhiloxLanes<PhiloxLanes256>
{
    private readonly Vector256<ulong> _lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private PhiloxLanes256(Vector256<ulong> lanes) => _lanes = lanes;

    /// <inheritdoc/>
    public static int Count => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes256 Create(uint value) => new(Vector256.Create(value).AsUInt64());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes256 Counters(ulong first) => new(Vector256.Create(first) + Vector256.Create(0UL, 2UL, 1UL, 3UL));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes256 Multiply(PhiloxLanes256 a, PhiloxLanes256 b) =>
        new(Avx2.Multiply(a._lanes.AsUInt32(), b._lanes.AsUInt32()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes256 High(PhiloxLanes256 a) => new(a._lanes >>> 32);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes256 Xor(PhiloxLanes256 a, PhiloxLanes256 b, PhiloxLanes256 c) => new(a._lanes ^ b._lanes ^ c._lanes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes256 operator ^(PhiloxLanes256 a, PhiloxLanes256 b) => new(a._lanes ^ b._lanes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes256 Limit(uint threshold) => Create((threshold << 8) - 1);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Less(PhiloxLanes256 w0, PhiloxLanes256 w1, PhiloxLanes256 w2, PhiloxLanes256 w3, PhiloxLanes256 limit)
    {
        var (first, second) = Interleave(w0, w1, w2, w3);
        var bound = limit._lanes.AsUInt32();
        var lower = (uint)Vector256.Equals(Vector256.Min(first, bound), first).ExtractMostSignificantBits();
        var upper = (uint)Vector256.Equals(Vector256.Min(second, bound), second).ExtractMostSignificantBits();
        return lower | (upper << 8);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(PhiloxLanes256 w0, PhiloxLanes256 w1, PhiloxLanes256 w2, PhiloxLanes256 w3, uint* draws)
    {
        var (first, second) = Interleave(w0, w1, w2, w3);
        (first >>> 8).Store(draws);
        (second >>> 8).Store(draws + 8);
    }

    /// <summary>The words in element order: those of the first half of the counters, and of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> First, Vector256<uint> Second) Interleave(PhiloxLanes256 w0, PhiloxLanes256 w1, PhiloxLanes256 w2, PhiloxLanes256 w3)
    {
        // A lane of front is (w0, w1) of its counter, a lane of back (w2, w3).
        var low = Vector256.Create((ulong)uint.MaxValue);
        var front = (w0._lanes & low) | (w1._lanes << 32);
        var back = (w2._lanes & low) | (w3._lanes << 32);
        return (Avx2.UnpackLow(front, back).AsUInt32(), Avx2.UnpackHigh(front, back).AsUInt32());
    }
}
