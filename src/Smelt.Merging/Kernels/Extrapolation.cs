using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Goes beyond a model, away from its base.</summary>
internal static unsafe class Extrapolation
{
    /// <summary>mix[e] = mix[e] + <paramref name="alpha"/> * (mix[e] - base[e]); NaNs are canonical.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(RawBlock @base, float alpha, nint n, float* mix)
    {
        var b = stackalloc float[Simd.LongChunk];
        for (nint e = 0; e < n; e += Simd.LongChunk)
        {
            var length = Math.Min(n - e, Simd.LongChunk);
            Widen.ToSingle(@base.From(e), length, b);
            var kernel = new Kernel { Base = b, Alpha = alpha, Elements = length, Mix = mix + e };
            Simd.Run(ref kernel);
        }
    }

    private struct Kernel : IKernel
    {
        internal float* Base;
        internal float Alpha;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var alpha = TSimd.Create(kernel.Alpha);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var x = TSimd.Load(kernel.Mix + e);
                TSimd.Store(Canonical.Of(x + (alpha * (x - TSimd.Load(kernel.Base + e)))), kernel.Mix + e);
            }

            return e;
        }
    }
}
