using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Moves the base to an expert where the two are near.</summary>
internal static unsafe class NearMix
{
    /// <summary>Differences below this count as this.</summary>
    private const float SmallestDifference = 1e-6f;

    /// <summary>mix[e] = w x + (1 - w) b with w = min(<paramref name="t"/> / max(|b - x|, 1e-6), 1); NaNs are canonical.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(RawBlock @base, RawBlock expert, float t, nint n, float* mix)
    {
        var b = stackalloc float[2 * Simd.Stride];
        var x = b + Simd.Stride;
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            Widen.ToSingle(@base.From(e), length, b);
            Widen.ToSingle(expert.From(e), length, x);
            var kernel = new Kernel { Base = b, Expert = x, T = t, Elements = length, Mix = mix + e };
            Simd.Run(ref kernel);
        }
    }

    private struct Kernel : IKernel
    {
        internal float* Base;
        internal float* Expert;
        internal float T;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var one = TSimd.Create(1);
            var t = TSimd.Create(kernel.T);
            var smallest = TSimd.Create(SmallestDifference);
            var magnitude = TSimd.CreateBits(int.MaxValue);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var b = TSimd.Load(kernel.Base + e);
                var x = TSimd.Load(kernel.Expert + e);
                var difference = (b - x) & magnitude;
                // Where the comparison is with a NaN the difference stays, so that the NaN goes on into the weight.
                var weight = t / TSimd.SelectGreater(smallest, difference, smallest, difference);
                weight = TSimd.SelectGreater(weight, one, one, weight);
                TSimd.Store(Canonical.Of((weight * x) + ((one - weight) * b)), kernel.Mix + e);
            }

            return e;
        }
    }
}
