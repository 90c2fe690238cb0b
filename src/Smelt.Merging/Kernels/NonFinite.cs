using System.Numerics;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Finds infinities and NaNs by their exponent bits.</summary>
internal static unsafe class NonFinite
{
    /// <summary>Index of the first element of <paramref name="block"/> in [0, <paramref name="n"/>) that is infinite or NaN, or -1.</summary>
    internal static nint FirstIndex(RawBlock block, nint n)
    {
        if (block.Format == FloatFormat.F64)
            return Doubles((ulong*)block.Data, n);

        var kernel = new Kernel { Data = block.Data, Elements = n };
        Simd.Run(ref kernel, block.Format);
        return kernel.Result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Doubles(ulong* data, nint n)
    {
        for (nint e = 0; e < n; e++)
        {
            if ((data[e] & 0x7FF0000000000000) == 0x7FF0000000000000)
                return e;
        }

        return -1;
    }

    private struct Kernel : IFormatKernel
    {
        internal void* Data;
        internal nint Elements;
        internal nint Result;

        public void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            // Two 16-bit elements are looked at as one lane, so half formats cost no widening.
            if (TFormat.Format == FloatFormat.F32)
                Find<TSimd>(0x7F800000, 0x7F800000, 1);
            else
                Find<TSimd>((int)((TFormat.Format == FloatFormat.BF16 ? 0x7F80u : 0x7C00u) << 16), TFormat.Format == FloatFormat.BF16 ? 0x7F80 : 0x7C00, 2);
        }

        private void Find<TSimd>(int high, int low, int perLane)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var lanes = Elements / perLane;
            var lane = Lanes<TSimd>((float*)Data, high, low, 0, lanes);
            lane = Lanes<SimdScalar>((float*)Data, high, low, lane, lanes);

            // The lane found, or the odd element that is left, is looked at one element at a time.
            Result = -1;
            for (var e = lane * perLane; e < Elements; e++)
            {
                var bits = perLane == 1 ? ((uint*)Data)[e] : ((ushort*)Data)[e];
                if ((bits & (uint)low) == (uint)low)
                {
                    Result = e;
                    return;
                }
            }
        }

        /// <summary>The first lane whose bits hold all of one of the masks; without one, where fewer lanes than a vector are left.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Lanes<TSimd>(float* data, int high, int low, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var highMask = TSimd.CreateBits(high);
            var lowMask = TSimd.CreateBits(low);
            nint step = TSimd.Count;
            for (; e <= n - (4 * step); e += 4 * step)
            {
                var found = Test(TSimd.Load(data + e), highMask, lowMask) | Test(TSimd.Load(data + e + step), highMask, lowMask)
                    | Test(TSimd.Load(data + e + (2 * step)), highMask, lowMask) | Test(TSimd.Load(data + e + (3 * step)), highMask, lowMask);
                if (found != 0)
                    break;
            }

            for (; e <= n - step; e += step)
            {
                var found = Test(TSimd.Load(data + e), highMask, lowMask);
                if (found != 0)
                    return e + BitOperations.TrailingZeroCount(found);
            }

            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static uint Test<TSimd>(TSimd bits, TSimd high, TSimd low)
            where TSimd : unmanaged, ISimd<TSimd> =>
            TSimd.PackEqualBits(bits & high, high) | TSimd.PackEqualBits(bits & low, low);
    }
}
