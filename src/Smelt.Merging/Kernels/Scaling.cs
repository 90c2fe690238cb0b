using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Values times one factor.</summary>
internal static unsafe class Scaling
{
    /// <summary>values[e] *= <paramref name="factor"/> for e in [0, <paramref name="n"/>); every NaN becomes canonical.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(float* values, float factor, nint n)
    {
        var kernel = new Kernel { Values = values, Factor = factor, Elements = n };
        Simd.Run(ref kernel);
    }

    private struct Kernel : IKernel
    {
        internal float* Values;
        internal float Factor;
        internal nint Elements;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var factor = TSimd.Create(kernel.Factor);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
                TSimd.Store(Canonical.Of(TSimd.Load(kernel.Values + e) * factor), kernel.Values + e);

            return e;
        }
    }
}
