using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Smelt.Merging.Kernels;

/// <summary>
/// MT19937 (Matsumoto and Nishimura 1998), one stream of 32-bit words that each follow from those before. Words are made 624
/// at a time; passing over words takes no more than that.
/// </summary>
internal sealed unsafe class MersenneTwister
{
    /// <summary>Words of the state, and words that are made at a time.</summary>
    internal const int Words = 624;

    private const int Distance = 397;
    private const uint Matrix = 0x9908B0DF;
    private const uint Upper = 0x80000000;
    private const uint Initializer = 1812433253;

    private readonly uint[] _state = new uint[Words];

    /// <summary>Words of the state that were handed out.</summary>
    private int _used = Words;

    /// <summary>A stream from its beginning, as by <c>init_genrand</c>.</summary>
    internal MersenneTwister(uint seed)
    {
        _state[0] = seed;
        for (var i = 1u; i < Words; i++)
            _state[i] = (Initializer * (_state[i - 1] ^ (_state[i - 1] >> 30))) + i;
    }

    /// <summary>A stream that goes on where <see cref="Save"/> was called.</summary>
    internal MersenneTwister(ReadOnlySpan<uint> state) => Load(state);

    /// <summary>The state after a multiple of <see cref="Words"/> words.</summary>
    internal uint[] Save() => _used == Words ? (uint[])_state.Clone() : throw new InvalidOperationException("A state is saved between two runs of words.");

    /// <summary>Goes on where <see cref="Save"/> was called.</summary>
    internal void Load(ReadOnlySpan<uint> state)
    {
        state.CopyTo(_state);
        _used = Words;
    }

    /// <summary>Passes over words.</summary>
    /// <param name="count">How many, 0 and more.</param>
    internal void Skip(long count)
    {
        while (count > Words - _used)
        {
            count -= Words - _used;
            Twist();
        }

        _used += (int)count;
    }

    /// <summary>Writes the lower 24 bits of the next words.</summary>
    /// <param name="draws">Room for them.</param>
    /// <param name="count">How many.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Draw24(uint* draws, nint count)
    {
        while (count > 0)
        {
            if (_used == Words)
                Twist();
            var run = (int)Math.Min(Words - _used, count);
            fixed (uint* state = &_state[_used])
                Temper(state, draws, run);
            _used += run;
            draws += run;
            count -= run;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Temper(uint* state, uint* draws, int count)
    {
        var i = 0;
        for (; i <= count - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            var y = Vector256.Load(state + i);
            y ^= y >>> 11;
            y ^= (y << 7) & Vector256.Create(0x9D2C5680u);
            y ^= (y << 15) & Vector256.Create(0xEFC60000u);
            y ^= y >>> 18;
            (y & Vector256.Create(0xFFFFFFu)).Store(draws + i);
        }

        for (; i < count; i++)
        {
            var y = state[i];
            y ^= y >> 11;
            y ^= (y << 7) & 0x9D2C5680;
            y ^= (y << 15) & 0xEFC60000;
            y ^= y >> 18;
            draws[i] = y & 0xFFFFFF;
        }
    }

    /// <summary>Makes the next run of words: word i of words i and i + 1 and of the one <see cref="Distance"/> words ahead, all modulo <see cref="Words"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Twist()
    {
        fixed (uint* x = _state)
        {
            var i = Run(x, 0, Words - Distance, Distance);
            i = Run(x, i, Words - 1, Distance - Words);
            x[i] = x[Distance - 1] ^ Step(x[i], x[0]);
        }

        _used = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run(uint* x, int first, int end, int ahead)
    {
        var i = first;
        var (one, matrix) = (Vector256.Create(1u), Vector256.Create(Matrix));
        for (; i <= end - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            var next = Vector256.Load(x + i + 1);
            var y = (Vector256.Load(x + i) & Vector256.Create(Upper)) | (next & Vector256.Create(~Upper));
            (Vector256.Load(x + i + ahead) ^ (y >>> 1) ^ (Vector256.Equals(next & one, one) & matrix)).Store(x + i);
        }

        for (; i < end; i++)
            x[i] = x[i + ahead] ^ Step(x[i], x[i + 1]);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Step(uint word, uint next) =>
        (((word & Upper) | (next & ~Upper)) >> 1) ^ ((next & 1) != 0 ? Matrix : 0);
}
