using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>2 counters in a 128-bit register.</summary>
internal readonly struct PhiloxLanes128 : IPhiloxLanes<PhiloxLanes128>
{
    /// <summary>Of 128 bits each, dwords 1 and 0 of the first vector and 1 and 0 of the second.</summary>
    private const byte FirstCounter = 0b00_01_00_01;

    /// <summary>Of 128 bits each, dwords 3 and 2 of the first vector and 3 and 2 of the second.</summary>
    private const byte SecondCounter = 0b10_11_10_11;

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
    public static PhiloxLanes128 Up(PhiloxLanes128 a) => new(a._lanes << 32);

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
    public static uint Less(PhiloxLanes128 front, PhiloxLanes128 back, PhiloxLanes128 limit)
    {
        var (first, second) = InOrder(front, back);
        var bound = limit._lanes.AsUInt32();
        var lower = (uint)Vector128.Equals(Vector128.Min(first, bound), first).ExtractMostSignificantBits();
        var upper = (uint)Vector128.Equals(Vector128.Min(second, bound), second).ExtractMostSignificantBits();
        return lower | (upper << 4);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(PhiloxLanes128 front, PhiloxLanes128 back, uint* draws)
    {
        var (first, second) = InOrder(front, back);
        (first >>> 8).Store(draws);
        (second >>> 8).Store(draws + 4);
    }

    /// <summary>The words in element order: those of the first half of the counters, and of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<uint> First, Vector128<uint> Second) InOrder(PhiloxLanes128 front, PhiloxLanes128 back)
    {
        var (a, b) = (front._lanes.AsUInt32(), back._lanes.AsUInt32());
        if (Sse.IsSupported)
            return (Sse.Shuffle(a.AsSingle(), b.AsSingle(), FirstCounter).AsUInt32(), Sse.Shuffle(a.AsSingle(), b.AsSingle(), SecondCounter).AsUInt32());
        return (Vector128.Create(a[1], a[0], b[1], b[0]), Vector128.Create(a[3], a[2], b[3], b[2]));
    }
}
