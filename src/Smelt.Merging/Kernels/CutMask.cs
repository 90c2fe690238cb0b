using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Masks of the elements that lie between two places in the order of magnitudes.</summary>
internal static unsafe class CutMask
{
    /// <summary>Sets the bits of the elements that are in the top of <paramref name="keep"/> and not in that of <paramref name="drop"/>, and clears the others.</summary>
    /// <param name="values">The values, whose magnitudes count.</param>
    /// <param name="keep">What is kept.</param>
    /// <param name="drop">What is dropped, though <paramref name="keep"/> would keep it.</param>
    /// <param name="flatStart">Flat index of the first element: what cuts compare with.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="mask">Ceiling(n / 64) words; bit e % 64 of word e / 64 is that of element e. Bits from n on are 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Write(float* values, Cut keep, Cut drop, long flatStart, nint n, ulong* mask)
    {
        // Between two cut-offs of flat index every element compares with the same integers.
        var kernel = new Kernel { Values = values, Mask = mask, Elements = n };
        for (nint done = 0; done < n; done = kernel.End)
        {
            kernel.Start = done;
            kernel.End = Math.Min(After(keep, flatStart, done, n), After(drop, flatStart, done, n));
            kernel.Keep = keep.Below(flatStart + done);
            kernel.Drop = drop.Below(flatStart + done);
            Simd.Run(ref kernel);
        }
    }

    private static nint After(Cut cut, long flatStart, nint done, nint n)
    {
        var last = cut.LastEqual - flatStart;
        return last >= done && last < n - 1 ? (nint)last + 1 : n;
    }

    private struct Kernel : IKernel
    {
        internal float* Values;
        internal ulong* Mask;
        internal nint Elements;
        internal nint Start;
        internal nint End;
        internal int Keep;
        internal int Drop;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<TSimd>(this);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<TSimd>(in Kernel kernel)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            var values = kernel.Values;
            var mask = kernel.Mask;
            var n = kernel.Elements;
            var (start, end) = (kernel.Start, kernel.End);
            var (low, high) = (kernel.Keep, kernel.Drop);
            var keep = TSimd.CreateBits(low);
            var drop = TSimd.CreateBits(high);
            for (var word = start & ~(nint)63; word < end; word += 64)
            {
                var bits = 0UL;
                var stop = Math.Min(64, n - word);
                nint e = 0;
                for (; e <= stop - TSimd.Count; e += TSimd.Count)
                {
                    var magnitude = Canonical.Magnitude(TSimd.Load(values + word + e));
                    bits |= (ulong)(TSimd.PackGreaterBits(magnitude, keep) & ~TSimd.PackGreaterBits(magnitude, drop)) << (int)e;
                }

                for (; e < stop; e++)
                {
                    var magnitude = Math.Min(BitConverter.SingleToInt32Bits(values[word + e]) & int.MaxValue, Canonical.NaN);
                    bits |= (magnitude > low && magnitude <= high ? 1UL : 0) << (int)e;
                }

                // A word that holds a cut-off belongs to two runs.
                var before = word < start ? (1UL << (int)(start - word)) - 1 : 0;
                var after = end - word < 64 ? ulong.MaxValue << (int)(end - word) : 0;
                mask[word >> 6] = (before == 0 ? 0 : mask[word >> 6] & before) | (bits & ~before & ~after);
            }
        }
    }
}
