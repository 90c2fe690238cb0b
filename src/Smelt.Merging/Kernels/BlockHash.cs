using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>
/// The XxHash128 of a block of bytes that comes in parts, and on the way a look at whether a value among them is not finite.
/// </summary>
/// <remarks>
/// The library's hash runs at a third of the speed of memory until the runtime has compiled it twice, which for a short
/// merge is never. With vectors of 256 bits or more, blocks of whole kibibytes, which is all but the ends of tensors, go through the loops below; their
/// result is the library's, bit for bit. Everything else goes through the library.
/// </remarks>
internal sealed unsafe class BlockHash
{
    /// <summary>Bytes between two scrambles of the state; parts of a block are multiples of it.</summary>
    private const int Round = 1024;

    private const int Stripe = 64;
    private const int Stripes = Round / Stripe;
    private const int ScrambleSecret = 128;
    private const int LastStripeSecret = 121;
    private const int LowSecret = 11;
    private const int HighSecret = 117;
    private const uint Prime32A = 0x9E3779B1;
    private const uint Prime32B = 0x85EBCA77;
    private const uint Prime32C = 0xC2B2AE3D;
    private const ulong Prime64A = 0x9E3779B185EBCA87;
    private const ulong Prime64B = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime64C = 0x165667B19E3779F9;
    private const ulong Prime64D = 0x85EBCA77C2B2AE63;
    private const ulong Prime64E = 0x27D4EB2F165667C5;

    private readonly XxHash128 _library = new();
    private readonly ulong[] _state = new ulong[Stripe / sizeof(ulong)];
    private long _length;
    private long _done;
    private bool _fast;

    /// <summary>The default secret of the XXH3 specification.</summary>
    private static ReadOnlySpan<byte> Secret =>
    [
        0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb,
        0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
        0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb,
        0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
        0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31,
        0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
        0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc,
        0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
    ];

    /// <summary>Begins a block of <paramref name="length"/> bytes.</summary>
    public void Begin(long length)
    {
        _length = length;
        _done = 0;
        _fast = Simd.Width >= 256 && length > 0 && length % Round == 0;
        _library.Reset();
        ReadOnlySpan<ulong> initial = [Prime32C, Prime64A, Prime64B, Prime64C, Prime64D, Prime32B, Prime64E, Prime32A];
        initial.CopyTo(_state);
    }

