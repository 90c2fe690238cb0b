using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Takes one of the inputs' values in each element. A NaN in an element makes the result NaN.</summary>
internal static unsafe class Selection
{
    /// <summary>mix[e] = the median of the inputs' values, the lower one of an even number; -0 counts as less than 0.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="count">Number of inputs, 1 to <see cref="Mix.MaxInputs"/>.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="mix">Where the result goes; NaNs are canonical.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Median(RawBlock* inputs, int count, nint n, float* mix) => Run<Yes>(inputs, count, n, mix);

    /// <summary>mix[e] = the value of largest magnitude, the first input's of equals.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="count">Number of inputs, 1 to <see cref="Mix.MaxInputs"/>.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="mix">Where the result goes; NaNs are canonical.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Largest(RawBlock* inputs, int count, nint n, float* mix) => Run<No>(inputs, count, n, mix);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TMedian>(RawBlock* inputs, int count, nint n, float* mix)
        where TMedian : IFlag
    {
        var rows = stackalloc float[(count + 1) * Simd.Stride];
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            VectorRows.Load(null, inputs, count, e, length, rows);
            var kernel = new Kernel<TMedian> { Rows = rows, Count = count, Elements = length, Mix = mix + e };
            Simd.Run(ref kernel);
        }
    }

    /// <summary>
    /// The medians of the columns of so many rows, <see cref="Simd.Stride"/> floats apart. Sorts the lower half of a column in
    /// place: each pass leaves the smallest of what is left at its start.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TSimd Median<TSimd>(float* column, nint count)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var poison = TSimd.Create(0);
        for (nint i = 0; i < count; i++)
        {
            var place = column + (i * Simd.Stride);
            var value = TSimd.Load(place);
            poison = TSimd.SelectEqual(value, value, poison, TSimd.CreateBits(Canonical.NaN));
            TSimd.Store(Ordered(value), place);
        }

        var middle = (count - 1) / 2;
        TSimd smallest = default;
        for (nint pass = 0; pass <= middle; pass++)
        {
            smallest = TSimd.Load(column + (pass * Simd.Stride));
            for (var i = pass + 1; i < count; i++)
            {
                var place = column + (i * Simd.Stride);
                var value = TSimd.Load(place);
                TSimd.Store(TSimd.SelectGreaterBits(smallest, value, smallest, value), place);
                smallest = TSimd.MinBits(smallest, value);
            }
        }

        return TSimd.SelectEqual(poison, poison, Ordered(smallest), poison);
    }

    /// <summary>Bits that order, as signed integers, as the values do; applied twice it gives the value back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Ordered<TSimd>(TSimd value)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.SelectGreaterBits(TSimd.CreateBits(0), value, value ^ TSimd.CreateBits(int.MaxValue), value);

    private struct Kernel<TMedian> : IKernel
        where TMedian : IFlag
    {
        internal float* Rows;
        internal int Count;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel<TMedian> kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var column = kernel.Rows + e;
                TSimd.Store(TMedian.Value ? Median<TSimd>(column, kernel.Count) : Largest<TSimd>(column, kernel.Count), kernel.Mix + e);
            }

            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TSimd Largest<TSimd>(float* column, nint count)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            // A NaN's magnitude is above all others, so that it is chosen.
            var best = TSimd.Load(column);
            for (nint i = 1; i < count; i++)
            {
                var value = TSimd.Load(column + (i * Simd.Stride));
                best = TSimd.SelectGreaterBits(Canonical.Magnitude(value), Canonical.Magnitude(best), value, best);
            }

            return Canonical.Of(best);
        }
    }
}
