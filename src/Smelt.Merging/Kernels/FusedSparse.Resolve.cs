using System.Numerics;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <content>What becomes of columns whose deltas are made.</content>
internal static unsafe partial class FusedSparse
{
    private partial struct Kernel
    {
        /// <summary>Copies the deltas of contested elements of two vectors to where they wait for <see cref="Flush"/>.</summary>
        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private static void Collect<TSimd, TFormat, TMean, TLate>(in Kernel kernel, uint contested, float* row, nint e)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
            where TMean : IFlag
            where TLate : IFlag
        {
            nint count = kernel.Count;
            nint stride = AtOnce * TSimd.Count;
            for (; contested != 0; contested &= contested - 1)
            {
                var element = BitOperations.TrailingZeroCount(contested);
                var lane = TFormat.LaneOf(element, TSimd.Count);
                nint place = kernel.Waiting->Count;
                for (nint i = 0; i < count; i++)
                    kernel.Waiting->Rows[(i * stride) + place] = row[(i * stride) + lane];
                kernel.Waiting->Elements[place] = e + element;
                if (++kernel.Waiting->Count == stride)
                    Flush<TSimd, TMean, TLate>(kernel);
            }
        }

        /// <summary>Lists the contested elements that wait, with their mix under the other sign.</summary>
        private static void Flush<TSimd, TMean, TLate>(in Kernel kernel)
            where TSimd : unmanaged, ISimd<TSimd>
            where TMean : IFlag
            where TLate : IFlag
        {
            var other = kernel.Election.ZeroVote == ZeroVote.Positive ? ZeroVote.Negative : ZeroVote.Positive;
            var mixes = stackalloc float[Group];
            var mean = kernel.Election.Combine == Combine.Mean;
            var tally = default(Tally);
            for (nint e = 0; e < kernel.Waiting->Count; e += 2 * TSimd.Count)
                Resolve<TSimd, F32, TMean, TLate>(TSimd.Create(0), TSimd.Create(0), kernel.Waiting->Rows + e, kernel.Pipelines, kernel.Count, other, mean, mixes + e, false, ref tally);
            for (var i = 0; i < kernel.Waiting->Count; i++)
                kernel.Contested->Add(kernel.Waiting->Elements[i], mixes[i]);
            kernel.Waiting->Count = 0;
        }

        /// <summary>Combines what agrees with the votes of two vectors; returns which elements are contested, if votes are counted.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static uint Resolve<TSimd, TFormat, TMean, TLate>(
            TSimd vote0, TSimd vote1, float* row, Pipeline* pipelines, nint count, ZeroVote zeroVote, bool mean, float* mix, bool counted, ref Tally tally)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
            where TMean : IFlag
            where TLate : IFlag
        {
            nint step = TSimd.Count;
            var zero = TSimd.Create(0);
            var flip0 = Combination.Flip(vote0, zeroVote);
            var flip1 = Combination.Flip(vote1, zeroVote);
            TSimd s0 = zero, s1 = zero, w0 = zero, w1 = zero, a0 = zero, a1 = zero;
            for (nint i = 0; i < count; i++)
            {
                // Changing all signs before a sum and back after it changes no bit of a rounded sum.
                var v0 = TSimd.Load(row) ^ flip0;
                var v1 = TSimd.Load(row + step) ^ flip1;
                var (x0, x1) = (v0, v1);
                if (TMean.Value)
                {
                    var weight = TSimd.Create(pipelines[i].Weight);
                    w0 = TSimd.AddWherePositive(w0, v0, weight);
                    w1 = TSimd.AddWherePositive(w1, v1, weight);
                    if (TLate.Value)
                    {
                        // Values that vote without their weights get them now.
                        a0 = TSimd.AddWherePositive(a0, v0, v0);
                        a1 = TSimd.AddWherePositive(a1, v1, v1);
                        x0 *= weight;
                        x1 *= weight;
                    }
                }

                s0 = TSimd.AddWherePositive(s0, v0, x0);
                s1 = TSimd.AddWherePositive(s1, v1, x1);
                row += AtOnce * step;
            }

            var contested = 0u;
            if (counted)
                contested = TFormat.InOrder(tally.Add(vote0, TLate.Value ? a0 : s0), tally.Add(vote1, TLate.Value ? a1 : s1), (int)step);

            Store<TSimd, TFormat>(Finish<TSimd, TMean>(s0, w0, flip0, vote0, zeroVote, mean), Finish<TSimd, TMean>(s1, w1, flip1, vote1, zeroVote, mean), mix);
            return contested;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TSimd Finish<TSimd, TMean>(TSimd sum, TSimd weights, TSimd flip, TSimd vote, ZeroVote zeroVote, bool mean)
            where TSimd : unmanaged, ISimd<TSimd>
            where TMean : IFlag
        {
            var zero = TSimd.Create(0);
            sum = (sum ^ flip) + zero;
            if (TMean.Value && mean)
                sum /= TSimd.SelectEqual(weights, zero, TSimd.Create(1), weights);
            return Canonical.Of(Combination.Settle(sum, vote, zeroVote));
        }
    }
}
