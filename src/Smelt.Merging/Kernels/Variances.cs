using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>How much the experts' task vectors differ, element by element.</summary>
internal static unsafe class Variances
{
    /// <summary>
    /// variances[e] = Σ over pairs of (d_i - d_j)^2 / N^2, which is the variance over the N experts: exactly zero where all
    /// are equal.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Compute(RawBlock @base, RawBlock* experts, int count, nint n, float* variances)
    {
        var rows = stackalloc float[(count + 1) * Simd.Stride];
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            VectorRows.Load(&@base, experts, count, e, length, rows);
            var kernel = new Kernel { Rows = rows, Count = count, Elements = length, Variances = variances + e };
            Simd.Run(ref kernel);
        }
    }

    /// <summary>Sets the bits of the elements whose magnitude is in the top of <paramref name="cut"/>, and clears the others.</summary>
    /// <param name="values">The values.</param>
    /// <param name="cut">What is kept.</param>
    /// <param name="flatStart">Flat index, in the tensor, of the first element.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="mask">One bit for each element.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Select(float* values, Cut cut, long flatStart, nint n, ulong* mask)
    {
        for (nint word = 0; word < n; word += 64)
        {
            var bits = 0UL;
            var end = (int)Math.Min(64, n - word);
            for (var i = 0; i < end; i++)
            {
                var magnitude = BitConverter.SingleToInt32Bits(values[word + i]) & int.MaxValue;
                bits |= (magnitude > cut.Below(flatStart + word + i) ? 1UL : 0) << i;
            }

            mask[word >> 6] = bits;
        }
    }

    private struct Kernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal nint Elements;
        internal float* Variances;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var divisor = TSimd.Create((float)kernel.Count * kernel.Count);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var sum = TSimd.Create(0);
                for (nint i = 1; i < kernel.Count; i++)
                {
                    var d = TSimd.Load(kernel.Rows + e + (i * Simd.Stride));
                    for (nint j = 0; j < i; j++)
                    {
                        var difference = d - TSimd.Load(kernel.Rows + e + (j * Simd.Stride));
                        sum += difference * difference;
                    }
                }

                TSimd.Store(Canonical.Of(sum / divisor), kernel.Variances + e);
            }

            return e;
        }
    }
}
