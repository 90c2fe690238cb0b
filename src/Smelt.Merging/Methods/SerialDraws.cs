using Smelt.Merging.Kernels;

namespace Smelt.Merging.Methods;

/// <summary>
/// One stream of random numbers for a whole merge, from any place on: states are kept at marks along the stream, and numbers
/// between two marks are passed over. Marks are set when the first reader gets there. Which numbers a place has does not depend
/// on who reads when.
/// </summary>
internal sealed unsafe class SerialDraws
{
    /// <summary>Numbers between two marks, unless there would be too many marks.</summary>
    private const long SmallestStep = 1681 * MersenneTwister.Words;

    private const int MostMarks = 4096;
    private const int StateBytes = (MersenneTwister.Words * sizeof(uint)) + 64;

    private readonly Lock _lock = new();
    private readonly List<uint[]> _marks = [];
    private readonly MersenneTwister _front;
    private readonly long _step;

    /// <param name="seed">The seed.</param>
    /// <param name="total">How many numbers are drawn of it, 0 and more.</param>
    public SerialDraws(uint seed, long total)
    {
        _front = new MersenneTwister(seed);
        _marks.Add(_front.Save());
        _step = StepOf(total);
    }

    /// <summary>The bytes of the marks of a stream.</summary>
    public static long Bytes(long total) => ((total / StepOf(total)) + 2) * StateBytes;

    /// <summary>The bytes of a reader.</summary>
    public const int ReaderBytes = StateBytes + 64;

    /// <summary>A reader, for one thread at a time.</summary>
    public Reader Open() => new(this);

    private static long StepOf(long total) =>
        Math.Max(SmallestStep, (total / MostMarks + MersenneTwister.Words) / MersenneTwister.Words * MersenneTwister.Words);

    /// <summary>The state at a mark.</summary>
    private uint[] StateAt(long mark)
    {
        lock (_lock)
        {
            while (_marks.Count <= mark)
            {
                _front.Skip(_step);
                _marks.Add(_front.Save());
            }

            return _marks[(int)mark];
        }
    }

    /// <summary>Reads the stream.</summary>
    internal sealed class Reader(SerialDraws draws)
    {
        private readonly MersenneTwister _twister = new(draws._marks[0]);
        private long _position;

        /// <summary>Reads numbers below 2^24 from a place on.</summary>
        /// <param name="start">How many numbers of the stream come before the first.</param>
        /// <param name="buffer">Room for them.</param>
        /// <param name="count">How many.</param>
        public void Read(long start, uint* buffer, int count)
        {
            var mark = start / draws._step;
            if (start < _position || mark * draws._step > _position)
            {
                _twister.Load(draws.StateAt(mark));
                _position = mark * draws._step;
            }

            _twister.Skip(start - _position);
            _twister.Draw24(buffer, count);
            _position = start + count;
        }
    }
}
