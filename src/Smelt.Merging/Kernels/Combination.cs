using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>What the agreeing values of each column of delta rows become; rows are <see cref="Simd.Stride"/> floats apart.</summary>
internal static unsafe class Combination
{
    /// <summary>Below this magnitude a constant divisor counts as 1.</summary>
    private const float SmallestDivisor = 1e-8f;

    /// <summary>mix[e] = the combination of column e.</summary>
    /// <param name="rows">Deltas: weighted ones if the election is weighted.</param>
    /// <param name="weights">The experts' weights.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="votes">The votes of <see cref="Ballot.Elect"/>; not read without an election.</param>
    /// <param name="election">How to combine.</param>
    /// <param name="n">Number of columns.</param>
    /// <param name="mix">Where the result goes; NaNs are canonical.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Resolve(float* rows, float* weights, int count, float* votes, in Election election, nint n, float* mix)
    {
        var ones = true;
        var divisor = 0f;
        for (var i = 0; i < count; i++)
        {
            ones &= weights[i] == 1;
            divisor += weights[i];
        }

        var kernel = new Kernel
        {
            Rows = rows,
            Weights = weights,
            Count = count,
            Votes = votes,
            Election = election,
            Late = !election.Weighted && !ones,
            Divisor = Math.Abs(divisor) < SmallestDivisor ? 1 : divisor,
            Elements = n,
            Mix = mix,
        };
        Simd.Run(ref kernel);
    }

    /// <summary>Makes 0 of the values of each column that do not agree with its vote, and NaN of all where the vote is.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="votes">The votes of <see cref="Ballot.Elect"/>.</param>
    /// <param name="zeroVote">What a vote of zero elects.</param>
    /// <param name="n">Number of columns.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void KeepAgreeing(float* rows, int count, float* votes, ZeroVote zeroVote, nint n)
    {
        var kernel = new AgreeingKernel { Rows = rows, Count = count, Votes = votes, ZeroVote = zeroVote, Elements = n };
        Simd.Run(ref kernel);
    }

