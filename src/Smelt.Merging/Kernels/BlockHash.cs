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
            Append(data, bytes.Length);
    }

    /// <summary>As <see cref="Append(ReadOnlySpan{byte})"/>; index of the first of the values that is infinite or NaN, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public nint AppendFinite(RawBlock values, nint n)
    {
        // Weights are rarely as large as 2; where one is, each is looked at.
        var large = values.Format switch
        {
            FloatFormat.BF16 => Bf16.LargeBits,
            FloatFormat.F16 => F16.LargeBits,
            FloatFormat.F32 => F32.LargeBits,
            _ => -1,
        };
        return (Append((byte*)values.Data, (int)n * values.Format.Size()) & (uint)large) == 0 ? -1 : NonFinite.FirstIndex(values, n);
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

    /// <summary>The bits that any 32-bit word of the bytes has, or more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private uint Append(byte* data, int n)
    {
        var last = _done + n == _length;
        _done += n;
        if (!_fast)
        {
            _library.Append(new ReadOnlySpan<byte>(data, n));
            return uint.MaxValue;
        }

        fixed (byte* secret = Secret)
        fixed (ulong* state = _state)
            return Simd.Width == 512 ? Loop512(data, n, last, state, secret) : Loop256(data, n, last, state, secret);
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
    private static uint Loop512(byte* data, int n, bool last, ulong* state, byte* secret)
    {
        var sums = Vector512.Load(state);
        var union = Vector512<uint>.Zero;
        var prime = Vector512.Create((ulong)Prime32A);
        for (var end = data + n; data < end; data += Round)
        {
            var final = last && data + Round == end;
            for (nint stripe = 0; stripe < Stripes - 4; stripe += 4)
            {
                var values = data + (stripe * Stripe);
                var keys = secret + (stripe * sizeof(ulong));
                Stripe512(values, keys, ref union, ref sums);
                Stripe512(values + Stripe, keys + 8, ref union, ref sums);
                Stripe512(values + (2 * Stripe), keys + 16, ref union, ref sums);
                Stripe512(values + (3 * Stripe), keys + 24, ref union, ref sums);
            }

            Stripe512(data + (12 * Stripe), secret + 96, ref union, ref sums);
            Stripe512(data + (13 * Stripe), secret + 104, ref union, ref sums);
            Stripe512(data + (14 * Stripe), secret + 112, ref union, ref sums);
            Stripe512(data + (15 * Stripe), secret + (final ? LastStripeSecret : 120), ref union, ref sums);
            if (!final)
                sums = (sums ^ Vector512.ShiftRightLogical(sums, 47) ^ Vector512.Load((ulong*)(secret + ScrambleSecret))) * prime;
        }

        Vector512.Store(sums, state);
        return Fold(union.GetLower() | union.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stripe512(byte* data, byte* secret, ref Vector512<uint> union, ref Vector512<ulong> sums)
    {
        var value = Vector512.Load((uint*)data);
        var keyed = value ^ Vector512.Load((uint*)secret);
        union |= value;

        // The two terms are added up first: the sum of all stripes then waits for one addition of each.
        sums += Avx512F.Multiply(keyed, Vector512.ShiftRightLogical(keyed.AsUInt64(), 32).AsUInt32()) + Avx512F.Shuffle(value, 0b01_00_11_10).AsUInt64();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint Loop256(byte* data, int n, bool last, ulong* state, byte* secret)
    {
        var sums0 = Vector256.Load(state);
        var sums1 = Vector256.Load(state + 4);
        var union = Vector256<uint>.Zero;
        var prime = Vector256.Create((ulong)Prime32A);
        for (var end = data + n; data < end; data += Round)
        {
            var final = last && data + Round == end;
            for (var stripe = 0; stripe < Stripes; stripe++)
            {
                var key = secret + (final && stripe == Stripes - 1 ? LastStripeSecret : stripe * sizeof(ulong));
                var value0 = Vector256.Load((uint*)(data + (stripe * Stripe)));
                var value1 = Vector256.Load((uint*)(data + (stripe * Stripe) + 32));
                union |= value0 | value1;
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
        return Fold(union);
    }

    private static uint Fold(Vector256<uint> union)
    {
        var half = union.GetLower() | union.GetUpper();
        return half[0] | half[1] | half[2] | half[3];
    }
}
