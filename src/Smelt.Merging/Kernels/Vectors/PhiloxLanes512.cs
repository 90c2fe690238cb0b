using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>8 counters in a 512-bit register.</summary>
internal readonly struct PhiloxLanes512 : IPhiloxLanes<PhiloxLanes512>
{
    /// <summary>Of 128 bits each, dwords 1 and 0 of the first vector and 1 and 0 of the second.</summary>
    private const byte FirstCounter = 0b00_01_00_01;

    /// <summary>Of 128 bits each, dwords 3 and 2 of the first vector and 3 and 2 of the second.</summary>
    private const byte SecondCounter = 0b10_11_10_11;

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
    public static PhiloxLanes512 High(PhiloxLanes512 a) => new(Avx512F.Shuffle(a._lanes.AsUInt32(), 0b11_11_01_01).AsUInt64());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes512 Up(PhiloxLanes512 a) => new(a._lanes << 32);

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
    public static uint Less(PhiloxLanes512 front, PhiloxLanes512 back, PhiloxLanes512 limit)
    {
        var (first, second) = InOrder(front, back);
        var bound = limit._lanes.AsUInt32();
        var lower = (uint)Vector512.LessThanOrEqual(first, bound).ExtractMostSignificantBits();
        var upper = (uint)Vector512.LessThanOrEqual(second, bound).ExtractMostSignificantBits();
        return lower | (upper << 16);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(PhiloxLanes512 front, PhiloxLanes512 back, uint* draws)
    {
        var (first, second) = InOrder(front, back);
        (first >>> 8).Store(draws);
        (second >>> 8).Store(draws + 16);
    }

    /// <summary>The words in element order: those of the first half of the counters, and of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<uint> First, Vector512<uint> Second) InOrder(PhiloxLanes512 front, PhiloxLanes512 back)
    {
        var (a, b) = (front._lanes.AsSingle(), back._lanes.AsSingle());
        return (Avx512F.Shuffle(a, b, FirstCounter).AsUInt32(), Avx512F.Shuffle(a, b, SecondCounter).AsUInt32());
    }
}
