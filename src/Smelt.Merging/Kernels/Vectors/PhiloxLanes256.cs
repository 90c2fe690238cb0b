using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>4 counters in a 256-bit register.</summary>
internal readonly struct PhiloxLanes256 : IPhiloxLanes<PhiloxLanes256>
{
    /// <summary>Of 128 bits each, dwords 1 and 0 of the first vector and 1 and 0 of the second.</summary>
    private const byte FirstCounter = 0b00_01_00_01;

    /// <summary>Of 128 bits each, dwords 3 and 2 of the first vector and 3 and 2 of the second.</summary>
    private const byte SecondCounter = 0b10_11_10_11;

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
    public static PhiloxLanes256 High(PhiloxLanes256 a) => new(Avx2.Shuffle(a._lanes.AsUInt32(), 0b11_11_01_01).AsUInt64());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLanes256 Up(PhiloxLanes256 a) => new(a._lanes << 32);

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
    public static uint Less(PhiloxLanes256 front, PhiloxLanes256 back, PhiloxLanes256 limit)
    {
        var (first, second) = InOrder(front, back);
        var bound = limit._lanes.AsUInt32();
        var lower = (uint)Vector256.Equals(Vector256.Min(first, bound), first).ExtractMostSignificantBits();
        var upper = (uint)Vector256.Equals(Vector256.Min(second, bound), second).ExtractMostSignificantBits();
        return lower | (upper << 8);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(PhiloxLanes256 front, PhiloxLanes256 back, uint* draws)
    {
        var (first, second) = InOrder(front, back);
        (first >>> 8).Store(draws);
        (second >>> 8).Store(draws + 8);
    }

    /// <summary>The words in element order: those of the first half of the counters, and of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> First, Vector256<uint> Second) InOrder(PhiloxLanes256 front, PhiloxLanes256 back)
    {
        var (a, b) = (front._lanes.AsSingle(), back._lanes.AsSingle());
        return (Avx.Shuffle(a, b, FirstCounter).AsUInt32(), Avx.Shuffle(a, b, SecondCounter).AsUInt32());
    }
}
