using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// An fp64 sum over a block of <see cref="Elements"/> elements in a fixed shape, so that it has the same bits at every vector width
/// and however the block is cut: element e goes to lane e % 16, and the lanes are added in the order 0 to 15 at the end.
/// </summary>
/// <remarks>
/// Calls go through a block's elements in order; every call but a tensor's last gets a multiple of 16 of them.
/// A tensor's sum is that of its blocks' <see cref="Total"/>, added in order.
/// </remarks>
internal unsafe struct BlockSum
{
    /// <summary>Elements of a block.</summary>
    internal const int Elements = 65_536;

    private const int Lanes = 16;

    private fixed double _lanes[Lanes];

    /// <summary>Adds |values[e]| for e in [0, <paramref name="n"/>) where the bit e of <paramref name="mask"/> is set; no mask takes all.</summary>
    internal void AddMagnitudes(float* values, ulong* mask, nint n)
    {
        fixed (double* lanes = _lanes)
        {
            var kernel = new MagnitudeKernel { Values = values, Mask = mask, Elements = n, Lanes = lanes };
            Simd.Run(ref kernel);
        }
    }

    /// <summary>Adds a[e] * b[e], each product exact: a norm's square with a = b, otherwise an inner product.</summary>
    internal void AddProducts(float* a, float* b, nint n)
    {
        fixed (double* lanes = _lanes)
        {
            var kernel = new ProductKernel { A = a, B = b, Elements = n, Lanes = lanes };
            Simd.Run(ref kernel);
        }
    }

    /// <summary>The block's sum; a NaN is canonical.</summary>
    internal double Total()
    {
        var sum = 0.0;
        for (var lane = 0; lane < Lanes; lane++)
            sum += _lanes[lane];

        return double.IsNaN(sum) ? BitConverter.UInt64BitsToDouble(0x7FF8000000000000) : sum;
    }

    private struct MagnitudeKernel : IKernel
    {
        internal float* Values;
        internal ulong* Mask;
        internal nint Elements;
        internal double* Lanes;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            if (Mask is null)
                Loop<SimdScalar, No>(Values, Mask, Lanes, Loop<TSimd, No>(Values, Mask, Lanes, 0, Elements), Elements);
            else
                Loop<SimdScalar, Yes>(Values, Mask, Lanes, Loop<TSimd, Yes>(Values, Mask, Lanes, 0, Elements), Elements);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd, TMask>(float* values, ulong* mask, double* lanes, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
            where TMask : IFlag
        {
            var magnitude = TSimd.CreateBits(int.MaxValue);
            var zero = TSimd.Create(0);
            for (; e <= n - TSimd.Count; e += TSimd.Count)
            {
                var value = TSimd.Load(values + e) & magnitude;
                if (TMask.Value)
                    value = TSimd.SelectBits((uint)(mask[e >> 6] >> (int)e), value, zero);

                TSimd.AddWide(value, lanes + (e & (BlockSum.Lanes - 1)));
            }

            return e;
        }
    }

    private struct ProductKernel : IKernel
    {
        internal float* A;
        internal float* B;
        internal nint Elements;
        internal double* Lanes;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(A, B, Lanes, Loop<TSimd>(A, B, Lanes, 0, Elements), Elements);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(float* a, float* b, double* lanes, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            for (; e <= n - TSimd.Count; e += TSimd.Count)
                TSimd.AddProductWide(TSimd.Load(a + e), TSimd.Load(b + e), lanes + (e & (BlockSum.Lanes - 1)));

            return e;
        }
    }
}
