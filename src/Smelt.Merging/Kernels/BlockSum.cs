using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// An fp64 sum over a block of <see cref="Elements"/> elements in a fixed shape, so that it has the same bits at every vector width
/// and however the block is cut: element e goes to lane e % 16, and the lanes are added in the order 0 to 15 at the end.
/// </summary>
/// <remarks>
/// Calls go through a block's elements in order; every call but a tensor's last gets a multiple of 16 of them.
/// A tensor's sum is that of its blocks' <see cref="Total"/>, added in order.
/// </remarks>
internal unsafe struct BlockSum
{
    /// <summary>Elements of a block.</summary>
    internal const int Elements = 65_536;

    private const int Lanes = 16;

    private fixed double _lanes[Lanes];

    /// <summary>Adds |values[e]| for e in [0, <paramref name="n"/>) where the bit e of <paramref name="mask"/> is set; no mask takes all.</summary>
    internal void AddMagnitudes(float* values, ulong* mask, nint n)
    {
        fixed (double* lanes = _lanes)
        {
            if (mask is null)
                Run<No, No>(values, null, null, n, lanes);
            else
                Run<No, Yes>(values, null, mask, n, lanes);
        }
    }

    /// <summary>Adds a[e] * b[e], each product exact: a norm's square with a = b, otherwise an inner product.</summary>
    internal void AddProducts(float* a, float* b, nint n)
    {
        fixed (double* lanes = _lanes)
            Run<Yes, No>(a, b, null, n, lanes);
    }

    /// <summary>The block's sum; a NaN is canonical.</summary>
    internal double Total()
    {
        var sum = 0.0;
        for (var lane = 0; lane < Lanes; lane++)
            sum += _lanes[lane];

        return double.IsNaN(sum) ? BitConverter.UInt64BitsToDouble(0x7FF8000000000000) : sum;
    }

    /// <summary>
    /// Runs at the width in use. A part of the lanes at a time keeps its sums in two registers all the way through;
    /// whole groups of 16 elements come first, what is left goes through plain doubles.
    /// </summary>
    private static void Run<TProduct, TMask>(float* a, float* b, ulong* mask, nint n, double* lanes)
        where TProduct : IFlag
        where TMask : IFlag
    {
        var whole = n & ~(nint)(Lanes - 1);
        switch (Simd.Width)
        {
            case 512: Loop<Simd512, TProduct, TMask>(a, b, mask, whole, lanes); break;
            case 256: Loop<Simd256, TProduct, TMask>(a, b, mask, whole, lanes); break;
            case 128: Loop<Simd128, TProduct, TMask>(a, b, mask, whole, lanes); break;
            default: whole = 0; break;
        }

        Tail<TProduct, TMask>(a, b, mask, whole, n, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Loop<TSimd, TProduct, TMask>(float* a, float* b, ulong* mask, nint n, double* lanes)
        where TSimd : unmanaged, ISimdWide<TSimd>
        where TProduct : IFlag
        where TMask : IFlag
    {
        var magnitude = TSimd.CreateBits(int.MaxValue);
        var zero = TSimd.Create(0);
        for (nint lane = 0; lane < Lanes; lane += TSimd.Count)
        {
            var lowerLanes = (float*)(lanes + lane);
            var upperLanes = (float*)(lanes + lane + (TSimd.Count / 2));
            var lower = TSimd.Load(lowerLanes);
            var upper = TSimd.Load(upperLanes);
            for (var e = lane; e < n; e += Lanes)
            {
                var value = TSimd.Load(a + e);
                if (TProduct.Value)
                {
                    var other = TSimd.Load(b + e);
                    lower = TSimd.AddDoubles(lower, TSimd.MultiplyDoubles(TSimd.WidenLower(value), TSimd.WidenLower(other)));
                    upper = TSimd.AddDoubles(upper, TSimd.MultiplyDoubles(TSimd.WidenUpper(value), TSimd.WidenUpper(other)));
                    continue;
                }

                value &= magnitude;
                if (TMask.Value)
                    value = TSimd.SelectBits((uint)(mask[e >> 6] >> (int)e), value, zero);

                lower = TSimd.AddDoubles(lower, TSimd.WidenLower(value));
                upper = TSimd.AddDoubles(upper, TSimd.WidenUpper(value));
            }

            TSimd.Store(lower, lowerLanes);
            TSimd.Store(upper, upperLanes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tail<TProduct, TMask>(float* a, float* b, ulong* mask, nint e, nint n, double* lanes)
        where TProduct : IFlag
        where TMask : IFlag
    {
        for (; e < n; e++)
        {
            if (TProduct.Value)
                lanes[e & (Lanes - 1)] += (double)a[e] * b[e];
            else if (!TMask.Value || (mask[e >> 6] >> (int)e & 1) != 0)
                lanes[e & (Lanes - 1)] += Math.Abs(a[e]);
        }
    }
}
