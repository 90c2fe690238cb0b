using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// The exact order of the magnitudes of a row, without sorting more of it than is asked for: elements are dealt into places
/// of rising magnitude, about two to each, and only inside a place is looked at which is larger. One worker's buffers.
/// </summary>
/// <remarks>
/// Places are even steps of magnitude up to four times the mean; zeros have the first to themselves, outliers and NaNs share
/// the last. How well they spread the elements shows in the time alone.
/// </remarks>
internal sealed unsafe class RowOrder
{
    private const int MostPlaces = 1 << 14;
    private const int FewMembers = 32;
    private const float Reach = 4;
    private const int Whole = 0x4B000000;

    private readonly uint* _codes;
    private readonly int* _places;
    private readonly int* _starts;
    private readonly int* _next;
    private readonly ulong* _keys;
    private readonly Array[] _memory;
    private float* _deltas;
    private int _n;
    private int _count;

    /// <param name="longest">The most elements of a row.</param>
    internal RowOrder(int longest)
    {
        Longest = longest;
        var places = PlacesOf(longest) + 1;
        _memory = new Array[5];
        _codes = Allocate<uint>(0, longest);
        _places = Allocate<int>(1, longest);
        _starts = Allocate<int>(2, places);
        _next = Allocate<int>(3, places);
        _keys = Allocate<ulong>(4, longest);
    }

    /// <summary>The most elements of a row.</summary>
    internal int Longest { get; }

    /// <summary>The bytes that rows of up to <paramref name="longest"/> elements take.</summary>
    internal static long Bytes(long longest) => (longest * ((2 * sizeof(int)) + sizeof(ulong))) + (2 * sizeof(int) * (Math.Min((longest / 2) + 2, MostPlaces) + 1));

    /// <summary>Takes up a row, whose deltas stay where they are until the questions about it are asked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Load(float* deltas, int n)
    {
        _deltas = deltas;
        _n = n;
        _count = PlacesOf(n);
        var kernel = new Kernel { Deltas = deltas, Elements = n, Codes = _codes, Places = _places, Limit = _count - 1 };
        Simd.Run(ref kernel);
        kernel.Scale = (_count - 2) / (Reach * kernel.Sum / n);
        kernel.Deals = true;
        Simd.Run(ref kernel);

        new Span<int>(_starts, _count + 1).Clear();
        var counts = _starts + 1;
        for (var e = 0; e < n; e++)
            counts[_places[e]]++;
        for (var place = 1; place < _count; place++)
            counts[place] += counts[place - 1];
    }

    /// <summary>Where the <paramref name="k"/> largest end; flat indices are those of the row.</summary>
    internal Cut Top(long k)
    {
        if (k <= 0)
            return Cut.None;
        if (k >= _n)
            return Cut.All;
        var place = PlaceAt((int)(_n - k));
        var members = _starts[place + 1] - _starts[place];
        var wanted = (int)(k - (_n - _starts[place + 1]));
        var codes = new Span<uint>(_keys, members);
        Gather(place, codes);
        var code = Select(codes, wanted);
        var larger = codes.Length - codes.Count(code) - CountBelow(codes, code);
        var equal = codes.Count(code);
        var rank = (long)wanted - larger;
        return rank == equal ? Cut.AtThreshold(code) : new Cut(code, MagnitudeBits.LocateEqual(_deltas, _n, code, ref rank));
    }

    /// <summary>
    /// The whole order: the element of rank r, 0 for the smallest magnitude and of equal ones for the lowest index, is the
    /// lower half of word r. They are there until the next question.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal ulong* Sort()
    {
        var codes = _codes;
        var places = _places;
        var next = _next;
        var keys = _keys;
        var n = _n;
        new ReadOnlySpan<int>(_starts, _count).CopyTo(new Span<int>(next, _count));
        for (var e = 0; e < n; e++)
            keys[next[places[e]]++] = ((ulong)codes[e] << 32) | (uint)e;

        for (var place = 0; place < _count; place++)
        {
            var start = _starts[place];
            if (_starts[place + 1] - start > FewMembers)
                SortMany(new Span<ulong>(keys + start, _starts[place + 1] - start));
        }

        // What is left to move stays inside its place.
        for (var r = 1; r < n; r++)
        {
            var key = keys[r];
            var hole = r;
            for (; hole > 0 && keys[hole - 1] > key; hole--)
                keys[hole] = keys[hole - 1];
            keys[hole] = key;
        }

        return keys;
    }

    private static int PlacesOf(int n) => Math.Min((n / 2) + 2, MostPlaces);

