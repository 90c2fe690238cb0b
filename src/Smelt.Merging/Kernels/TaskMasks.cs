using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>When a task mask is on, for base b, expert x = b + d and mixed task vector t.</summary>
internal enum MaskRule
{
    /// <summary>d and t have the same sign, and neither is zero.</summary>
    Agreement,

    /// <summary>|b - x| &gt; lambda |(b + t) - x|.</summary>
    Models,

    /// <summary>|b - d| &gt; lambda |t - d|.</summary>
    BaseWeights,
}

/// <summary>
/// Masks of a bit for each element: bit e % 64 of word e / 64. Bits beyond the last element are 0, and comparisons with NaN
/// are not true.
/// </summary>
internal static unsafe class TaskMasks
{
    /// <summary>Planes of a count of up to <see cref="Mix.MaxInputs"/> masks.</summary>
    private const int Planes = 7;

    /// <summary>The mask of one expert.</summary>
    /// <param name="base">The base's elements.</param>
    /// <param name="expert">The expert's.</param>
    /// <param name="mix">The mixed task vector.</param>
    /// <param name="rule">When a bit is on.</param>
    /// <param name="lambda">The rule's factor.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="bits">Where the mask goes: (n + 63) / 64 words.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Compute(RawBlock @base, RawBlock expert, float* mix, MaskRule rule, float lambda, nint n, ulong* bits)
    {
        var widened = stackalloc float[2 * Simd.LongChunk];
        for (nint e = 0; e < n; e += Simd.LongChunk)
        {
            var kernel = new CompareKernel
            {
                Base = widened,
                Expert = widened + Simd.LongChunk,
                Mix = mix + e,
                Rule = rule,
                Lambda = lambda,
                Elements = Math.Min(n - e, Simd.LongChunk),
                Bits = bits + (e >> 6),
            };
            Widen.ToSingle(@base.From(e), kernel.Elements, kernel.Base);
            Widen.ToSingle(expert.From(e), kernel.Elements, kernel.Expert);
            Simd.Run(ref kernel);
        }
    }

    /// <summary>The mask of the elements that are on in at least <paramref name="atLeast"/> of the masks.</summary>
    /// <param name="masks">The masks, <paramref name="stride"/> words apart.</param>
    /// <param name="count">Number of masks, at most <see cref="Mix.MaxInputs"/>.</param>
    /// <param name="stride">Words from one mask to the next.</param>
    /// <param name="atLeast">How many must be on; 0 and less takes all.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="bits">Where the result goes; may be one of the masks.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void AtLeast(ulong* masks, int count, int stride, int atLeast, nint n, ulong* bits)
    {
        var planes = stackalloc ulong[Planes];
        for (nint word = 0; word < (n + 63) / 64; word++)
        {
            new Span<ulong>(planes, Planes).Clear();
            for (var i = 0; i < count; i++)
            {
                var carry = masks[(i * (nint)stride) + word];
                for (var p = 0; carry != 0; p++)
                {
                    var sum = planes[p] ^ carry;
                    carry &= planes[p];
                    planes[p] = sum;
                }
            }

            var (greater, equal) = (0UL, ulong.MaxValue);
            for (var p = Planes - 1; p >= 0; p--)
            {
                if ((atLeast >> p & 1) != 0)
                {
                    equal &= planes[p];
                }
                else
                {
                    greater |= equal & planes[p];
                    equal &= ~planes[p];
                }
            }

            var inside = n - (word * 64) >= 64 ? ulong.MaxValue : (1UL << (int)(n - (word * 64))) - 1;
            bits[word] = (atLeast <= 0 ? ulong.MaxValue : atLeast > count ? 0 : greater | equal) & inside;
        }
    }

    /// <summary>values[e] = +0 where the mask is off.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Apply(ulong* bits, float* values, nint n)
    {
        var kernel = new ApplyKernel { Bits = bits, Values = values, Elements = n };
        Simd.Run(ref kernel);
    }

    private struct CompareKernel : IKernel
    {
        internal float* Base;
        internal float* Expert;
        internal float* Mix;
        internal MaskRule Rule;
        internal float Lambda;
        internal nint Elements;
        internal ulong* Bits;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            nint e = 0;
            for (; e <= Elements - 64; e += 64)
                Bits[e >> 6] = Word<TSimd>(this, e, 64);
            if (e < Elements)
                Bits[e >> 6] = Word<SimdScalar>(this, e, (int)(Elements - e));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static ulong Word<TSimd>(in CompareKernel kernel, nint e, int count)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            var magnitude = TSimd.CreateBits(int.MaxValue);
            var lambda = TSimd.Create(kernel.Lambda);
            var word = 0UL;
            for (var l = 0; l < count; l += TSimd.Count)
            {
                var b = TSimd.Load(kernel.Base + e + l);
                var x = TSimd.Load(kernel.Expert + e + l);
                var t = TSimd.Load(kernel.Mix + e + l);
                uint on;
                switch (kernel.Rule)
                {
                    case MaskRule.Agreement:
                        var d = x - b;
                        on = (TSimd.PackGreater(d, zero) & TSimd.PackGreater(t, zero)) | (TSimd.PackGreater(zero, d) & TSimd.PackGreater(zero, t));
                        break;
                    case MaskRule.Models:
                        on = TSimd.PackGreater((b - x) & magnitude, (((b + t) - x) & magnitude) * lambda);
                        break;
                    default:
                        d = x - b;
                        on = TSimd.PackGreater((b - d) & magnitude, ((t - d) & magnitude) * lambda);
                        break;
                }

                word |= (ulong)on << l;
            }

            return word;
        }
    }

    private struct ApplyKernel : IKernel
    {
        internal ulong* Bits;
        internal float* Values;
        internal nint Elements;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in ApplyKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
                TSimd.Store(TSimd.SelectBits((uint)(kernel.Bits[e >> 6] >> (int)e), TSimd.Load(kernel.Values + e), TSimd.Create(0)), kernel.Values + e);

            return e;
        }
    }
}
