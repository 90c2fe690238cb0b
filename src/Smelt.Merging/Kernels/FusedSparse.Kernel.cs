using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <content>The loop.</content>
internal static unsafe partial class FusedSparse
{
    private partial struct Kernel : IFormatKernel
    {
        internal void* Base;
        internal Pipeline* Pipelines;
        internal int Count;
        internal bool Masks;
        internal bool Cuts;
        internal bool Scales;
        internal bool WritesBack;
        internal bool Late;
        internal bool Weighted;
        internal Election Election;
        internal float* Rows;
        internal nint Start;
        internal nint End;
        internal float* Mix;
        internal ElectionCounts* Counts;
        internal ContestedList* Contested;
        internal WaitingColumns* Waiting;
        internal ulong* Marks;
        internal long* Above;
        internal long* Over;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            if (!Masks)
            {
                if (Scales)
                    Elect<TSimd, TFormat, No, Yes, No, No, Yes, No>();
                else if (Marks is null)
                    Elect<TSimd, TFormat, No, Yes, No, No, No, No>();
                else
                    Elect<TSimd, TFormat, No, Yes, No, No, No, Yes>();
            }
            else if (Scales)
                Elect<TSimd, TFormat, Yes, No, No, No, Yes, No>();
            else if (WritesBack)
            {
                if (Cuts)
                    Elect<TSimd, TFormat, Yes, Yes, Yes, Yes, No, No>();
                else
                    Elect<TSimd, TFormat, Yes, No, Yes, Yes, No, No>();
            }
            else if (Cuts)
                Elect<TSimd, TFormat, Yes, Yes, Yes, No, No, No>();
            else
                Elect<TSimd, TFormat, Yes, No, Yes, No, No, No>();
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Elect<TSimd, TFormat, TMask, TCut, TDivide, TBack, TScale, TMark>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
            where TMask : IFlag
            where TCut : IFlag
            where TDivide : IFlag
            where TBack : IFlag
            where TScale : IFlag
            where TMark : IFlag
        {
            if (Election.Vote == Vote.None)
                Loop<TSimd, TFormat, TMask, TCut, TDivide, TBack, TScale, TMark, No, No, No, No>(this);
            else if (Late)
                Loop<TSimd, TFormat, TMask, TCut, TDivide, TBack, TScale, TMark, Yes, Yes, Yes, No>(this);
            else if (Election.Combine == Combine.Sum)
                Loop<TSimd, TFormat, TMask, TCut, TDivide, TBack, TScale, TMark, Yes, No, No, No>(this);
            else
                Loop<TSimd, TFormat, TMask, TCut, TDivide, TBack, TScale, TMark, Yes, Yes, No, No>(this);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<TSimd, TFormat, TMask, TCut, TDivide, TBack, TScale, TMark, TElect, TMean, TLate, TEach>(in Kernel kernel)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
            where TMask : IFlag
            where TCut : IFlag
            where TDivide : IFlag
            where TBack : IFlag
            where TScale : IFlag
            where TMark : IFlag
            where TElect : IFlag
            where TMean : IFlag
            where TLate : IFlag
            where TEach : IFlag
        {
            if (TDivide.Value && !TEach.Value && !TSimd.HasMultiplyAdd)
            {
                DivideEach<TSimd, TFormat, TMask, TCut, TBack, TElect, TMean, TLate>(kernel, kernel.Start, kernel.End);
                return;
            }

            nint step = TSimd.Count;
            nint count = kernel.Count;
            var pipelines = kernel.Pipelines;
            var rows = kernel.Rows;
            var mix = kernel.Mix;
            var end = kernel.End;
            var zeroVote = kernel.Election.ZeroVote;
            var counts = kernel.Counts is not null;
            var mean = kernel.Election.Combine == Combine.Mean;
            var weighted = kernel.Weighted;
            var tally = default(Tally);

            // Two rows of counts for each expert; they and the rows of deltas stay in the first-level cache.
            var above = TMark.Value ? rows + (count * AtOnce * step) : null;
            var over = kernel.Over is not null;
            for (nint i = 0; TMark.Value && i < 2 * count; i++)
                TSimd.Store(TSimd.CreateBits(0), above + (i * step));
            var zero = TSimd.Create(0);
            for (var e = kernel.Start; e < end; e += AtOnce * step)
            {
                var (b0, b1) = TFormat.LoadPair<TSimd>(kernel.Base, e);
                var (b2, b3) = TFormat.LoadPair<TSimd>(kernel.Base, e + (2 * step));
                if (TDivide.Value && !TEach.Value && !DividesByProducts<TSimd, TFormat>(kernel, e, b0, b1, b2, b3))
                {
                    DivideEach<TSimd, TFormat, TMask, TCut, TBack, TElect, TMean, TLate>(kernel, e, e + (AtOnce * step));
                    continue;
                }

                TSimd s0 = zero, s1 = zero, s2 = zero, s3 = zero;
                uint open0 = 0, open1 = 0, open2 = 0, open3 = 0;
                var row = rows;
                for (nint i = 0; i < count; i++)
                {
                    ref var pipeline = ref pipelines[i];
                    var values = pipeline.Values;
                    TSimd d0, d1, d2, d3;
                    if (TDivide.Value && !TEach.Value)
                    {
                        // Numbers are finite here, so that a base that takes an expert's place leaves zero.
                        (d0, d1) = TFormat.LoadKept<TSimd>(values, kernel.Base, e, pipeline.Mask);
                        (d2, d3) = TFormat.LoadKept<TSimd>(values, kernel.Base, e + (2 * step), pipeline.Mask);
                    }
                    else
                    {
                        (d0, d1) = TFormat.LoadPair<TSimd>(values, e);
                        (d2, d3) = TFormat.LoadPair<TSimd>(values, e + (2 * step));
                    }

                    d0 -= b0;
                    d1 -= b1;
                    d2 -= b2;
                    d3 -= b3;
                    if (TMask.Value && (TEach.Value || !TDivide.Value))
                    {
                        var (bit0, bit1) = TFormat.PairBits<TSimd>();
                        var (mask0, mask2) = (IFormat.MaskBits<TSimd>(pipeline.Mask, e), IFormat.MaskBits<TSimd>(pipeline.Mask, e + (2 * step)));
                        d0 = TSimd.SelectBit(mask0, bit0, d0, zero);
                        d1 = TSimd.SelectBit(mask0, bit1, d1, zero);
                        d2 = TSimd.SelectBit(mask2, bit0, d2, zero);
                        d3 = TSimd.SelectBit(mask2, bit1, d3, zero);
                    }

                    if (TEach.Value)
                        pipeline.Division.DivideEach(ref d0, ref d1, ref d2, ref d3);
                    else if (TDivide.Value)
                        pipeline.Division.Multiply(ref d0, ref d1, ref d2, ref d3);

                    if (TBack.Value)
                    {
                        d0 = (b0 + d0) - b0;
                        d1 = (b1 + d1) - b1;
                        d2 = (b2 + d2) - b2;
                        d3 = (b3 + d3) - b3;
                    }

                    if (TMark.Value)
                    {
                        // One vector after the other: there are registers for no more.
                        var low = TSimd.CreateBits(pipeline.Low);
                        var span = TSimd.CreateBits(pipeline.Span);
                        var keep = TSimd.CreateBits(pipeline.Keep);
                        var place = above + (i * step);
                        var kept = TSimd.Load(place);
                        open0 |= Mark(ref d0, low, span, keep, ref kept);
                        open1 |= Mark(ref d1, low, span, keep, ref kept);
                        open2 |= Mark(ref d2, low, span, keep, ref kept);
                        open3 |= Mark(ref d3, low, span, keep, ref kept);
                        TSimd.Store(kept, place);
                        if (over)
                        {
                            var top = TSimd.CreateBits(pipeline.Top);
                            place += count * step;
                            var sum = CountAbove(CountAbove(TSimd.Load(place), d0, top), d1, top);
                            TSimd.Store(CountAbove(CountAbove(sum, d2, top), d3, top), place);
                        }
                    }
                    else if (TCut.Value)
                    {
                        var keep = TSimd.CreateBits(pipeline.Keep);
                        d0 = Trim(d0, keep);
                        d1 = Trim(d1, keep);
                        d2 = Trim(d2, keep);
                        d3 = Trim(d3, keep);
                    }

                    if (TScale.Value)
                    {
                        var ratio = TSimd.Create(pipeline.Ratio);
                        d0 *= ratio;
                        d1 *= ratio;
                        d2 *= ratio;
                        d3 *= ratio;
                    }

                    if (weighted)
                    {
                        var weight = TSimd.Create(pipeline.Scale);
                        d0 *= weight;
                        d1 *= weight;
                        d2 *= weight;
                        d3 *= weight;
                    }

                    if (TElect.Value)
                    {
                        TSimd.Store(d0, row);
                        TSimd.Store(d1, row + step);
                        TSimd.Store(d2, row + (2 * step));
                        TSimd.Store(d3, row + (3 * step));
                        row += AtOnce * step;
                    }

                    s0 += d0;
                    s1 += d1;
                    s2 += d2;
                    s3 += d3;
                }

                if (TMark.Value)
                    kernel.Marks[e >> 6] |= MarkBits<TSimd>(TFormat.InOrder(open0, open1, (int)step), TFormat.InOrder(open2, open3, (int)step), e);

                if (!TElect.Value)
                {
                    Store<TSimd, TFormat>(Canonical.Of(s0), Canonical.Of(s1), mix + e);
                    Store<TSimd, TFormat>(Canonical.Of(s2), Canonical.Of(s3), mix + e + (2 * step));
                    continue;
                }

                // What is called between the two would have the other two sums and the constants out of their registers.
                var lower = Resolve<TSimd, TFormat, TMean, TLate>(s0, s1, rows, pipelines, count, zeroVote, mean, mix + e, counts, ref tally);
                var upper = Resolve<TSimd, TFormat, TMean, TLate>(s2, s3, rows + (2 * step), pipelines, count, zeroVote, mean, mix + e + (2 * step), counts, ref tally);
                if (TMark.Value)
                {
                    // Zero votes wait, for the majority of signs is not known either.
                    kernel.Marks[e >> 6] |= MarkBits<TSimd>(lower, upper, e);
                }
                else if ((lower | upper) != 0 && kernel.Contested is not null)
                {
                    Collect<TSimd, TFormat, TMean, TLate>(kernel, lower, rows, e);
                    Collect<TSimd, TFormat, TMean, TLate>(kernel, upper, rows + (2 * step), e + (2 * step));
                }
            }

            if (kernel.Contested is not null)
                Flush<TSimd, TMean, TLate>(kernel);
            for (nint lane = 0; TMark.Value && lane < count * step; lane++)
            {
                kernel.Above[lane / step] += ((int*)above)[lane];
                if (over)
                    kernel.Over[lane / step] += ((int*)above)[lane + (count * step)];
            }

            if (counts)
                *kernel.Counts += new ElectionCounts(tally.Positive, tally.Negative, tally.Contested);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TSimd Trim<TSimd>(TSimd delta, TSimd keep)
            where TSimd : unmanaged, ISimd<TSimd> =>
            TSimd.SelectGreaterBits(delta & TSimd.CreateBits(int.MaxValue), keep, delta, TSimd.Create(0));

        /// <summary>Adds to lanes whether deltas exceed a magnitude.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TSimd CountAbove<TSimd>(TSimd sum, TSimd delta, TSimd magnitude)
            where TSimd : unmanaged, ISimd<TSimd> => TSimd.CountGreaterBits(sum, delta & TSimd.CreateBits(int.MaxValue), magnitude);

        /// <summary>Trims deltas and counts what is kept; returns of which it is open whether they are.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static uint Mark<TSimd>(ref TSimd delta, TSimd low, TSimd span, TSimd keep, ref TSimd kept)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var magnitude = delta & TSimd.CreateBits(int.MaxValue);
            kept = TSimd.CountGreaterBits(kept, magnitude, keep);
            delta = TSimd.SelectGreaterBits(magnitude, keep, delta, TSimd.Create(0));
            return TSimd.PackInside(magnitude, low, span);
        }

        /// <summary>
        /// Whether the differences of all experts, of four vectors from element <paramref name="e"/> on, can be divided by products: no number is large,
        /// and no difference from these of the base is tiny.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static bool DividesByProducts<TSimd, TFormat>(in Kernel kernel, nint e, TSimd b0, TSimd b1, TSimd b2, TSimd b3)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            nint next = e + (2 * TSimd.Count);
            var (lower, upper) = (TFormat.BitsOfPair<TSimd>(kernel.Base, e), TFormat.BitsOfPair<TSimd>(kernel.Base, next));
            for (nint i = 0; i < kernel.Count; i++)
            {
                lower |= TFormat.BitsOfPair<TSimd>(kernel.Pipelines[i].Values, e);
                upper |= TFormat.BitsOfPair<TSimd>(kernel.Pipelines[i].Values, next);
            }

            return !TSimd.AnyCommonBits(lower | upper, TSimd.CreateBits(TFormat.LargeBits)) && ConstantDivision.IsCoarse(b0, b1, b2, b3);
        }

        /// <summary>Merges some of the elements, with divisions.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void DivideEach<TSimd, TFormat, TMask, TCut, TBack, TElect, TMean, TLate>(in Kernel kernel, nint start, nint end)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
            where TMask : IFlag
            where TCut : IFlag
            where TBack : IFlag
            where TElect : IFlag
            where TMean : IFlag
            where TLate : IFlag
        {
            var part = kernel;
            part.Start = start;
            part.End = end;
            Loop<TSimd, TFormat, TMask, TCut, Yes, TBack, No, No, TElect, TMean, TLate, Yes>(part);
        }

        /// <summary>The bits of four vectors from element <paramref name="e"/> on, where they are in their word.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static ulong MarkBits<TSimd>(uint lower, uint upper, nint e)
            where TSimd : unmanaged, ISimd<TSimd> => (lower | ((ulong)upper << (2 * TSimd.Count))) << (int)e;

        /// <summary>Writes two vectors in the order of their elements.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store<TSimd, TFormat>(TSimd first, TSimd second, float* mix)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            (first, second) = TFormat.InOrder(first, second);
            TSimd.Store(first, mix);
            TSimd.Store(second, mix + TSimd.Count);
        }
    }
}
