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
            Division = new ConstantDivision(divisor),
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
        internal ConstantDivision Division;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            var unweighted = !new ReadOnlySpan<float>(Weights, Count).ContainsAnyExcept(1f);
            switch (Base is null, unweighted)
            {
                case (true, true): Run<TSimd, TFormat, No, No>(); break;
                case (true, false): Run<TSimd, TFormat, No, Yes>(); break;
                case (false, true): Run<TSimd, TFormat, Yes, No>(); break;
                case (false, false): Run<TSimd, TFormat, Yes, Yes>(); break;
            }
        }

        private readonly void Run<TSimd, TFormat, TBase, TWeights>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
            where TBase : IFlag
            where TWeights : IFlag =>
            Loop<SimdScalar, TFormat, TBase, TWeights>(this, Loop<TSimd, TFormat, TBase, TWeights>(this, 0));

        /// <summary>Sums up from an element on; a product with a weight of 1 is left out, as it is the factor.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd, TFormat, TBase, TWeights>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
            where TBase : IFlag
            where TWeights : IFlag
        {
            void* @base = kernel.Base;
            void** inputs = kernel.Inputs;
            float* weights = kernel.Weights, mix = kernel.Mix;
            var (count, n, divisor) = (kernel.Count, kernel.Elements, kernel.Divisor);
            var division = kernel.Division;
            var suits = ConstantDivision.Suits(divisor);

            // Four vectors at once share the loads of an input's address and weight.
            nint step = TSimd.Count;
            for (; e <= n - (4 * step); e += 4 * step)
            {
                TSimd b0 = default, b1 = default, b2 = default, b3 = default;
                if (TBase.Value)
                {
                    (b0, b1) = TFormat.LoadPair<TSimd>(@base, e);
                    (b2, b3) = TFormat.LoadPair<TSimd>(@base, e + (2 * step));
                }

                TSimd s0 = TSimd.Create(0), s1 = s0, s2 = s0, s3 = s0;
                for (nint i = 0; i < count; i++)
                {
                    var input = inputs[i];
                    var (x0, x1) = TFormat.LoadPair<TSimd>(input, e);
                    var (x2, x3) = TFormat.LoadPair<TSimd>(input, e + (2 * step));
                    if (TBase.Value)
                        (x0, x1, x2, x3) = (x0 - b0, x1 - b1, x2 - b2, x3 - b3);
                    if (TWeights.Value)
                    {
                        var weight = TSimd.Create(weights[i]);
                        (x0, x1, x2, x3) = (x0 * weight, x1 * weight, x2 * weight, x3 * weight);
                    }

                    s0 += x0;
                    s1 += x1;
                    s2 += x2;
                    s3 += x3;
                }

                if (suits)
                {
                    division.Divide(ref s0, ref s1, ref s2, ref s3);
                }
                else
                {
                    var d = TSimd.Create(divisor);
                    (s0, s1, s2, s3) = (s0 / d, s1 / d, s2 / d, s3 / d);
                }

                (s0, s1) = TFormat.InOrder(s0, s1);
                (s2, s3) = TFormat.InOrder(s2, s3);
                TSimd.Store(Canonical.Of(s0), mix + e);
                TSimd.Store(Canonical.Of(s1), mix + e + step);
                TSimd.Store(Canonical.Of(s2), mix + e + (2 * step));
                TSimd.Store(Canonical.Of(s3), mix + e + (3 * step));
            }

            for (; e <= n - step; e += step)
            {
                var s = TSimd.Create(0);
                for (nint i = 0; i < count; i++)
                {
                    var x = TFormat.Load<TSimd>(inputs[i], e);
                    if (TBase.Value)
                        x -= TFormat.Load<TSimd>(@base, e);
                    s += TWeights.Value ? x * TSimd.Create(weights[i]) : x;
                }

                TSimd.Store(Canonical.Of(s / TSimd.Create(divisor)), mix + e);
            }

            return e;
        }
    }
}
