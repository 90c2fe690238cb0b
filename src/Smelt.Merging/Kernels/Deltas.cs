using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>The sparse task vector of one expert: the pipeline that merging, thresholds, norms and counts share.</summary>
internal static unsafe class Deltas
{
    /// <summary>
    /// deltas[e] = scale * d for e in [0, <paramref name="n"/>), d as <see cref="ExpertBlock"/> says. Zeros that a mask or a trim makes are +0 times scale.
    /// A NaN may keep the payload of an operand: what reads deltas treats all NaNs alike.
    /// </summary>
    /// <param name="base">The base's elements, widened; null stands for zeros that are not subtracted.</param>
    /// <param name="expert">The expert, positioned as <paramref name="first"/> says.</param>
    /// <param name="first">Index, in the sub-block of <paramref name="expert"/>, of the first element; a multiple of 64.</param>
    /// <param name="flatStart">Flat index, in the tensor, of the sub-block's first element.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="scale">A last factor; 1 multiplies nothing.</param>
    /// <param name="deltas">Where they go, <paramref name="n"/> of them.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Compute(float* @base, in ExpertBlock expert, nint first, long flatStart, nint n, float scale, float* deltas)
    {
        var values = expert.Values.From(first);
        if (values.Format == FloatFormat.F64)
        {
            Widen.ToSingle(values, n, deltas);
            values = new RawBlock(deltas, FloatFormat.F32);
        }

        var flat = flatStart + first;
        var kernel = new Kernel
        {
            Base = @base,
            Values = values.Data,
            Mask = expert.Mask is null ? null : expert.Mask + (first >> 6),
            Deltas = deltas,
            Divisor = expert.Divisor,
            Divisors = expert.Divisors is null ? null : expert.Divisors + first,
            WriteBack = expert.WriteBack && expert.Origin == Origin.Delta,
            Origin = expert.Origin,
            Floor = expert.Floor,
            Ratio = expert.Ratio,
            Scale = scale,
            HasKeep = expert.Keep != Cut.All,
            HasDrop = expert.Drop != Cut.None,
            HasBand = expert.HasBand,
            Center = expert.Center,
            Spread = float.IsNaN(expert.Spread) ? Canonical.NaN : BitConverter.SingleToInt32Bits(expert.Spread),
        };

        // Between two cut-offs of flat index every element compares with the same integers.
        nint done = 0;
        while (done < n)
        {
            var end = Math.Min(After(expert.Keep.LastEqual, flat, done, n), After(expert.Drop.LastEqual, flat, done, n));
            end = Math.Min(end, After(expert.KeepFrom - 1, flat, done, n));
            kernel.Start = done;
            kernel.End = end;
            kernel.Keep = (flat + done >= expert.KeepFrom ? Cut.All : expert.Keep).Below(flat + done);
            kernel.Drop = expert.Drop.Below(flat + done);
            Simd.Run(ref kernel, values.Format);
            done = end;
        }
    }

