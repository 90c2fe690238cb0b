using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Weighted sums of inputs, the dense methods: averages and task arithmetic.</summary>
/// <remarks>
/// Inputs are read in the order given, each product and each sum rounded to fp32; the sum starts at +0.
/// Inputs of one call may have different formats; those that share one are read directly.
/// </remarks>
internal static unsafe class Mix
{
    /// <summary>Most inputs of one call; the planner refuses recipes with more.</summary>
    internal const int MaxInputs = 64;

    /// <summary>mix[e] = (sum over i of weights[i] * inputs[i][e]) / <paramref name="divisor"/>; a divisor of 1 divides nothing.</summary>
    /// <param name="inputs">The inputs, <paramref name="count"/> of them.</param>
    /// <param name="weights">One weight for each input.</param>
    /// <param name="count">Number of inputs, 1 to <see cref="MaxInputs"/>.</param>
    /// <param name="divisor">What the sum is divided by, once.</param>
    /// <param name="n">Elements of this sub-block.</param>
    /// <param name="mix">Where the result goes; NaNs are canonical.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Weighted(RawBlock* inputs, float* weights, int count, float divisor, nint n, float* mix) =>
        Run(null, inputs, weights, count, divisor, n, mix);

    /// <summary>mix[e] = (sum over i of weights[i] * (experts[i][e] - base[e])) / <paramref name="divisor"/>; a divisor of 1 divides nothing.</summary>
    /// <param name="base">The base tensor's elements.</param>
    /// <param name="experts">The experts, <paramref name="count"/> of them.</param>
    /// <param name="weights">One weight for each expert.</param>
    /// <param name="count">Number of experts, 1 to <see cref="MaxInputs"/>.</param>
    /// <param name="divisor">What the sum is divided by, once.</param>
    /// <param name="n">Elements of this sub-block.</param>
    /// <param name="mix">Where the result goes; NaNs are canonical.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void TaskVectors(RawBlock @base, RawBlock* experts, float* weights, int count, float divisor, nint n, float* mix) =>
        Run(&@base, experts, weights, count, divisor, n, mix);

    private static void Run(RawBlock* @base, RawBlock* inputs, float* weights, int count, float divisor, nint n, float* mix)
    {
        var format = inputs[0].Format;
        var same = format != FloatFormat.F64 && (@base is null || @base->Format == format);
        for (var i = 1; i < count; i++)
            same &= inputs[i].Format == format;

        if (!same)
        {
            RunWidened(@base, inputs, weights, count, divisor, n, mix);
            return;
        }

        var data = stackalloc void*[count];
        for (var i = 0; i < count; i++)
            data[i] = inputs[i].Data;

        var kernel = new Kernel
        {
            Base = @base is null ? null : @base->Data,
            Inputs = data,
            Weights = weights,
            Count = count,
            Divisor = divisor,
            Elements = n,
            Mix = mix,
        };
        Simd.Run(ref kernel, format);
    }

