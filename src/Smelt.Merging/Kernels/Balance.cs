using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>What is known of one expert's whole task vector for the balances of PCB-Merging.</summary>
/// <param name="Low">Magnitudes are clamped from below at it.</param>
/// <param name="High">And from above at this.</param>
/// <param name="Floor">Balances are clamped from below at it.</param>
/// <param name="Top">The largest balance.</param>
/// <param name="Weight">The expert's weight.</param>
internal readonly record struct BalanceRange(float Low, float High, float Floor, float Top, float Weight);

/// <summary>
/// The balances of PCB-Merging over rows of deltas, row i expert i's, <see cref="Simd.Stride"/> floats apart: exp(N q²) tanh(d s) with
/// q the clamped magnitude brought to 0 .. 1, s the column's sum of d, or of sign(d) q. Ranges without width make 0 of q.
/// </summary>
internal static unsafe class Balance
{
    private const float SmallestDivisor = 1e-12f;

    /// <summary>balances = those of the rows of deltas; they may not overlap.</summary>
    /// <param name="deltas">The deltas.</param>
    /// <param name="ranges">The range of each row.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="signed">Whether s sums up sign(d) q.</param>
    /// <param name="n">Number of columns.</param>
    /// <param name="balances">Where the rows of balances go.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Compute(float* deltas, BalanceRange* ranges, int count, bool signed, nint n, float* balances)
    {
        var kernel = new Kernel { Deltas = deltas, Ranges = ranges, Count = count, Signed = signed, Elements = n, Balances = balances };
        Simd.Run(ref kernel);
    }

    /// <summary>
    /// mix[e] = sum of w sign(d) a scale / max(sum of scale, 1e-12), a the clamped magnitude, scale the clamped balance brought to
    /// 0 .. 1; NaNs are canonical.
    /// </summary>
    /// <param name="deltas">The rows of deltas.</param>
    /// <param name="balances">Their balances.</param>
    /// <param name="ranges">The range of each row.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="n">Number of columns.</param>
    /// <param name="mix">Where the result goes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Mix(float* deltas, float* balances, BalanceRange* ranges, int count, nint n, float* mix)
    {
        var kernel = new MixKernel { Deltas = deltas, Balances = balances, Ranges = ranges, Count = count, Elements = n, Mix = mix };
        Simd.Run(ref kernel);
    }

    /// <summary>values[e] = max(values[e], 0), or max(-values[e], 0); a NaN becomes 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void TakeSide(float* values, bool negative, nint n)
    {
        var kernel = new SideKernel { Values = values, Negative = negative, Elements = n };
        Simd.Run(ref kernel);
    }

    /// <summary>|d| clamped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Clamp<TSimd>(TSimd value, float low, float high)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var (from, to) = (TSimd.Create(low), TSimd.Create(high));
        value = TSimd.SelectGreater(from, value, from, value);
        return TSimd.SelectGreater(value, to, to, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Normal<TSimd>(TSimd value, float low, float high)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var clamped = Clamp(value, low, high) - TSimd.Create(low);
        return high > low ? clamped / TSimd.Create(high - low) : clamped;
    }

    private struct Kernel : IKernel
    {
        internal float* Deltas;
        internal BalanceRange* Ranges;
        internal int Count;
        internal bool Signed;
        internal nint Elements;
        internal float* Balances;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            var absolute = TSimd.CreateBits(int.MaxValue);
            var sign = TSimd.CreateBits(int.MinValue);
            var experts = TSimd.Create(kernel.Count);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var sum = zero;
                for (nint i = 0; i < kernel.Count; i++)
                {
                    // The balances' place holds q until the sum is known.
                    var d = TSimd.Load(kernel.Deltas + e + (i * Simd.Stride));
                    var q = Normal(d & absolute, kernel.Ranges[i].Low, kernel.Ranges[i].High);
                    TSimd.Store(q, kernel.Balances + e + (i * Simd.Stride));
                    sum += kernel.Signed ? TSimd.SelectEqual(d, zero, zero, q | (d & sign)) : d;
                }

                for (nint i = 0; i < kernel.Count; i++)
                {
                    var d = TSimd.Load(kernel.Deltas + e + (i * Simd.Stride));
                    var place = kernel.Balances + e + (i * Simd.Stride);
                    var q = TSimd.Load(place);
                    TSimd.Store(VectorMath.Exp(experts * (q * q)) * VectorMath.Tanh(d * sum), place);
                }
            }

            return e;
        }
    }

    private struct MixKernel : IKernel
    {
        internal float* Deltas;
        internal float* Balances;
        internal BalanceRange* Ranges;
        internal int Count;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in MixKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            var absolute = TSimd.CreateBits(int.MaxValue);
            var sign = TSimd.CreateBits(int.MinValue);
            var smallest = TSimd.Create(SmallestDivisor);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                TSimd sum = zero, scales = zero;
                for (nint i = 0; i < kernel.Count; i++)
                {
                    var range = kernel.Ranges[i];
                    var d = TSimd.Load(kernel.Deltas + e + (i * Simd.Stride));
                    var clamped = TSimd.SelectEqual(d, zero, zero, Clamp(d & absolute, range.Low, range.High) | (d & sign));
                    var scale = Normal(TSimd.Load(kernel.Balances + e + (i * Simd.Stride)), range.Floor, range.Top);
                    sum += (clamped * TSimd.Create(range.Weight)) * scale;
                    scales += scale;
                }

                TSimd.Store(Canonical.Of(sum / TSimd.SelectGreater(smallest, scales, smallest, scales)), kernel.Mix + e);
            }

            return e;
        }
    }

    private struct SideKernel : IKernel
    {
        internal float* Values;
        internal bool Negative;
        internal nint Elements;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in SideKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            var flip = TSimd.CreateBits(kernel.Negative ? int.MinValue : 0);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var value = TSimd.Load(kernel.Values + e) ^ flip;
                TSimd.Store(TSimd.SelectGreater(value, zero, value, zero), kernel.Values + e);
            }

            return e;
        }
    }
}
