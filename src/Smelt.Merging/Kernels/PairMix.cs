using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>The weighted sum of two inputs whose weights differ from element to element.</summary>
internal static unsafe class PairMix
{
    /// <summary>
    /// mix[e] = first[e] * firstWeights[e] + second[e] * secondWeights[e], with the base subtracted from both inputs where
    /// there is one; NaNs are canonical.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(RawBlock* @base, RawBlock first, RawBlock second, float* firstWeights, float* secondWeights, nint n, float* mix)
    {
        var a = stackalloc float[3 * Simd.Stride];
        var b = a + Simd.Stride;
        var origin = b + Simd.Stride;
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            Widen.ToSingle(first.From(e), length, a);
            Widen.ToSingle(second.From(e), length, b);
            if (@base is null)
                new Span<float>(origin, (int)length).Clear();
            else
                Widen.ToSingle(@base->From(e), length, origin);
            var kernel = new Kernel { Base = origin, First = a, Second = b, FirstWeights = firstWeights + e, SecondWeights = secondWeights + e, Elements = length, Mix = mix + e };
            Simd.Run(ref kernel);
        }
    }

    private struct Kernel : IKernel
    {
        internal float* Base;
        internal float* First;
        internal float* Second;
        internal float* FirstWeights;
        internal float* SecondWeights;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var b = TSimd.Load(kernel.Base + e);
                var sum = ((TSimd.Load(kernel.First + e) - b) * TSimd.Load(kernel.FirstWeights + e))
                    + ((TSimd.Load(kernel.Second + e) - b) * TSimd.Load(kernel.SecondWeights + e));
                TSimd.Store(Canonical.Of(sum), kernel.Mix + e);
            }

            return e;
        }
    }
}