    [SkipLocalsInit]
    private static void RunWidened(RawBlock* @base, RawBlock* inputs, float* weights, int count, float divisor, nint n, float* mix)
    {
        var rows = stackalloc float[(count + 1) * Simd.Stride];
        var blocks = stackalloc RawBlock[count + 1];
        for (var i = 0; i <= count; i++)
            blocks[i] = new RawBlock(rows + (i * Simd.Stride), FloatFormat.F32);

        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            for (var i = 0; i < count; i++)
                Widen.ToSingle(inputs[i].From(e), length, (float*)blocks[i].Data);

            if (@base is not null)
                Widen.ToSingle(@base->From(e), length, (float*)blocks[count].Data);

            Run(@base is null ? null : blocks + count, blocks, weights, count, divisor, length, mix + e);
        }
    }

    private struct Kernel : IFormatKernel
    {
        internal void* Base;
        internal void** Inputs;
        internal float* Weights;
        internal int Count;
        internal float Divisor;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            if (Base is null)
            {
                var done = Weighted<TSimd, TFormat>(Inputs, Weights, Count, Divisor, Mix, 0, Elements);
                Weighted<SimdScalar, TFormat>(Inputs, Weights, Count, Divisor, Mix, done, Elements);
            }
            else
            {
                var done = TaskVectors<TSimd, TFormat>(Base, Inputs, Weights, Count, Divisor, Mix, 0, Elements);
                TaskVectors<SimdScalar, TFormat>(Base, Inputs, Weights, Count, Divisor, Mix, done, Elements);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Weighted<TSimd, TFormat>(void** inputs, float* weights, int count, float divisor, float* mix, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            // Four vectors at once share the loads of an input's address and weight.
            nint step = TSimd.Count;
            for (; e <= n - (4 * step); e += 4 * step)
            {
                TSimd s0 = TSimd.Create(0), s1 = s0, s2 = s0, s3 = s0;
                for (nint i = 0; i < count; i++)
                {
                    var input = inputs[i];
                    var weight = TSimd.Create(weights[i]);
                    s0 += TFormat.Load<TSimd>(input, e) * weight;
                    s1 += TFormat.Load<TSimd>(input, e + step) * weight;
                    s2 += TFormat.Load<TSimd>(input, e + (2 * step)) * weight;
                    s3 += TFormat.Load<TSimd>(input, e + (3 * step)) * weight;
                }

                Finish(s0, divisor, mix + e);
                Finish(s1, divisor, mix + e + step);
                Finish(s2, divisor, mix + e + (2 * step));
                Finish(s3, divisor, mix + e + (3 * step));
            }

            for (; e <= n - step; e += step)
            {
                var s = TSimd.Create(0);
                for (nint i = 0; i < count; i++)
                    s += TFormat.Load<TSimd>(inputs[i], e) * TSimd.Create(weights[i]);

                Finish(s, divisor, mix + e);
            }

            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint TaskVectors<TSimd, TFormat>(
            void* @base, void** inputs, float* weights, int count, float divisor, float* mix, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            nint step = TSimd.Count;
            for (; e <= n - (4 * step); e += 4 * step)
            {
                var b0 = TFormat.Load<TSimd>(@base, e);
                var b1 = TFormat.Load<TSimd>(@base, e + step);
                var b2 = TFormat.Load<TSimd>(@base, e + (2 * step));
                var b3 = TFormat.Load<TSimd>(@base, e + (3 * step));
                TSimd s0 = TSimd.Create(0), s1 = s0, s2 = s0, s3 = s0;
                for (nint i = 0; i < count; i++)
                {
                    var input = inputs[i];
                    var weight = TSimd.Create(weights[i]);
                    s0 += (TFormat.Load<TSimd>(input, e) - b0) * weight;
                    s1 += (TFormat.Load<TSimd>(input, e + step) - b1) * weight;
                    s2 += (TFormat.Load<TSimd>(input, e + (2 * step)) - b2) * weight;
                    s3 += (TFormat.Load<TSimd>(input, e + (3 * step)) - b3) * weight;
                }

                Finish(s0, divisor, mix + e);
                Finish(s1, divisor, mix + e + step);
                Finish(s2, divisor, mix + e + (2 * step));
                Finish(s3, divisor, mix + e + (3 * step));
            }

            for (; e <= n - step; e += step)
            {
                var b = TFormat.Load<TSimd>(@base, e);
                var s = TSimd.Create(0);
                for (nint i = 0; i < count; i++)
                    s += (TFormat.Load<TSimd>(inputs[i], e) - b) * TSimd.Create(weights[i]);

                Finish(s, divisor, mix + e);
            }

            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Finish<TSimd>(TSimd sum, float divisor, float* mix)
            where TSimd : unmanaged, ISimd<TSimd> =>
            TSimd.Store(Canonical.Of(divisor == 1f ? sum : sum / TSimd.Create(divisor)), mix);
    }
}
