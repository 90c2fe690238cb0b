using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>The importance of an expert's changes: |x - b| times the divergence of the element's row.</summary>
internal static unsafe class Importance
{
    /// <summary>What is added to each probability.</summary>
    private const double Epsilon = 1e-8;

    /// <summary>
    /// KL(P || Q) = Σ P ln(P / Q) with P = softmax(expert) + 1e-8 and Q = softmax(base) + 1e-8, summed in order of the
    /// elements; never negative.
    /// </summary>
    /// <param name="base">The base's row; overwritten.</param>
    /// <param name="expert">The expert's row; overwritten.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static double Divergence(Span<double> @base, Span<double> expert)
    {
        var (baseTotal, expertTotal) = (Exponentials(@base), Exponentials(expert));
        var sum = 0.0;
        for (var i = 0; i < @base.Length; i++)
        {
            var p = (expert[i] / expertTotal) + Epsilon;
            var q = (@base[i] / baseTotal) + Epsilon;
            sum += p * PortableMath.Log(p / q);
        }

        return Math.Max(sum, 0);
    }

    /// <summary>scores[e] = |x - b| * <paramref name="divergence"/>; NaNs are canonical.</summary>
    internal static void Scores(RawBlock @base, RawBlock expert, float divergence, nint n, float* scores) =>
        Run(@base, expert, divergence, float.NaN, n, scores);

    /// <summary>mix[e] = x where |x - b| * <paramref name="divergence"/> is at least <paramref name="threshold"/>, else b; NaNs are canonical.</summary>
    internal static void Choose(RawBlock @base, RawBlock expert, float divergence, float threshold, nint n, float* mix) =>
        Run(@base, expert, divergence, threshold, n, mix);

    /// <summary>Values to e to the power of them, scaled so that the largest is 1; their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Exponentials(Span<double> values)
    {
        var largest = double.NegativeInfinity;
        foreach (var value in values)
            largest = Math.Max(largest, value);
        var total = 0.0;
        foreach (ref var value in values)
        {
            value = PortableMath.Exp(value - largest);
            total += value;
        }

        return total;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(RawBlock @base, RawBlock expert, float divergence, float threshold, nint n, float* destination)
    {
        var b = stackalloc float[2 * Simd.Stride];
        var x = b + Simd.Stride;
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            Widen.ToSingle(@base.From(e), length, b);
            Widen.ToSingle(expert.From(e), length, x);
            var kernel = new Kernel { Base = b, Expert = x, Divergence = divergence, Threshold = threshold, Elements = length, Destination = destination + e };
            Simd.Run(ref kernel);
        }
    }

    private struct Kernel : IKernel
    {
        internal float* Base;
        internal float* Expert;
        internal float Divergence;
        internal float Threshold;
        internal nint Elements;
        internal float* Destination;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var magnitude = TSimd.CreateBits(int.MaxValue);
            var divergence = TSimd.Create(kernel.Divergence);
            var threshold = TSimd.Create(kernel.Threshold);
            var chooses = !float.IsNaN(kernel.Threshold);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var b = TSimd.Load(kernel.Base + e);
                var x = TSimd.Load(kernel.Expert + e);
                var score = ((x - b) & magnitude) * divergence;
                if (chooses)
                    score = TSimd.SelectGreater(threshold, score, b, x);
                TSimd.Store(Canonical.Of(score), kernel.Destination + e);
            }

            return e;
        }
    }
}
