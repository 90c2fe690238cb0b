using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Inner products between all pairs of up to <see cref="Mix.MaxInputs"/> vectors: the lower half of their Gram matrix, pair
/// (i, j) with j &lt;= i at i (i + 1) / 2 + j. Vectors are inputs as they are, or differences to a base.
/// </summary>
internal static unsafe class InnerProducts
{
    /// <summary>Pairs of <paramref name="count"/> vectors, each with itself included.</summary>
    internal static int Pairs(int count) => count * (count + 1) / 2;

    /// <summary>Adds the products of the elements <paramref name="from"/> to <paramref name="from"/> + <paramref name="n"/> to one sum for each pair.</summary>
    /// <param name="base">What is subtracted from each input; null subtracts nothing.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="count">Number of inputs.</param>
    /// <param name="from">The first element.</param>
    /// <param name="n">Number of elements; a multiple of 16 but in a sum's last call.</param>
    /// <param name="sums">The sums of all pairs.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Add(RawBlock* @base, RawBlock* inputs, int count, nint from, nint n, BlockSum* sums)
    {
        var rows = stackalloc float[(count + 1) * Simd.Stride];
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            VectorRows.Load(@base, inputs, count, from + e, length, rows);
            AddRows(rows, count, length, sums);
        }
    }

    /// <summary>Adds the products of all pairs of <paramref name="count"/> rows, <see cref="Simd.Stride"/> floats apart, to one sum for each.</summary>
    internal static void AddRows(float* rows, int count, nint n, BlockSum* sums)
    {
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j <= i; j++)
                sums++->AddProducts(rows + (i * Simd.Stride), rows + (j * Simd.Stride), n);
        }
    }

    /// <summary>Adds each element's products to sums of its own, for vectors that run across: sum of pair p and element e at p * <paramref name="stride"/> + e.</summary>
    /// <param name="base">What is subtracted from each input; null subtracts nothing.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="count">Number of inputs.</param>
    /// <param name="from">The first element.</param>
    /// <param name="n">Number of elements.</param>
    /// <param name="sums">The sums.</param>
    /// <param name="stride">Distance of the sums of two pairs.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void AddEach(RawBlock* @base, RawBlock* inputs, int count, nint from, nint n, double* sums, nint stride)
    {
        var rows = stackalloc float[(count + 1) * Simd.Stride];
        for (nint e = 0; e < n; e += Simd.Chunk)
        {
            var length = Math.Min(n - e, Simd.Chunk);
            VectorRows.Load(@base, inputs, count, from + e, length, rows);
            var target = sums + e;
            for (var i = 0; i < count; i++)
            {
                for (var j = 0; j <= i; j++)
                {
                    AddEach(rows + (i * Simd.Stride), rows + (j * Simd.Stride), length, target);
                    target += stride;
                }
            }
        }
    }

    private static void AddEach(float* a, float* b, nint n, double* sums)
    {
        var done = Simd.Width switch
        {
            512 => Loop<Simd512>(a, b, n, sums),
            256 => Loop<Simd256>(a, b, n, sums),
            128 => Loop<Simd128>(a, b, n, sums),
            _ => 0,
        };
        for (; done < n; done++)
            sums[done] += (double)a[done] * b[done];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Loop<TSimd>(float* a, float* b, nint n, double* sums)
        where TSimd : unmanaged, ISimdWide<TSimd>
    {
        nint e = 0;
        for (; e <= n - TSimd.Count; e += TSimd.Count)
        {
            var x = TSimd.Load(a + e);
            var y = TSimd.Load(b + e);
            var lower = (float*)(sums + e);
            var upper = (float*)(sums + e + (TSimd.Count / 2));
            TSimd.Store(TSimd.AddDoubles(TSimd.Load(lower), TSimd.MultiplyDoubles(TSimd.WidenLower(x), TSimd.WidenLower(y))), lower);
            TSimd.Store(TSimd.AddDoubles(TSimd.Load(upper), TSimd.MultiplyDoubles(TSimd.WidenUpper(x), TSimd.WidenUpper(y))), upper);
        }

        return e;
    }
}
