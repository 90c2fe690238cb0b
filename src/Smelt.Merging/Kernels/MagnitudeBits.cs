using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Magnitudes as integers: the fp32 bits of |d| order as the magnitudes do, with every NaN as 0x7FC00000, above infinity.</summary>
internal static unsafe class MagnitudeBits
{
    /// <summary>bits[e] = the bits of |deltas[e]| for e in [0, <paramref name="n"/>).</summary>
    internal static void Of(float* deltas, nint n, uint* bits)
    {
        var kernel = new CodeKernel { Deltas = deltas, Elements = n, Codes = bits };
        Simd.Run(ref kernel);
    }

    /// <summary>bits[e] = the bits of |expert[e] - base[e]| for e in [0, <paramref name="n"/>); both are of one format, but not F64.</summary>
    internal static void Of(RawBlock @base, RawBlock expert, nint n, uint* bits)
    {
        var kernel = new DifferenceKernel { Base = @base.Data, Expert = expert.Data, Elements = n, Codes = bits };
        Simd.Run(ref kernel, expert.Format);
    }

    /// <summary>
    /// Index in [0, <paramref name="n"/>) of the element that is number <paramref name="rank"/> (from 1) among those of magnitude
    /// <paramref name="magnitude"/>; -1 when there are fewer, and <paramref name="rank"/> is then less by their number.
    /// </summary>
    internal static nint LocateEqual(float* deltas, nint n, uint magnitude, ref long rank)
    {
        var kernel = new Kernel { Deltas = deltas, Elements = n, Magnitude = (int)magnitude, Rank = rank };
        Simd.Run(ref kernel);
        rank = kernel.Rank;
        return kernel.Index;
    }

    private struct CodeKernel : IKernel
    {
        internal float* Deltas;
        internal nint Elements;
        internal uint* Codes;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in CodeKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
                TSimd.Store(Canonical.Magnitude(TSimd.Load(kernel.Deltas + e)), (float*)kernel.Codes + e);

            return e;
        }
    }

    private struct DifferenceKernel : IFormatKernel
    {
        internal void* Base;
        internal void* Expert;
        internal nint Elements;
        internal uint* Codes;

        public readonly void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat => Loop<SimdScalar, TFormat>(this, Loop<TSimd, TFormat>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd, TFormat>(in DifferenceKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
                TSimd.Store(Canonical.Magnitude(TFormat.Load<TSimd>(kernel.Expert, e) - TFormat.Load<TSimd>(kernel.Base, e)), (float*)kernel.Codes + e);

            return e;
        }
    }

    private struct Kernel : IKernel
    {
        internal float* Deltas;
        internal nint Elements;
        internal int Magnitude;
        internal long Rank;
        internal nint Index;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var e = Skip<TSimd>(Deltas, 0, Elements, Magnitude, ref Rank);
            for (Index = -1; e < Elements; e++)
            {
                if (Math.Min(BitConverter.SingleToInt32Bits(Deltas[e]) & int.MaxValue, Canonical.NaN) == Magnitude && --Rank == 0)
                {
                    Index = e;
                    return;
                }
            }
        }

        /// <summary>Goes past the vectors that hold fewer of the elements than are asked for.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Skip<TSimd>(float* deltas, nint e, nint n, int magnitude, ref long rank)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var wanted = TSimd.CreateBits(magnitude);
            var left = rank;
            for (; e <= n - TSimd.Count; e += TSimd.Count)
            {
                var equal = uint.PopCount(TSimd.PackEqualBits(Canonical.Magnitude(TSimd.Load(deltas + e)), wanted));
                if (equal >= left)
                    break;

                left -= equal;
            }

            rank = left;
            return e;
        }
    }
}