    /// <summary>Adds the next bytes: a multiple of 1,024, or all that is left.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
            Append(data, bytes.Length, 0, 0, out _);
    }

    /// <summary>As <see cref="Append(ReadOnlySpan{byte})"/>; index of the first of the values that is infinite or NaN, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public nint AppendFinite(RawBlock values, nint n)
    {
        var bytes = (int)n * values.Format.Size();
        var (exponent, lane) = values.Format switch
        {
            FloatFormat.BF16 => (0x7F80u, 2),
            FloatFormat.F16 => (0x7C00u, 2),
            FloatFormat.F32 => (0x7F800000u, 4),
            _ => (0u, 0),
        };
        var looked = Append((byte*)values.Data, bytes, exponent, lane, out var finite) && lane != 0;
        return looked && finite ? -1 : NonFinite.FirstIndex(values, n);
    }

    /// <summary>The hash of all bytes of the block.</summary>
    public UInt128 End()
    {
        if (_done != _length)
            throw new InvalidOperationException($"{_done} bytes of {_length} were hashed.");
        if (!_fast)
            return _library.GetCurrentHashAsUInt128();
        return new UInt128(
            Merge(HighSecret, ~((ulong)_length * Prime64B)),
            Merge(LowSecret, (ulong)_length * Prime64A));
    }

    /// <summary>Whether the loops below were used, and then whether every lane's exponent has a zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Append(byte* data, int n, uint exponent, int lane, out bool finite)
    {
        finite = true;
        var last = _done + n == _length;
        _done += n;
        if (!_fast)
        {
            _library.Append(new ReadOnlySpan<byte>(data, n));
            return false;
        }

        fixed (byte* secret = Secret)
        fixed (ulong* state = _state)
        {
            finite = (Simd.Width, lane) switch
            {
                (512, 2) => Loop512<Yes, No>(data, n, last, state, secret, exponent),
                (512, 4) => Loop512<No, Yes>(data, n, last, state, secret, exponent),
                (512, _) => Loop512<No, No>(data, n, last, state, secret, exponent),
                (_, 2) => Loop256<Yes, No>(data, n, last, state, secret, exponent),
                (_, 4) => Loop256<No, Yes>(data, n, last, state, secret, exponent),
                _ => Loop256<No, No>(data, n, last, state, secret, exponent),
            };
        }

        return true;
    }

    private ulong Merge(int offset, ulong hash)
    {
        var secret = MemoryMarshal.Cast<byte, ulong>(Secret.Slice(offset, Stripe));
        for (var i = 0; i < _state.Length; i += 2)
        {
            var high = Math.BigMul(_state[i] ^ secret[i], _state[i + 1] ^ secret[i + 1], out var low);
            hash += low ^ high;
        }

        hash ^= hash >> 37;
        hash *= 0x165667919E3779F9;
        return hash ^ (hash >> 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Loop512<THalf, TSingle>(byte* data, int n, bool last, ulong* state, byte* secret, uint exponent)
        where THalf : IFlag
        where TSingle : IFlag
    {
        var sums = Vector512.Load(state);
        var exponents = THalf.Value ? Vector512.Create((ushort)exponent).AsUInt32() : Vector512.Create(exponent);
        var largest = Vector512<uint>.Zero;
        var prime = Vector512.Create((ulong)Prime32A);
        for (var end = data + n; data < end; data += Round)
        {
            var final = last && data + Round == end;
            for (nint stripe = 0; stripe < Stripes - 4; stripe += 4)
            {
                var values = data + (stripe * Stripe);
                var keys = secret + (stripe * sizeof(ulong));
                Stripe512<THalf, TSingle>(values, keys, exponents, ref largest, ref sums);
                Stripe512<THalf, TSingle>(values + Stripe, keys + 8, exponents, ref largest, ref sums);
                Stripe512<THalf, TSingle>(values + (2 * Stripe), keys + 16, exponents, ref largest, ref sums);
                Stripe512<THalf, TSingle>(values + (3 * Stripe), keys + 24, exponents, ref largest, ref sums);
            }

            Stripe512<THalf, TSingle>(data + (12 * Stripe), secret + 96, exponents, ref largest, ref sums);
            Stripe512<THalf, TSingle>(data + (13 * Stripe), secret + 104, exponents, ref largest, ref sums);
            Stripe512<THalf, TSingle>(data + (14 * Stripe), secret + 112, exponents, ref largest, ref sums);
            Stripe512<THalf, TSingle>(data + (15 * Stripe), secret + (final ? LastStripeSecret : 120), exponents, ref largest, ref sums);
            if (!final)
                sums = (sums ^ Vector512.ShiftRightLogical(sums, 47) ^ Vector512.Load((ulong*)(secret + ScrambleSecret))) * prime;
        }

        Vector512.Store(sums, state);
        return THalf.Value ? !Vector512.EqualsAny(largest.AsUInt16(), exponents.AsUInt16())
            : !TSingle.Value || !Vector512.EqualsAny(largest, exponents);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stripe512<THalf, TSingle>(byte* data, byte* secret, Vector512<uint> exponents, ref Vector512<uint> largest, ref Vector512<ulong> sums)
        where THalf : IFlag
        where TSingle : IFlag
    {
        var value = Vector512.Load((uint*)data);
        var keyed = value ^ Vector512.Load((uint*)secret);
        if (THalf.Value)
            largest = Vector512.Max(largest.AsUInt16(), (value & exponents).AsUInt16()).AsUInt32();
        if (TSingle.Value)
            largest = Vector512.Max(largest, value & exponents);

        // The two terms are added up first: the sum of all stripes then waits for one addition of each.
        sums += Avx512F.Multiply(keyed, Vector512.ShiftRightLogical(keyed.AsUInt64(), 32).AsUInt32()) + Avx512F.Shuffle(value, 0b01_00_11_10).AsUInt64();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Loop256<THalf, TSingle>(byte* data, int n, bool last, ulong* state, byte* secret, uint exponent)
        where THalf : IFlag
        where TSingle : IFlag
    {
        var sums0 = Vector256.Load(state);
        var sums1 = Vector256.Load(state + 4);
        var exponents = THalf.Value ? Vector256.Create((ushort)exponent).AsUInt32() : Vector256.Create(exponent);
        var largest = Vector256<uint>.Zero;
        var prime = Vector256.Create((ulong)Prime32A);
        for (var end = data + n; data < end; data += Round)
        {
            var final = last && data + Round == end;
            for (var stripe = 0; stripe < Stripes; stripe++)
            {
                var key = secret + (final && stripe == Stripes - 1 ? LastStripeSecret : stripe * sizeof(ulong));
                var value0 = Vector256.Load((uint*)(data + (stripe * Stripe)));
                var value1 = Vector256.Load((uint*)(data + (stripe * Stripe) + 32));
                if (THalf.Value)
                    largest = Vector256.Max(largest.AsUInt16(), Vector256.Max((value0 & exponents).AsUInt16(), (value1 & exponents).AsUInt16())).AsUInt32();
                if (TSingle.Value)
                    largest = Vector256.Max(largest, Vector256.Max(value0 & exponents, value1 & exponents));
                var keyed0 = value0 ^ Vector256.Load((uint*)key);
                var keyed1 = value1 ^ Vector256.Load((uint*)(key + 32));
                sums0 += Avx2.Multiply(keyed0, Vector256.ShiftRightLogical(keyed0.AsUInt64(), 32).AsUInt32());
                sums1 += Avx2.Multiply(keyed1, Vector256.ShiftRightLogical(keyed1.AsUInt64(), 32).AsUInt32());
                sums0 += Avx2.Shuffle(value0, 0b01_00_11_10).AsUInt64();
                sums1 += Avx2.Shuffle(value1, 0b01_00_11_10).AsUInt64();
            }

            if (!final)
            {
                sums0 = (sums0 ^ Vector256.ShiftRightLogical(sums0, 47) ^ Vector256.Load((ulong*)(secret + ScrambleSecret))) * prime;
                sums1 = (sums1 ^ Vector256.ShiftRightLogical(sums1, 47) ^ Vector256.Load((ulong*)(secret + ScrambleSecret + 32))) * prime;
            }
        }

        Vector256.Store(sums0, state);
        Vector256.Store(sums1, state + 4);
        return THalf.Value ? !Vector256.EqualsAny(largest.AsUInt16(), exponents.AsUInt16())
            : !TSingle.Value || !Vector256.EqualsAny(largest, exponents);
    }
}
