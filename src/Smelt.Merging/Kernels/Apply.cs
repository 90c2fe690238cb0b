using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>The last step of a merge: the mix goes onto the base and is rounded, once, to the output's format.</summary>
internal static unsafe class Apply
{
    /// <summary>
    /// destination[e] = round(base[e] + <paramref name="lambda"/> * mix[e]) for e in [0, <paramref name="n"/>); every NaN becomes canonical.
    /// </summary>
    internal static void Affine(RawBlock @base, float* mix, float lambda, nint n, RawBlock destination)
    {
        if (@base.Format != FloatFormat.F64 && destination.Format != FloatFormat.F64)
        {
            var kernel = new AffineKernel { Base = @base.Data, Mix = mix, Lambda = lambda, Destination = destination, Elements = n };
            Simd.Run(ref kernel, @base.Format);
            return;
        }

        var chunk = stackalloc float[Simd.Chunk];
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            Widen.ToSingle(@base.From(e), length, chunk);
            Affine(new RawBlock(chunk, FloatFormat.F32), mix + e, lambda, length, new RawBlock(chunk, FloatFormat.F32));
            Store(chunk, length, destination.From(e));
        }
    }

    /// <summary>destination[e] = round(mix[e]) for e in [0, <paramref name="n"/>); every NaN becomes canonical.</summary>
    internal static void Store(float* mix, nint n, RawBlock destination)
    {
        if (destination.Format == FloatFormat.F64)
        {
            Widen.ToDouble(mix, n, (double*)destination.Data);
            return;
        }

        var kernel = new StoreKernel { Mix = mix, Destination = destination.Data, Elements = n };
        Simd.Run(ref kernel, destination.Format);
    }

    private struct AffineKernel : IFormatKernel
    {
        internal void* Base;
        internal float* Mix;
        internal float Lambda;
        internal RawBlock Destination;
        internal nint Elements;

        public readonly void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            switch (Destination.Format)
            {
                case FloatFormat.BF16: Run<TSimd, TFormat, Bf16>(); break;
                case FloatFormat.F16: Run<TSimd, TFormat, F16>(); break;
                default: Run<TSimd, TFormat, F32>(); break;
            }
        }

        private readonly void Run<TSimd, TBase, TOut>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TBase : IFormat
            where TOut : IFormat
        {
            var done = Loop<TSimd, TBase, TOut>(Base, Mix, Lambda, Destination.Data, 0, Elements);
            Loop<SimdScalar, TBase, TOut>(Base, Mix, Lambda, Destination.Data, done, Elements);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd, TBase, TOut>(void* @base, float* mix, float lambda, void* destination, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
            where TBase : IFormat
            where TOut : IFormat
        {
            var scale = TSimd.Create(lambda);
            for (; e <= n - TSimd.Count; e += TSimd.Count)
                TOut.Store(TBase.Load<TSimd>(@base, e) + (scale * TSimd.Load(mix + e)), destination, e);

            return e;
        }
    }

    private struct StoreKernel : IFormatKernel
    {
        internal float* Mix;
        internal void* Destination;
        internal nint Elements;

        public readonly void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat =>
            Loop<SimdScalar, TFormat>(Mix, Destination, Loop<TSimd, TFormat>(Mix, Destination, 0, Elements), Elements);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd, TFormat>(float* mix, void* destination, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            for (; e <= n - TSimd.Count; e += TSimd.Count)
                TFormat.Store(TSimd.Load(mix + e), destination, e);

            return e;
        }
    }
}