    /// <summary>The sign bit where the elected sign is -, so that agreeing values become the positive ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TSimd Flip<TSimd>(TSimd vote, ZeroVote zeroVote)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var zero = TSimd.Create(0);
        var sign = TSimd.CreateBits(int.MinValue);
        return zeroVote == ZeroVote.Negative
            ? TSimd.SelectGreater(vote, zero, zero, sign)
            : TSimd.SelectGreater(zero, vote, sign, zero);
    }

    /// <summary>The vote's last word: NaN where a value is NaN, and nothing where a zero vote elects nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TSimd Settle<TSimd>(TSimd value, TSimd vote, ZeroVote zeroVote)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var zero = TSimd.Create(0);
        if (zeroVote == ZeroVote.Nothing)
            value = TSimd.SelectEqual(vote, zero, zero, value);

        return TSimd.SelectEqual(vote, vote, value, vote);
    }

    private struct AgreeingKernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal float* Votes;
        internal ZeroVote ZeroVote;
        internal nint Elements;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in AgreeingKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var vote = TSimd.Load(kernel.Votes + e);
                var flip = Flip(vote, kernel.ZeroVote);
                for (nint i = 0; i < kernel.Count; i++)
                {
                    var place = kernel.Rows + e + (i * Simd.Stride);
                    var value = TSimd.Load(place);
                    TSimd.Store(Settle(TSimd.SelectGreater(value ^ flip, zero, value, zero), vote, kernel.ZeroVote), place);
                }
            }

            return e;
        }
    }

    private struct Kernel : IKernel
    {
        internal float* Rows;
        internal float* Weights;
        internal int Count;
        internal float* Votes;
        internal Election Election;
        internal bool Late;
        internal float Divisor;
        internal nint Elements;
        internal float* Mix;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> =>
            Variant<SimdScalar>(Variant<TSimd>(0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly nint Variant<TSimd>(nint e)
            where TSimd : unmanaged, ISimd<TSimd> =>
            (Election.Combine, Election.Vote != Vote.None && !Election.SignsAll, Late) switch
            {
                (Combine.Median, _, _) => Middle<TSimd>(this, e),
                (Combine.Max, false, _) => Largest<TSimd, No>(this, e),
                (Combine.Max, true, _) => Largest<TSimd, Yes>(this, e),
                (Combine.Sum, true, false) => Sum<TSimd, Yes, No, No>(this, e),
                (Combine.Sum, true, true) => Sum<TSimd, Yes, No, Yes>(this, e),
                (Combine.Mean, true, false) => Sum<TSimd, Yes, Yes, No>(this, e),
                (Combine.Mean, true, true) => Sum<TSimd, Yes, Yes, Yes>(this, e),
                (Combine.Mean, false, false) when Election.SkipsZeros => Sum<TSimd, No, Yes, No>(this, e),
                (Combine.Mean, false, true) when Election.SkipsZeros => Sum<TSimd, No, Yes, Yes>(this, e),
                (_, false, false) => Sum<TSimd, No, No, No>(this, e),
                (_, false, true) => Sum<TSimd, No, No, Yes>(this, e),
                _ => e,
            };

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Sum<TSimd, TElect, TMean, TLate>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
            where TElect : IFlag
            where TMean : IFlag
            where TLate : IFlag
        {
            nint step = TSimd.Count;
            nint count = kernel.Count;
            var n = kernel.Elements;
            var rows = kernel.Rows;
            var votes = kernel.Votes;
            var weights = kernel.Weights;
            var mix = kernel.Mix;
            var zeroVote = kernel.Election.ZeroVote;
            var divisor = !TElect.Value && !TMean.Value && kernel.Election.Combine == Combine.Mean ? kernel.Divisor : 1;
            var signsAll = !TElect.Value && kernel.Election.SignsAll;
            for (; e <= n - (2 * step); e += 2 * step)
            {
                TSimd flip0 = default, flip1 = default;
                if (TElect.Value)
                {
                    flip0 = Flip(TSimd.Load(votes + e), zeroVote);
                    flip1 = Flip(TSimd.Load(votes + e + step), zeroVote);
                }

                TSimd s0 = TSimd.Create(0), s1 = s0, w0 = s0, w1 = s0;
                var row = rows + e;
                for (nint i = 0; i < count; i++)
                {
                    var weight = TSimd.Create(TMean.Value || TLate.Value ? weights[i] : 0);
                    Add<TSimd, TElect, TMean, TLate>(TSimd.Load(row), weight, flip0, ref s0, ref w0);
                    Add<TSimd, TElect, TMean, TLate>(TSimd.Load(row + step), weight, flip1, ref s1, ref w1);
                    row += Simd.Stride;
                }

                Finish<TSimd, TElect, TMean>(s0, w0, flip0, divisor, signsAll, zeroVote, votes + e, mix + e);
                Finish<TSimd, TElect, TMean>(s1, w1, flip1, divisor, signsAll, zeroVote, votes + e + step, mix + e + step);
            }

            for (; e <= n - step; e += step)
            {
                TSimd flip = TElect.Value ? Flip(TSimd.Load(votes + e), zeroVote) : default;
                TSimd s = TSimd.Create(0), w = s;
                for (nint i = 0; i < count; i++)
                {
                    var weight = TSimd.Create(weights[i]);
                    Add<TSimd, TElect, TMean, TLate>(TSimd.Load(rows + e + (i * Simd.Stride)), weight, flip, ref s, ref w);
                }

                Finish<TSimd, TElect, TMean>(s, w, flip, divisor, signsAll, zeroVote, votes + e, mix + e);
            }

            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Add<TSimd, TElect, TMean, TLate>(TSimd value, TSimd weight, TSimd flip, ref TSimd sum, ref TSimd weights)
            where TSimd : unmanaged, ISimd<TSimd>
            where TElect : IFlag
            where TMean : IFlag
            where TLate : IFlag
        {
            // Changing all signs before a sum and back after it changes no bit of a rounded sum.
            var zero = TSimd.Create(0);
            if (TElect.Value)
                value = TSimd.Max(value ^ flip, zero);
            if (TMean.Value && TElect.Value)
                weights = TSimd.SelectGreater(value, zero, weights + weight, weights);
            else if (TMean.Value)
                weights = TSimd.SelectEqual(value, zero, weights, weights + weight);
            if (TLate.Value)
                value *= weight;

            sum += value;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Finish<TSimd, TElect, TMean>(
            TSimd sum, TSimd weights, TSimd flip, float divisor, bool signsAll, ZeroVote zeroVote, float* votes, float* mix)
            where TSimd : unmanaged, ISimd<TSimd>
            where TElect : IFlag
            where TMean : IFlag
        {
            var zero = TSimd.Create(0);
            if (TElect.Value)
                sum = (sum ^ flip) + zero;
            if (TMean.Value)
                sum /= TSimd.SelectEqual(weights, zero, TSimd.Create(1), weights);
            else if (divisor != 1)
                sum /= TSimd.Create(divisor);

            if (signsAll)
                sum = TakeSign(sum, TSimd.Load(votes), zeroVote);

            TSimd.Store(Canonical.Of(TElect.Value ? Settle(sum, TSimd.Load(votes), zeroVote) : sum), mix);
        }

        /// <summary>The magnitude of a value with the elected sign; +0 for either zero.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TSimd TakeSign<TSimd>(TSimd value, TSimd vote, ZeroVote zeroVote)
            where TSimd : unmanaged, ISimd<TSimd> =>
            Settle(((value & TSimd.CreateBits(int.MaxValue)) ^ Flip(vote, zeroVote)) + TSimd.Create(0), vote, zeroVote);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Middle<TSimd>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                for (nint i = 0; kernel.Late && i < kernel.Count; i++)
                {
                    var place = kernel.Rows + e + (i * Simd.Stride);
                    TSimd.Store(TSimd.Load(place) * TSimd.Create(kernel.Weights[i]), place);
                }

                var median = Selection.Median<TSimd>(kernel.Rows + e, kernel.Count) + TSimd.Create(0);
                if (kernel.Election.Vote != Vote.None)
                {
                    var vote = TSimd.Load(kernel.Votes + e);
                    median = kernel.Election.SignsAll ? TakeSign(median, vote, kernel.Election.ZeroVote) : TSimd.SelectEqual(vote, vote, median, vote);
                }

                TSimd.Store(Canonical.Of(median), kernel.Mix + e);
            }

            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Largest<TSimd, TElect>(in Kernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
            where TElect : IFlag
        {
            nint step = TSimd.Count;
            var n = kernel.Elements;
            var zero = TSimd.Create(0);
            var zeroVote = kernel.Election.ZeroVote;
            for (; e <= n - step; e += step)
            {
                var vote = TElect.Value ? TSimd.Load(kernel.Votes + e) : zero;
                var flip = TElect.Value ? Flip(vote, zeroVote) : zero;
                TSimd best = zero, largest = zero;
                for (nint i = 0; i < kernel.Count; i++)
                {
                    var value = TSimd.Load(kernel.Rows + e + (i * Simd.Stride));
                    if (TElect.Value)
                        value = TSimd.SelectGreater(value ^ flip, zero, value, zero);
                    if (kernel.Late)
                        value *= TSimd.Create(kernel.Weights[i]);

                    var magnitude = Canonical.Magnitude(value);
                    best = TSimd.SelectGreaterBits(magnitude, largest, value, best);
                    largest = TSimd.SelectGreaterBits(magnitude, largest, magnitude, largest);
                }

                if (!TElect.Value && kernel.Election.SignsAll)
                    best = TakeSign(best, TSimd.Load(kernel.Votes + e), zeroVote);
                TSimd.Store(Canonical.Of(TElect.Value ? Settle(best, vote, zeroVote) : best), kernel.Mix + e);
            }

            return e;
        }
    }
}
