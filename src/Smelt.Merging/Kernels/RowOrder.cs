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
internal sealed unsafe partial class RowOrder
{
    private const int MostPlaces = 1 << 14;
    private const int FewMembers = 16;
    private const int OneMagnitude = 1;
    private const int Sorted = 2;

    /// <summary>More members of a place than this are sorted; fewer are compared with each other.</summary>
    private const int ManyMembers = 256;

    /// <summary>A vector may be read from the last element on.</summary>
    private const int Slack = 16;
    private const int KnownMagnitudes = 128;
    private const int MostMagnitudes = 24;
    private const float Reach = 4;
    private const int Whole = 0x4B000000;

    private readonly uint* _codes;
    private readonly int* _places;
    private readonly int* _starts;
    private readonly int* _next;
    private readonly uint* _dealt;
    private readonly int* _positions;
    private readonly ulong* _sorted;
    private readonly Known[] _known = new Known[KnownMagnitudes];
    private readonly Array[] _memory;
    private int _magnitudes;
    private float* _deltas;
    private int _n;
    private int _count;

    /// <param name="longest">The most elements of a row.</param>
    internal RowOrder(int longest)
    {
        Longest = longest;
        var places = PlacesOf(longest) + 1;
        _memory = new Array[7];
        _codes = Allocate<uint>(0, longest);
        _places = Allocate<int>(1, longest);
        _starts = Allocate<int>(2, places);
        _next = Allocate<int>(3, places);
        _dealt = Allocate<uint>(4, longest + Slack);
        _positions = Allocate<int>(5, longest);
        _sorted = Allocate<ulong>(6, longest);
    }

    /// <summary>The most elements of a row.</summary>
    internal int Longest { get; }

    /// <summary>The bytes that rows of up to <paramref name="longest"/> elements take.</summary>
    internal static long Bytes(long longest) => (longest * ((4 * sizeof(int)) + sizeof(ulong))) + (2 * sizeof(int) * (Math.Min((longest / 2) + 2, MostPlaces) + 1));

    /// <summary>The number of places.</summary>
    internal int Count => _count;

    /// <summary>The place of each element.</summary>
    internal int* Places => _places;

    /// <summary>The rank of the first element of each place, and behind the last place the number of elements.</summary>
    internal int* Starts => _starts;

    /// <summary>The number of places for rows of so many elements.</summary>
    internal static int PlacesOf(long n) => (int)Math.Min((n / 2) + 2, MostPlaces);

    /// <summary>Takes up a row, whose deltas stay where they are until the questions about it are asked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Load(float* deltas, int n)
    {
        _deltas = deltas;
        _n = n;
        _count = PlacesOf(n);
        _magnitudes = 0;
        Array.Clear(_known);
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
        var codes = new Span<uint>(_dealt, members);
        Gather(place, codes);
        var code = Select(codes, wanted);
        var larger = codes.Length - codes.Count(code) - CountBelow(_dealt, members, code);
        var equal = codes.Count(code);
        var rank = (long)wanted - larger;
        return rank == equal ? Cut.AtThreshold(code) : new Cut(code, MagnitudeBits.LocateEqual(_deltas, _n, code, ref rank));
    }

    /// <summary>
    /// The rank of an element: 0 for the smallest magnitude and of equal ones for the lowest index. Asked for elements in
    /// rising order of their indices. -1 after so many different magnitudes that <see cref="Ranks"/> is cheaper.
    /// </summary>
    internal int RankOf(int element)
    {
        var code = _codes[element];
        ref var known = ref _known[code * 0x9E3779B1 >> 25];
        if (known.Next == 0 || known.Code != code)
        {
            if (_magnitudes++ == MostMagnitudes)
                return -1;
            known = new Known { Code = code, Rank = CountBelow(_codes, _n, code) };
        }

        known.Rank += new ReadOnlySpan<uint>(_codes + known.Next, element - known.Next).Count(code);
        known.Next = element;
        return known.Rank;
    }

    /// <summary>
    /// The ranks of some elements: 0 for the smallest magnitude, and of equal ones for the lowest index. For a few elements
    /// <see cref="RankOf"/> is cheaper.
    /// </summary>
    /// <param name="wanted">Bit e % 64 of word e / 64 tells whether element e is asked for.</param>
    /// <param name="ranks">Where the rank of element e goes, at index e.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Ranks(ulong* wanted, int* ranks)
    {
        Deal();
        var kernel = new RankKernel { Order = this, Wanted = wanted, Ranks = ranks };
        Simd.Run(ref kernel);
    }

    /// <summary>Lists the magnitudes of each place in the order of their indices, and finds out which places have but one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Deal()
    {
        var codes = _codes;
        var places = _places;
        var next = _next;
        var dealt = _dealt;
        var positions = _positions;
        new ReadOnlySpan<int>(_starts, _count).CopyTo(new Span<int>(next, _count));
        for (var e = 0; e < _n; e++)
        {
            var position = next[places[e]]++;
            dealt[position] = codes[e];
            positions[e] = position;
        }

        for (var place = 0; place < _count; place++)
        {
            var members = new ReadOnlySpan<uint>(dealt + _starts[place], _starts[place + 1] - _starts[place]);
            if (members.Length > FewMembers)
                next[place] = !members.ContainsAnyExcept(members[0]) ? OneMagnitude : members.Length > ManyMembers ? Sort(place) : 0;
        }
    }

    /// <summary>Puts the rank of each member of a crowded place where it is dealt: an outlier may have driven a whole row into it.</summary>
    private int Sort(int place)
    {
        var (first, count) = (_starts[place], _starts[place + 1] - _starts[place]);
        var keys = new Span<ulong>(_sorted, count);
        for (var i = 0; i < count; i++)
            keys[i] = ((ulong)_dealt[first + i] << 32) | (uint)i;
        keys.Sort();
        for (var i = 0; i < count; i++)
            _dealt[first + (int)(uint)keys[i]] = (uint)(first + i);
        return Sorted;
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int CountBelow(uint* codes, int n, uint code)
    {
        var kernel = new BelowKernel { Codes = codes, Code = (int)code, Elements = n };
        Simd.Run(ref kernel);
        return kernel.Below;
    }

    private T* Allocate<T>(int index, int length)
        where T : unmanaged
    {
        var array = GC.AllocateUninitializedArray<T>(length, pinned: true);
        _memory[index] = array;
        return (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
    }

    /// <summary>A magnitude that was asked for.</summary>
    private struct Known
    {
        /// <summary>The magnitude.</summary>
        internal uint Code;

        /// <summary>The rank of the last element of that magnitude before <see cref="Next"/>, or of the first if there is none.</summary>
        internal int Rank;

        /// <summary>Up to where elements were looked at.</summary>
        internal int Next;
    }
}
