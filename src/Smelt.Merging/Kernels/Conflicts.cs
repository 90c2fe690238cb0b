using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>How often experts get in each other's way; sums of such counts do not depend on order.</summary>
/// <param name="Shared">Elements where at least two experts' deltas are not zero.</param>
/// <param name="Opposed">Elements where one expert's delta is positive and another's negative.</param>
internal readonly record struct ConflictCounts(long Shared, long Opposed)
{
    /// <summary>The counts of both.</summary>
    public static ConflictCounts operator +(ConflictCounts a, ConflictCounts b) => new(a.Shared + b.Shared, a.Opposed + b.Opposed);
}

/// <summary>Counts interference between task vectors.</summary>
internal static unsafe class Conflicts
{
    /// <summary>Counts over the sub-block's elements [0, <paramref name="n"/>), of the deltas before weights. A NaN is neither positive nor negative.</summary>
    [SkipLocalsInit]
    internal static ConflictCounts Count(RawBlock @base, ExpertBlock* experts, int count, long flatStart, nint n)
    {
        var buffer = stackalloc float[((count + 1) * Simd.Stride) + 16];
        var rows = Sparse.Align(buffer);
        var counts = default(ConflictCounts);
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            Sparse.Fill(@base, experts, count, false, flatStart, e, length, rows, rows + (count * Simd.Stride));
            var kernel = new Kernel { Rows = rows, Count = count, Elements = length };
            Simd.Run(ref kernel);
            counts += kernel.Result;
        }

        return counts;
    }

    private struct Kernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal nint Elements;
        internal ConflictCounts Result;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            nint e = 0;
            Result = Loop<TSimd>(Rows, Count, ref e, Elements);
            Result += Loop<SimdScalar>(Rows, Count, ref e, Elements);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static ConflictCounts Loop<TSimd>(float* rows, int count, ref nint start, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            long shared = 0, opposed = 0;
            var e = start;
            for (; e <= n - TSimd.Count; e += TSimd.Count)
            {
                uint plus = 0, minus = 0, twice = 0;
                for (nint i = 0; i < count; i++)
                {
                    var value = TSimd.Load(rows + e + (i * Simd.Stride));
                    var above = TSimd.PackGreater(value, zero);
                    var below = TSimd.PackGreater(zero, value);
                    twice |= (plus | minus) & (above | below);
                    plus |= above;
                    minus |= below;
                }

                shared += uint.PopCount(twice);
                opposed += uint.PopCount(plus & minus);
            }

            start = e;
            return new ConflictCounts(shared, opposed);
        }
    }
}