    /// <summary>As the other overload for a whole sub-block whose base is still as stored: for statistics of one expert.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Compute(RawBlock @base, in ExpertBlock expert, long flatStart, nint n, float* deltas)
    {
        var widened = stackalloc float[Simd.LongChunk];
        for (nint e = 0; e < n; e += Simd.LongChunk)
        {
            var length = Math.Min(n - e, Simd.LongChunk);
            Widen.ToSingle(@base.From(e), length, widened);
            Compute(widened, expert, e, flatStart, length, 1, deltas + e);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint After(long last, long flat, nint done, nint n)
    {
        var before = last - flat;
        return before >= done && before < n - 1 ? (nint)before + 1 : n;
    }

    private struct Kernel : IFormatKernel
    {
        internal float* Base;
        internal void* Values;
        internal ulong* Mask;
        internal float* Deltas;
        internal float Divisor;
        internal float* Divisors;
        internal float Ratio;
        internal float Scale;
        internal bool WriteBack;
        internal Origin Origin;
        internal int Floor;
        internal bool HasKeep;
        internal bool HasDrop;
        internal bool HasBand;
        internal float Center;
        internal int Spread;
        internal int Keep;
        internal int Drop;
        internal nint Start;
        internal nint End;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            // A vector's mask bits lie in one word only from a multiple of 64 on.
            var aligned = Mask is null ? Start : Math.Min((Start + 63) & ~(nint)63, End);
            Variant<SimdScalar, TFormat>(Start, aligned);
            var vectors = aligned + ((End - aligned) & -(nint)TSimd.Count);
            Variant<TSimd, TFormat>(aligned, vectors);
            Variant<SimdScalar, TFormat>(vectors, End);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Variant<TSimd, TFormat>(nint e, nint end)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            if (e == end)
                return;

            // Short of a threshold among the NaNs, their payloads do not matter to a comparison and stay as they are.
            if (Divisor != 1 && Mask is not null && !HasKeep && !HasDrop && !HasBand && Divisors is null && Ratio == 1 && !WriteBack && Base is not null && Origin == Origin.Delta && Floor < 0)
                Loop<TSimd, TFormat, Yes, No, No, Yes>(this, e, end);
            else if (Divisor != 1 || Divisors is not null || Ratio != 1 || WriteBack || HasDrop || HasBand || Keep >= Canonical.NaN - 1 || Base is null || Origin != Origin.Delta || Floor >= 0)
                Loop<TSimd, TFormat, Yes, Yes, Yes, No>(this, e, end);
            else if (Mask is null)
            {
                if (HasKeep)
                    Loop<TSimd, TFormat, No, Yes, No, No>(this, e, end);
                else
                    Loop<TSimd, TFormat, No, No, No, No>(this, e, end);
            }
            else if (HasKeep)
                Loop<TSimd, TFormat, Yes, Yes, No, No>(this, e, end);
            else
                Loop<TSimd, TFormat, Yes, No, No, No>(this, e, end);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<TSimd, TFormat, TMask, TCut, TRest, TDivide>(in Kernel kernel, nint e, nint end)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
            where TMask : IFlag
            where TCut : IFlag
            where TRest : IFlag
            where TDivide : IFlag
        {
            var @base = kernel.Base;
            var values = kernel.Values;
            var mask = kernel.Mask;
            var deltas = kernel.Deltas;
            var zero = TSimd.Create(0);
            var scale = TSimd.Create(kernel.Scale);
            var keep = TSimd.CreateBits(kernel.Keep);
            var drop = TSimd.CreateBits(kernel.Drop);
            var divisor = kernel.Divisor;
            var divide = TSimd.Create(divisor);
            var divisors = kernel.Divisors;
            var ratio = kernel.Ratio;
            var writeBack = kernel.WriteBack;
            var (first, late) = (kernel.Origin == Origin.Delta, kernel.Origin == Origin.Weights);
            var hasFloor = kernel.Floor >= 0;
            var floor = TSimd.CreateBits(kernel.Floor);
            var hasBand = kernel.HasBand;
            var center = TSimd.Create(kernel.Center);
            var spread = TSimd.CreateBits(kernel.Spread);
            for (; e < end; e += TSimd.Count)
            {
                var d = TFormat.Load<TSimd>(values, e);
                var b = zero;
                if (!TRest.Value || @base is not null)
                {
                    b = TSimd.Load(@base + e);
                    if (!TRest.Value || first)
                        d -= b;
                }

                if (TRest.Value && hasFloor)
                    d = TSimd.SelectGreaterBits(Canonical.Magnitude(d), floor, d, zero);

                if (TMask.Value && (!TRest.Value || mask is not null))
                    d = TSimd.SelectBits((uint)(mask[e >> 6] >> (int)e), d, zero);

                if (TDivide.Value)
                    d /= divide;
                if (TRest.Value)
                {
                    if (divisor != 1)
                        d /= divide;
                    if (divisors is not null)
                        d /= TSimd.Load(divisors + e);
                    if (writeBack)
                        d = (b + d) - b;
                    if (late)
                        d -= b;
                }

                if (TCut.Value)
                {
                    var bits = TRest.Value ? Canonical.Magnitude(d) : d & TSimd.CreateBits(int.MaxValue);
                    d = TSimd.SelectGreaterBits(bits, keep, d, zero);
                    if (TRest.Value)
                        d = TSimd.SelectGreaterBits(bits, drop, zero, d);
                }

                if (TRest.Value && hasBand)
                    d = TSimd.SelectGreaterBits(Canonical.Magnitude(d - center), spread, d, zero);

                if (TRest.Value && ratio != 1)
                    d *= TSimd.Create(ratio);

                TSimd.Store(d * scale, deltas + e);
            }
        }
    }
}
