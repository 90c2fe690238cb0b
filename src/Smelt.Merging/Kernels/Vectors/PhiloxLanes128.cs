using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>2 counters in a 128-bit register.</summary>
internal readonly struct PhiloxLanes128 : IPhiloxLanes<PhiloxLanes128>
{
    private readonly Vector128<ulong> _lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private PhiloxLanes128(Vector128<ulong> lanes) => _lanes = lanes;

    /// <inheritdoc/>
    public static int Count => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes128 Create(uint value) => new(Vector128.Create(value).AsUInt64());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes128 Counters(ulong first) => new(Vector128.Create(first) + Vector128.Create(0UL, 1UL));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes128 Multiply(PhiloxLanes128 a, PhiloxLanes128 b)
    {
        if (Sse2.IsSupported)
            return new(Sse2.Multiply(a._lanes.AsUInt32(), b._lanes.AsUInt32()));

        if (AdvSimd.IsSupported)
            return new(AdvSimd.MultiplyWideningLower(AdvSimd.ExtractNarrowingLower(a._lanes), AdvSimd.ExtractNarrowingLower(b._lanes)));

        var low = Vector128.Create((ulong)uint.MaxValue);
        return new((a._lanes & low) * (b._lanes & low));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes128 High(PhiloxLanes128 a) => new(a._lanes >>> 32);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes128 Xor(PhiloxLanes128 a, PhiloxLanes128 b, PhiloxLanes128 c) => new(a._lanes ^ b._lanes ^ c._lanes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes128 operator ^(PhiloxLanes128 a, PhiloxLanes128 b) => new(a._lanes ^ b._lanes);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes128 Limit(uint threshold) => Create((threshold << 8) - 1);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Less(PhiloxLanes128 w0, PhiloxLanes128 w1, PhiloxLanes128 w2, PhiloxLanes128 w3, PhiloxLanes128 limit)
    {
        var (first, second) = Interleave(w0, w1, w2, w3);
        var bound = limit._lanes.AsUInt32();
        var lower = (uint)Vector128.Equals(Vector128.Min(first, bound), first).ExtractMostSignificantBits();
        var upper = (uint)Vector128.Equals(Vector128.Min(second, bound), second).ExtractMostSignificantBits();
        return lower | (upper << 4);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(PhiloxLanes128 w0, PhiloxLanes128 w1, PhiloxLanes128 w2, PhiloxLanes128 w3, uint* draws)
    {
        var (first, second) = Interleave(w0, w1, w2, w3);
        (first >>> 8).Store(draws);
        (second >>> 8).Store(draws + 4);
    }

    /// <summary>The words in element order: those of the first half of the counters, and of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<uint> First, Vector128<uint> Second) Interleave(PhiloxLanes128 w0, PhiloxLanes128 w1, PhiloxLanes128 w2, PhiloxLanes128 w3)
    {
        // A lane of front is (w0, w1) of its counter, a lane of back (w2, w3).
        var low = Vector128.Create((ulong)uint.MaxValue);
        var front = (w0._lanes & low) | (w1._lanes << 32);
        var back = (w2._lanes & low) | (w3._lanes << 32);
        return (Vector128.Create(front.GetElement(0), back.GetElement(0)).AsUInt32(), Vector128.Create(front.GetElement(1), back.GetElement(1)).AsUInt32());
    }
}
