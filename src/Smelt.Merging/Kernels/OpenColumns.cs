using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smelt.Merging.Kernels;

/// <summary>Columns of a sub-block that can't be merged yet are set aside: elements at which some expert's magnitude lies where its threshold may be.</summary>
internal static unsafe class OpenColumns
{
    /// <summary>The lowest magnitude of a range that holds none.</summary>
    internal const int NothingLow = int.MaxValue;

    /// <summary>A range that holds no magnitude.</summary>
    internal static readonly MagnitudeRange Nothing = new(NothingLow, 0, int.MaxValue);

    /// <summary>
    /// Copies the marked elements of columns' sources, one after another: element number k of source s goes to place <paramref name="first"/> + k of
    /// <paramref name="columns"/>[s], its index to that place of <paramref name="indices"/>. Returns how many there are; nothing is copied where
    /// they do not all fit.
    /// </summary>
    /// <param name="sources">The sources, all of one size.</param>
    /// <param name="count">Number of sources.</param>
    /// <param name="size">Bytes of an element, 2 or 4.</param>
    /// <param name="marks">The marks.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="offset">What is added to indices.</param>
    /// <param name="indices">Where indices go.</param>
    /// <param name="columns">Where elements go, one row for each source.</param>
    /// <param name="first">The first place.</param>
    /// <param name="most">The number of places; behind them is <see cref="Slack"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int Gather(RawBlock* sources, int count, int size, ulong* marks, nint n, int offset, ushort* indices, void** columns, int first, int most)
    {
        var words = (n + 63) >> 6;
        var marked = 0;
        for (nint word = 0; word < words; word++)
            marked += BitOperations.PopCount(marks[word]);
        if (first + marked > most)
            return marked;
        Places(marks, words, offset, indices + first);
        for (var s = 0; s < count; s++)
        {
            if (size == sizeof(ushort))
                Pick((ushort*)sources[s].Data, indices + first, marked, offset, (ushort*)columns[s] + first);
            else
                Pick((uint*)sources[s].Data, indices + first, marked, offset, (uint*)columns[s] + first);
        }

        return marked;
    }

    /// <summary>Copies the elements of a source whose <paramref name="indices"/>, <paramref name="offset"/> taken off, are given, one after another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Pick<T>(T* source, ushort* indices, nint count, nint offset, T* column)
        where T : unmanaged
    {
        source -= offset;
        nint i = 0;
        for (; i <= count - 4; i += 4)
        {
            var four = *(ulong*)(indices + i);
            column[i] = source[(ushort)four];
            column[i + 1] = source[(ushort)(four >> 16)];
            column[i + 2] = source[(ushort)(four >> 32)];
            column[i + 3] = source[four >> 48];
        }

        for (; i < count; i++)
            column[i] = source[indices[i]];
    }

    /// <summary>Elements that may be written behind the last place.</summary>
    internal const int Slack = 32;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Places(ulong* marks, nint words, int offset, ushort* places)
    {
        if (!Avx512Vbmi2.IsSupported || Simd.Width < 512)
        {
            for (nint word = 0; word < words; word++)
            {
                for (var bits = marks[word]; bits != 0; bits &= bits - 1)
                    *places++ = (ushort)(offset + (word << 6) + BitOperations.TrailingZeroCount(bits));
            }

            return;
        }

        var lanes = Vector512<ushort>.Indices;
        for (nint half = 0; half < 2 * words; half++)
        {
            var bits = ((uint*)marks)[half];
            Vector512.Store(Avx512Vbmi2.Compress(Vector512<ushort>.Zero, Lanes(bits), lanes + Vector512.Create((ushort)(offset + (half * 32)))), places);
            places += BitOperations.PopCount(bits);
        }
    }

    /// <summary>All ones in the lanes whose bits are set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> Lanes(uint bits)
    {
        // The lower half of the bits to the lower half of the lanes, then each lane looks at its own bit.
        var half = Vector512.Create(
            (ushort)0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100, 0x0100,
            0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302, 0x0302);
        var lane = Vector512.Create(
            (ushort)1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768,
            1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
        var halves = Avx512BW.Shuffle(Vector512.Create(bits).AsByte(), half.AsByte()).AsUInt16();
        return ~Vector512.Equals(halves & lane, Vector512<ushort>.Zero);
    }
}

/// <summary>Magnitudes from <paramref name="Low"/> to <paramref name="Low"/> + <paramref name="Span"/>, as their fp32 bits.</summary>
/// <param name="Low">The smallest.</param>
/// <param name="Span">How far the largest is above it.</param>
/// <param name="High">What magnitudes above the range exceed: its largest, or less where it is empty.</param>
internal readonly record struct MagnitudeRange(int Low, int Span, int High);

/// <summary>Which elements of a sub-block can't be merged yet, as it is open whether some expert's delta is kept there.</summary>
internal unsafe struct OpenMarks
{
    /// <summary>For each expert the magnitudes of which it is open. What is above them must be what is kept.</summary>
    internal MagnitudeRange* Ranges;

    /// <summary>Bit e % 64 of word e / 64 is set where it is open; the words are zero at first.</summary>
    internal ulong* Bits;

    /// <summary>Where each expert's number of kept elements is added.</summary>
    internal long* Above;

    /// <summary>For each expert a magnitude; null where none is counted above.</summary>
    internal int* Tops;

    /// <summary>Where each expert's number of elements with magnitudes above <see cref="Tops"/> is added.</summary>
    internal long* Over;
}
