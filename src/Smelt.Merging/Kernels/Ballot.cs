using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Elections over rows of deltas: row i is expert i's, rows are <see cref="Simd.Stride"/> floats apart.</summary>
internal static unsafe class Ballot
{
    /// <summary>
    /// votes[e] = a number of the sign that column e elects: the sum of its values, or of their signs, or of their signed
    /// shares of the norms, in row order from +0, or the value with the largest share, or a given one. A NaN among the values
    /// makes it NaN.
    /// </summary>
    /// <param name="rows">The rows.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="vote">How it is elected; not none.</param>
    /// <param name="norms">The norm of each row's expert; read for votes by norms alone.</param>
    /// <param name="given">The votes that are given; read for given votes alone.</param>
    /// <param name="n">Number of columns.</param>
    /// <param name="votes">Where the votes go.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Elect(float* rows, int count, Vote vote, float* norms, float* given, nint n, float* votes)
    {
        if (vote == Vote.Given)
        {
            var giver = new GivenKernel { Rows = rows, Count = count, Given = given, Elements = n, Votes = votes };
            Simd.Run(ref giver);
            return;
        }

        if (vote is Vote.NormFraction or Vote.NormMass)
        {
            var shares = new ShareKernel { Rows = rows, Count = count, Norms = norms, Mass = vote == Vote.NormMass, Elements = n, Votes = votes };
            Simd.Run(ref shares);
            return;
        }

        var kernel = new Kernel { Rows = rows, Count = count, Signs = vote == Vote.Count, Elements = n, Votes = votes };
        Simd.Run(ref kernel);
    }

    /// <summary>Counts how the elections over the rows came out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static ElectionCounts Count(float* rows, int count, float* votes, nint n)
    {
        var kernel = new CountKernel { Rows = rows, Count = count, Elements = n, Votes = votes };
        Simd.Run(ref kernel);
        return kernel.Result;
    }

    private struct Kernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal bool Signs;
        internal nint Elements;
        internal float* Votes;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            if (Signs)
                Loop<SimdScalar, Yes>(Rows, Count, Votes, Loop<TSimd, Yes>(Rows, Count, Votes, 0, Elements), Elements);
            else
                Loop<SimdScalar, No>(Rows, Count, Votes, Loop<TSimd, No>(Rows, Count, Votes, 0, Elements), Elements);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd, TSigns>(float* rows, int count, float* votes, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
            where TSigns : IFlag
        {
            nint step = TSimd.Count;
            for (; e <= n - (4 * step); e += 4 * step)
            {
                TSimd s0 = TSimd.Create(0), s1 = s0, s2 = s0, s3 = s0;
                var row = rows + e;
                for (var i = 0; i < count; i++)
                {
                    s0 += Voice<TSimd, TSigns>(row);
                    s1 += Voice<TSimd, TSigns>(row + step);
                    s2 += Voice<TSimd, TSigns>(row + (2 * step));
                    s3 += Voice<TSimd, TSigns>(row + (3 * step));
                    row += Simd.Stride;
                }

                TSimd.Store(s0, votes + e);
                TSimd.Store(s1, votes + e + step);
                TSimd.Store(s2, votes + e + (2 * step));
                TSimd.Store(s3, votes + e + (3 * step));
            }

            for (; e <= n - step; e += step)
            {
                var s = TSimd.Create(0);
                for (nint i = 0; i < count; i++)
                    s += Voice<TSimd, TSigns>(rows + e + (i * Simd.Stride));

                TSimd.Store(s, votes + e);
            }

            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TSimd Voice<TSimd, TSigns>(float* value)
            where TSimd : unmanaged, ISimd<TSimd>
            where TSigns : IFlag
        {
            var v = TSimd.Load(value);
            if (!TSigns.Value)
                return v;

            // +1, -1, a zero as it is, and a NaN as it is.
            var zero = TSimd.Create(0);
            return TSimd.SelectGreater(v, zero, TSimd.Create(1), TSimd.SelectGreater(zero, v, TSimd.Create(-1), v));
        }
    }

    private struct ShareKernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal float* Norms;
        internal bool Mass;
        internal nint Elements;
        internal float* Votes;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            if (Mass)
                Loop<SimdScalar, Yes>(this, Loop<TSimd, Yes>(this, 0));
            else
                Loop<SimdScalar, No>(this, Loop<TSimd, No>(this, 0));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd, TMass>(in ShareKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
            where TMass : IFlag
        {
            var zero = TSimd.Create(0);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                TSimd vote = zero, largest = zero;
                for (nint i = 0; i < kernel.Count; i++)
                {
                    // Shares are squares of these quotients, which order as they do and underflow later.
                    var quotient = TSimd.Load(kernel.Rows + e + (i * Simd.Stride)) / TSimd.Create(kernel.Norms[i]);
                    if (TMass.Value)
                    {
                        vote += quotient * (quotient & TSimd.CreateBits(int.MaxValue));
                        continue;
                    }

                    var magnitude = Canonical.Magnitude(quotient);
                    vote = TSimd.SelectGreaterBits(magnitude, largest, quotient, vote);
                    largest = TSimd.SelectGreaterBits(magnitude, largest, magnitude, largest);
                }

                TSimd.Store(vote, kernel.Votes + e);
            }

            return e;
        }
    }

    private struct GivenKernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal float* Given;
        internal nint Elements;
        internal float* Votes;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(this, Loop<TSimd>(this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd>(in GivenKernel kernel, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                var vote = TSimd.Load(kernel.Given + e);
                for (nint i = 0; i < kernel.Count; i++)
                {
                    var value = TSimd.Load(kernel.Rows + e + (i * Simd.Stride));
                    vote = TSimd.SelectEqual(value, value, vote, value);
                }

                TSimd.Store(vote, kernel.Votes + e);
            }

            return e;
        }
    }

    private struct CountKernel : IKernel
    {
        internal float* Rows;
        internal int Count;
        internal nint Elements;
        internal float* Votes;
        internal ElectionCounts Result;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            nint e = 0;
            Result = Loop<TSimd>(Rows, Count, Votes, ref e, Elements);
            Result += Loop<SimdScalar>(Rows, Count, Votes, ref e, Elements);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static ElectionCounts Loop<TSimd>(float* rows, int count, float* votes, ref nint start, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var zero = TSimd.Create(0);
            long positive = 0, negative = 0, contested = 0;
            var e = start;
            for (; e <= n - TSimd.Count; e += TSimd.Count)
            {
                var s = TSimd.Load(votes + e);
                positive += uint.PopCount(TSimd.PackGreater(s, zero));
                negative += uint.PopCount(TSimd.PackGreater(zero, s));
                var ties = TSimd.PackEqual(s, zero);
                if (ties == 0)
                    continue;

                var any = zero;
                for (nint i = 0; i < count; i++)
                    any |= TSimd.Load(rows + e + (i * Simd.Stride));

                var silent = TSimd.PackEqualBits(any & TSimd.CreateBits(int.MaxValue), zero);
                contested += uint.PopCount(ties & ~silent);
            }

            start = e;
            return new ElectionCounts(positive, negative, contested);
        }
    }
}
