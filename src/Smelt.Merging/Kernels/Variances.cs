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
