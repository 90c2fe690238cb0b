using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>The average of inputs whose weights differ from element to element.</summary>
internal static unsafe class FisherMix
{
    /// <summary>
    /// mix[e] = Σ a_i x_i / Σ a_i with a_i = factors[i] * (weights[i][e] + minimal); where Σ a_i is zero, Σ factors[i] x_i /
    /// Σ factors[i]. NaNs are canonical.
    /// </summary>
    /// <param name="inputs">The inputs x.</param>
    /// <param name="weights">The weights of each input's elements, 0 and more.</param>
    /// <param name="factors">A factor for each input.</param>
    /// <param name="count">Number of inputs.</param>
    /// <param name="minimal">What is added to each weight.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="mix">Where the result goes.</param>
    /// <returns>The first input with a weight below zero, and its first such element; null where there is none.</returns>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static (int Input, nint Element)? Run(RawBlock* inputs, RawBlock* weights, float* factors, int count, float minimal, nint n, float* mix)
    {
        var rows = stackalloc float[2 * (count + 1) * Simd.Stride];
        var weightRows = rows + ((count + 1) * Simd.Stride);
        var total = 0f;
        for (var i = 0; i < count; i++)
            total += factors[i];
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            VectorRows.Load(null, inputs, count, e, length, rows);
            VectorRows.Load(null, weights, count, e, length, weightRows);
            var kernel = new Kernel { Inputs = rows, Weights = weightRows, Factors = factors, Total = total, Count = count, Minimal = minimal, Elements = length, Mix = mix + e };
            Simd.Run(ref kernel);
            if (kernel.HasNegative)
                return FindNegative(weightRows, count, e, length);
        }

        return null;
    }

    private static (int Input, nint Element)? FindNegative(float* weights, int count, nint start, nint length)
    {
        for (var i = 0; i < count; i++)
        {
            for (nint e = 0; e < length; e++)
            {
                if (weights[(i * Simd.Stride) + e] < 0)
                    return (i, start + e);
            }
        }

        return null;
    }

    private struct Kernel : IKernel
    {
        internal float* Inputs;
        internal float* Weights;
        internal float* Factors;
        internal float Total;
        internal int Count;
        internal float Minimal;
        internal nint Elements;
        internal float* Mix;
        internal bool HasNegative;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            uint negative = 0;
            var done = Loop<TSimd>(this, 0, ref negative);
            Loop<SimdScalar>(this, done, ref negative);
            HasNegative = negative != 0;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel kernel, nint e, ref uint negative)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            var total = TSimd.Create(kernel.Total);
            var minimal = TSimd.Create(kernel.Minimal);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                TSimd sum = zero, divisor = zero, plain = zero;
                for (nint i = 0; i < kernel.Count; i++)
                {
                    var x = TSimd.Load(kernel.Inputs + e + (i * Simd.Stride));
                    var weight = TSimd.Load(kernel.Weights + e + (i * Simd.Stride));
                    negative |= TSimd.PackGreater(zero, weight);
                    var factor = TSimd.Create(kernel.Factors[i]);
                    var product = factor * (weight + minimal);
                    sum += product * x;
                    divisor += product;
                    plain += factor * x;
                }

                TSimd.Store(Canonical.Of(TSimd.SelectEqual(divisor, zero, plain / total, sum / divisor)), kernel.Mix + e);
            }

            return e;
        }
    }
}