    /// <summary>Elements of one magnitude are sorted as they come.</summary>
    private static void SortMany(Span<ulong> keys)
    {
        for (var i = 1; i < keys.Length; i++)
        {
            if (keys[i] < keys[i - 1])
            {
                keys.Sort();
                return;
            }
        }
    }

    /// <summary>The place of the element that is number <paramref name="position"/>, from 0, in rising order.</summary>
    private int PlaceAt(int position)
    {
        var (low, high) = (0, _count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_starts[middle + 1] > position)
                high = middle;
            else
                low = middle + 1;
        }

        return low;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Gather(int place, Span<uint> codes)
    {
        fixed (uint* list = codes)
        {
            var kernel = new GatherKernel { Codes = _codes, Places = _places, Place = place, Elements = _n, List = list };
            Simd.Run(ref kernel);
        }
    }

    /// <summary>The largest but <paramref name="wanted"/> - 1 of some codes.</summary>
    private static uint Select(ReadOnlySpan<uint> codes, int wanted)
    {
        if (codes.Length > FewMembers)
        {
            uint low = uint.MaxValue, high = 0;
            foreach (var code in codes)
                (low, high) = (Math.Min(low, code), Math.Max(high, code));
            return low == high ? low : MagnitudeSelect.At(codes, wanted - 1, low, high);
        }

        Span<uint> sorted = stackalloc uint[codes.Length];
        codes.CopyTo(sorted);
        sorted.Sort();
        return sorted[^wanted];
    }

    private static int CountBelow(ReadOnlySpan<uint> codes, uint code)
    {
        var count = 0;
        foreach (var other in codes)
            count += other < code ? 1 : 0;
        return count;
    }

    private T* Allocate<T>(int index, int length)
        where T : unmanaged
    {
        var array = GC.AllocateUninitializedArray<T>(length, pinned: true);
        _memory[index] = array;
        return (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
    }

    /// <summary>First the sum of the magnitudes, then codes and places.</summary>
    private struct Kernel : IKernel
    {
        internal float* Deltas;
        internal int Elements;
        internal uint* Codes;
        internal int* Places;
        internal float Limit;
        internal float Scale;
        internal float Sum;
        internal bool Deals;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            if (Deals)
                Deal<SimdScalar>(this, Deal<TSimd>(this, 0));
            else
                Add<SimdScalar>(ref this, Add<TSimd>(ref this, 0));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int Add<TSimd>(ref Kernel kernel, int e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var sum = TSimd.Create(0);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
                sum += TSimd.Load(kernel.Deltas + e) & TSimd.CreateBits(int.MaxValue);

            var lanes = stackalloc float[16];
            TSimd.Store(sum, lanes);
            for (var i = 0; i < TSimd.Count; i++)
                kernel.Sum += lanes[i];
            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int Deal<TSimd>(in Kernel kernel, int e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var deltas = kernel.Deltas;
            var codes = (float*)kernel.Codes;
            var places = (float*)kernel.Places;
            var n = kernel.Elements;
            var scale = TSimd.Create(kernel.Scale);
            var limit = TSimd.Create(kernel.Limit);
            var one = TSimd.Create(1);
            var zero = TSimd.CreateBits(0);
            var whole = TSimd.CreateBits(Whole);
            for (; e <= n - TSimd.Count; e += TSimd.Count)
            {
                var magnitude = Canonical.Magnitude(TSimd.Load(deltas + e));
                TSimd.Store(magnitude, codes + e);

                // Added to 2^23, a number is rounded to a whole one, which the lower bits then hold. A NaN becomes the limit.
                var place = (magnitude * scale) + one;
                place = TSimd.SelectGreater(limit, place, place, limit) + whole;
                TSimd.Store(TSimd.SelectGreaterBits(magnitude, zero, TSimd.SubtractBits(place, whole), zero), places + e);
            }

            return e;
        }
    }

    private struct GatherKernel : IKernel
    {
        internal uint* Codes;
        internal int* Places;
        internal int Place;
        internal int Elements;
        internal uint* List;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var list = List;
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0, ref list), ref list);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int Loop<TSimd>(in GatherKernel kernel, int e, ref uint* list)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var place = TSimd.CreateBits(kernel.Place);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                for (var found = TSimd.PackEqualBits(TSimd.Load((float*)kernel.Places + e), place); found != 0; found &= found - 1)
                    *list++ = kernel.Codes[e + BitOperations.TrailingZeroCount(found)];
            }

            return e;
        }
    }
}
