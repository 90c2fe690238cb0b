using System.Numerics;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Task vectors by how many experts changed an element: those of |d| above a threshold.</summary>
internal static unsafe class Changes
{
    /// <summary>
    /// mix[e] = Σ over the experts that changed e of d_i / c, c their number; the only one's delta times its factor where c
    /// is 1. NaNs are canonical.
    /// </summary>
    /// <param name="base">The base's elements.</param>
    /// <param name="experts">The experts.</param>
    /// <param name="count">Number of experts.</param>
    /// <param name="threshold">The largest magnitude that is no change.</param>
    /// <param name="factors">One factor for each expert.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="mix">Where the result goes.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Mix(RawBlock @base, RawBlock* experts, int count, float threshold, float* factors, nint n, float* mix)
    {
        var rows = stackalloc float[(count + 1) * Simd.Stride];
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            VectorRows.Load(&@base, experts, count, e, length, rows);
            var kernel = new MixKernel { Rows = rows, Count = count, Threshold = threshold, Factors = factors, Elements = length, Mix = mix + e };
            Simd.Run(ref kernel);
        }
    }

    /// <summary>Adds, for each expert, the number of elements that it changed alone (at 2 i) and with others (at 2 i + 1).</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Count(RawBlock @base, RawBlock* experts, int count, float threshold, nint n, long* counts)
    {
        var rows = stackalloc float[(count + 1) * Simd.Stride];
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            VectorRows.Load(&@base, experts, count, e, length, rows);
            var kernel = new CountKernel { Rows = rows, Count = count, Threshold = threshold, Elements = length, Counts = counts };
            Simd.Run(ref kernel);
        }
    }

    private struct MixKernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal float Threshold;
        internal float* Factors;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in MixKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            var one = TSimd.Create(1);
            var threshold = TSimd.Create(kernel.Threshold);
            var magnitude = TSimd.CreateBits(int.MaxValue);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                TSimd sum = zero, own = zero, changed = zero;
                for (nint i = 0; i < kernel.Count; i++)
                {
                    var d = TSimd.Load(kernel.Rows + e + (i * Simd.Stride));
                    var kept = TSimd.SelectGreater(threshold, d & magnitude, zero, d);
                    kept = TSimd.SelectEqual(threshold, d & magnitude, zero, kept);
                    changed += TSimd.SelectGreater(d & magnitude, threshold, one, zero);
                    sum += kept;
                    own += kept * TSimd.Create(kernel.Factors[i]);
                }

                TSimd.Store(Canonical.Of(TSimd.SelectGreater(changed, one, sum / changed, own)), kernel.Mix + e);
            }

            return e;
        }
    }

    private struct CountKernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal float Threshold;
        internal nint Elements;
        internal long* Counts;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in CountKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var threshold = TSimd.Create(kernel.Threshold);
            var magnitude = TSimd.CreateBits(int.MaxValue);
            var changed = stackalloc uint[kernel.Count];
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                uint once = 0, more = 0;
                for (nint i = 0; i < kernel.Count; i++)
                {
                    changed[i] = TSimd.PackGreater(TSimd.Load(kernel.Rows + e + (i * Simd.Stride)) & magnitude, threshold);
                    more |= once & changed[i];
                    once |= changed[i];
                }

                for (nint i = 0; i < kernel.Count; i++)
                {
                    kernel.Counts[2 * i] += BitOperations.PopCount(changed[i] & ~more);
                    kernel.Counts[(2 * i) + 1] += BitOperations.PopCount(changed[i] & more);
                }
            }

            return e;
        }
    }
}
