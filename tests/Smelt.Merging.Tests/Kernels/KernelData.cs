using System.Runtime.InteropServices;
using Smelt.Merging.Kernels;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>Native memory of exactly the length asked for, with a guard behind it that <see cref="Dispose"/> checks.</summary>
internal sealed unsafe class Native<T> : IDisposable
    where T : unmanaged
{
    private const byte Guard = 0xA5;
    private const int GuardBytes = 64;

    private readonly nuint _bytes;

    internal Native(int length)
    {
        Length = length;
        _bytes = (nuint)length * (nuint)sizeof(T);
        Pointer = (T*)NativeMemory.AlignedAlloc(_bytes + GuardBytes, 64);
        new Span<byte>(Pointer, (int)_bytes + GuardBytes).Fill(Guard);
    }

    internal Native(ReadOnlySpan<T> values)
        : this(values.Length) => values.CopyTo(Span);

    internal int Length { get; }

    internal T* Pointer { get; }

    internal Span<T> Span => new(Pointer, Length);

    public void Dispose()
    {
        var intact = new ReadOnlySpan<byte>((byte*)Pointer + _bytes, GuardBytes).IndexOfAnyExcept(Guard) < 0;
        NativeMemory.AlignedFree(Pointer);
        Assert.True(intact, "A kernel wrote behind its buffer.");
    }
}

/// <summary>Inputs of kernel tests, and what they mean, written without the kernels.</summary>
internal static class KernelData
{
    internal static readonly int[] Lengths = [0, 1, 15, 16, 17, 31, 33, 511, 512, 513, 4095, 4096, 4097, 65535];

    internal static readonly FloatFormat[] Formats = [FloatFormat.BF16, FloatFormat.F16, FloatFormat.F32, FloatFormat.F64];

    private static readonly float[] Specials =
    [
        0f, -0f, 1f, -1f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -float.Epsilon, float.MaxValue,
        float.MinValue, 1e-40f, -1e-40f, 65504f, 65520f, 6e-8f, 2.9802322e-8f, -6.1e-5f,
        BitConverter.Int32BitsToSingle(0x7F800001), BitConverter.Int32BitsToSingle(unchecked((int)0xFFC12345)), BitConverter.Int32BitsToSingle(0x7FFFFFFF),
    ];

    /// <summary>The vector widths that this machine has.</summary>
    internal static int[] Widths { get; } = [.. new[] { 512, 256, 128, 32 }.Where(w => w <= Simd.WidestWidth)];

    internal static int Bits(float value) => BitConverter.SingleToInt32Bits(value);

    internal static float FromBits(int bits) => BitConverter.Int32BitsToSingle(bits);

    /// <summary>Runs an action at one vector width.</summary>
    internal static void At(int width, Action action)
    {
        Simd.Width = width;
        try
        {
            action();
        }
        finally
        {
            Simd.Width = 0;
        }
    }

    /// <summary>Random values around a scale; of one in <paramref name="special"/> the value is a special one (0: never).</summary>
    internal static float[] Values(Random random, int n, int special = 0, float scale = 1)
    {
        var values = new float[n];
        for (var e = 0; e < n; e++)
        {
            values[e] = special != 0 && random.Next(special) == 0
                ? Specials[random.Next(Specials.Length)]
                : (float)(scale * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5));
        }

        return values;
    }

    /// <summary>Values near others: the expert of a base, unchanged in half of its elements.</summary>
    internal static float[] Near(Random random, float[] values, int special = 0)
    {
        var change = Values(random, values.Length, special, 0.05f);
        var near = new float[values.Length];
        for (var e = 0; e < near.Length; e++)
            near[e] = random.Next(2) == 0 ? values[e] : values[e] + change[e];

        return near;
    }

    /// <summary>The stored form of values.</summary>
    internal static byte[] Encode(float[] values, FloatFormat format)
    {
        var size = format.Size();
        var bytes = new byte[values.Length * size];
        for (var e = 0; e < values.Length; e++)
        {
            var span = bytes.AsSpan(e * size);
            switch (format)
            {
                case FloatFormat.BF16: BitConverter.TryWriteBytes(span, ToBf16(values[e])); break;
                case FloatFormat.F16: BitConverter.TryWriteBytes(span, BitConverter.HalfToUInt16Bits((Half)values[e])); break;
                case FloatFormat.F32: BitConverter.TryWriteBytes(span, Bits(values[e])); break;
                default: BitConverter.TryWriteBytes(span, (double)values[e]); break;
            }
        }

        return bytes;
    }

    /// <summary>What stored elements mean, in fp32.</summary>
    internal static float[] Decode(ReadOnlySpan<byte> bytes, FloatFormat format)
    {
        var values = new float[bytes.Length / format.Size()];
        for (var e = 0; e < values.Length; e++)
        {
            values[e] = format switch
            {
                FloatFormat.BF16 => FromBits(BitConverter.ToUInt16(bytes[(2 * e)..]) << 16),
                FloatFormat.F16 => (float)BitConverter.ToHalf(bytes[(2 * e)..]),
                FloatFormat.F32 => BitConverter.ToSingle(bytes[(4 * e)..]),
                _ => (float)BitConverter.ToDouble(bytes[(8 * e)..]),
            };
        }

        return values;
    }

    /// <summary>bfloat16 by distance, not by carry: the nearer neighbour, the even one in the middle.</summary>
    internal static ushort ToBf16(float value)
    {
        if (float.IsNaN(value))
            return 0x7FC0;

        var bits = (uint)Bits(value);
        if (float.IsInfinity(value))
            return (ushort)(bits >> 16);

        var lower = bits >> 16;
        var upper = lower + 1;
        var distance = Math.Abs((double)value) - Magnitude(lower);
        var other = Magnitude(upper) - Math.Abs((double)value);
        return (ushort)(distance < other || (distance == other && lower % 2 == 0) ? lower : upper);

        static double Magnitude(uint half) =>
            (half & 0x7FFF) == 0x7F80 ? Math.Pow(2, 128) : Math.Abs((double)FromBits((int)(half << 16)));
    }

    /// <summary>What a kernel stores for a value, NaNs made canonical.</summary>
    internal static byte[] Rounded(float[] values, FloatFormat format)
    {
        var bytes = Encode(values, format);
        var size = format.Size();
        for (var e = 0; e < values.Length; e++)
        {
            if (!float.IsNaN(values[e]))
                continue;

            var span = bytes.AsSpan(e * size);
            switch (format)
            {
                case FloatFormat.BF16: BitConverter.TryWriteBytes(span, (ushort)0x7FC0); break;
                case FloatFormat.F16: BitConverter.TryWriteBytes(span, (ushort)0x7E00); break;
                case FloatFormat.F32: BitConverter.TryWriteBytes(span, 0x7FC00000); break;
                default: BitConverter.TryWriteBytes(span, 0x7FF8000000000000); break;
            }
        }

        return bytes;
    }

    /// <summary>Fails, naming the first element, unless the bits are equal but for the NaNs of the expected, which must be canonical.</summary>
    internal static void AssertSame(float[] expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var e = 0; e < expected.Length; e++)
        {
            var wanted = float.IsNaN(expected[e]) ? 0x7FC00000 : Bits(expected[e]);
            if (wanted != Bits(actual[e]))
                Assert.Fail($"{what}: element {e} is {actual[e]:R} (0x{Bits(actual[e]):X8}), expected {expected[e]:R} (0x{wanted:X8}).");
        }
    }
}
