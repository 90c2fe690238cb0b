using System.Numerics;
using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <content>The loops.</content>
internal sealed unsafe partial class RowOrder
{
    /// <summary>First the sum of the magnitudes, then codes and places.</summary>
    private struct Kernel : IKernel
    {
        internal float* Deltas;
        internal int Elements;
        internal uint* Codes;
        internal int* Places;
        internal float Limit;
        internal float Scale;
        internal float Sum;
        internal bool Deals;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            if (Deals)
                Deal<SimdScalar>(this, Deal<TSimd>(this, 0));
            else
                Add<SimdScalar>(ref this, Add<TSimd>(ref this, 0));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int Add<TSimd>(ref Kernel kernel, int e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var sum = TSimd.Create(0);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
                sum += TSimd.Load(kernel.Deltas + e) & TSimd.CreateBits(int.MaxValue);

            var lanes = stackalloc float[16];
            TSimd.Store(sum, lanes);
            for (var i = 0; i < TSimd.Count; i++)
                kernel.Sum += lanes[i];
            return e;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int Deal<TSimd>(in Kernel kernel, int e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var deltas = kernel.Deltas;
            var codes = (float*)kernel.Codes;
            var places = (float*)kernel.Places;
            var n = kernel.Elements;
            var scale = TSimd.Create(kernel.Scale);
            var limit = TSimd.Create(kernel.Limit);
            var one = TSimd.Create(1);
            var zero = TSimd.CreateBits(0);
            var whole = TSimd.CreateBits(Whole);
            for (; e <= n - TSimd.Count; e += TSimd.Count)
            {
                var magnitude = Canonical.Magnitude(TSimd.Load(deltas + e));
                TSimd.Store(magnitude, codes + e);

                // Added to 2^23, a number is rounded to a whole one, which the lower bits then hold. A NaN becomes the limit.
                var place = (magnitude * scale) + one;
                place = TSimd.SelectGreater(limit, place, place, limit) + whole;
                TSimd.Store(TSimd.SelectGreaterBits(magnitude, zero, TSimd.SubtractBits(place, whole), zero), places + e);
            }

            return e;
        }
    }

    /// <summary>Counts the smaller and, before it, the equal members of an element's place.</summary>
    private struct RankKernel : IKernel
    {
        internal RowOrder Order;
        internal ulong* Wanted;
        internal int* Ranks;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<TSimd>(Order, Wanted, Ranks);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<TSimd>(RowOrder order, ulong* wanted, int* ranks)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var codes = order._codes;
            var places = order._places;
            var starts = order._starts;
            var next = order._next;
            var positions = order._positions;
            var dealt = (float*)order._dealt;
            var n = order._n;
            for (var word = 0; word << 6 < n; word++)
            {
                for (var open = wanted[word]; open != 0; open &= open - 1)
                {
                    var e = (word << 6) + BitOperations.TrailingZeroCount(open);
                    var place = places[e];
                    var start = starts[place];
                    var end = starts[place + 1];
                    var position = positions[e];
                    var rank = start;
                    if (end - start > FewMembers && next[place] == OneMagnitude)
                    {
                        rank = position;
                    }
                    else if (end - start > FewMembers && next[place] == Sorted)
                    {
                        rank = (int)order._dealt[position];
                    }
                    else
                    {
                        var code = TSimd.CreateBits((int)codes[e]);
                        for (var from = start; from < end; from += TSimd.Count)
                        {
                            // Behind the place's members lie those of others.
                            var members = TSimd.Load(dealt + from);
                            var own = (uint)((1UL << Math.Min(end - from, TSimd.Count)) - 1);
                            var before = (uint)((1UL << Math.Clamp(position - from, 0, TSimd.Count)) - 1);
                            rank += BitOperations.PopCount((TSimd.PackGreaterBits(code, members) & own) | (TSimd.PackEqualBits(code, members) & before));
                        }
                    }

                    ranks[e] = rank;
                }
            }
        }
    }

    private struct BelowKernel : IKernel
    {
        internal uint* Codes;
        internal int Code;
        internal int Elements;
        internal int Below;

        public void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(ref this, Loop<TSimd>(ref this, 0));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int Loop<TSimd>(ref BelowKernel kernel, int e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var codes = (float*)kernel.Codes;
            var n = kernel.Elements;
            var code = TSimd.CreateBits(kernel.Code);
            var zero = TSimd.CreateBits(0);
            var one = TSimd.CreateBits(1);
            TSimd even = zero, odd = zero;
            for (; e <= n - (2 * TSimd.Count); e += 2 * TSimd.Count)
            {
                even = TSimd.AddBits(even, TSimd.SelectGreaterBits(code, TSimd.Load(codes + e), one, zero));
                odd = TSimd.AddBits(odd, TSimd.SelectGreaterBits(code, TSimd.Load(codes + e + TSimd.Count), one, zero));
            }

            for (; e <= n - TSimd.Count; e += TSimd.Count)
                even = TSimd.AddBits(even, TSimd.SelectGreaterBits(code, TSimd.Load(codes + e), one, zero));

            var lanes = stackalloc int[16];
            TSimd.Store(TSimd.AddBits(even, odd), (float*)lanes);
            for (var i = 0; i < TSimd.Count; i++)
                kernel.Below += lanes[i];
            return e;
        }
    }

    private struct GatherKernel : IKernel
    {
        internal uint* Codes;
        internal int* Places;
        internal int Place;
        internal int Elements;
        internal uint* List;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var list = List;
            Loop<SimdScalar>(this, Loop<TSimd>(this, 0, ref list), ref list);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static int Loop<TSimd>(in GatherKernel kernel, int e, ref uint* list)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var place = TSimd.CreateBits(kernel.Place);
            for (; e <= kernel.Elements - TSimd.Count; e += TSimd.Count)
            {
                for (var found = TSimd.PackEqualBits(TSimd.Load((float*)kernel.Places + e), place); found != 0; found &= found - 1)
                    *list++ = kernel.Codes[e + BitOperations.TrailingZeroCount(found)];
            }

            return e;
        }
    }
}
