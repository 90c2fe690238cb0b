using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Dense linear algebra on small tiles of row-major fp64 matrices. Every element goes through the same operations in the same
/// order, whatever the vector width and however rows are grouped.
/// </summary>
internal static unsafe class MatrixTile
{
    /// <summary>Rows and columns of a tile: three of them fit into the caches nearest to a core.</summary>
    internal const int Size = 64;

    /// <summary>Elements of a tile.</summary>
    internal const int Elements = Size * Size;

    /// <summary>target[i, j] = source[i, j], the target's rows <see cref="Size"/> apart.</summary>
    internal static void Pack(double* source, nint stride, int rows, int columns, double* target)
    {
        for (var i = 0; i < rows; i++)
            new ReadOnlySpan<double>(source + (i * stride), columns).CopyTo(new Span<double>(target + (i * Size), columns));
    }

    /// <summary>target[j, i] = source[i, j], the target's rows <see cref="Size"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void PackTransposed(double* source, nint stride, int rows, int columns, double* target)
    {
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                target[(j * Size) + i] = source[(i * stride) + j];
        }
    }

    /// <summary>c[i, j] += Σ over p in rising order of (scale * a[i, p]) * b[p, j], each product and each sum rounded.</summary>
    /// <param name="a">The first factor.</param>
    /// <param name="aStride">Distance of its rows.</param>
    /// <param name="b">The second factor, packed.</param>
    /// <param name="c">Where the product is added.</param>
    /// <param name="cStride">Distance of its rows.</param>
    /// <param name="rows">Rows of a and c.</param>
    /// <param name="inner">Columns of a, rows of b; at most <see cref="Size"/>.</param>
    /// <param name="columns">Columns of b and c; at most <see cref="Size"/>.</param>
    /// <param name="scale">1 adds the product, -1 subtracts it.</param>
    internal static void MultiplyAdd(double* a, nint aStride, double* b, double* c, nint cStride, int rows, int inner, int columns, double scale)
    {
        switch (Simd.Width)
        {
            case 512: Run<Simd512>(a, aStride, b, c, cStride, rows, inner, columns, scale); break;
            case 256: Run<Simd256>(a, aStride, b, c, cStride, rows, inner, columns, scale); break;
            case 128: Run<Simd128>(a, aStride, b, c, cStride, rows, inner, columns, scale); break;
            default: Rest(a, aStride, b, c, cStride, rows, inner, 0, columns, scale); break;
        }
    }

    /// <summary>The lower triangle L with L L^T = a, in place; only the lower triangle is read.</summary>
    /// <param name="a">A symmetric matrix.</param>
    /// <param name="stride">Distance of its rows.</param>
    /// <param name="n">Its rows and columns.</param>
    /// <param name="limits">For each column what its pivot has to be above.</param>
    /// <returns>The first column whose pivot is not, or -1.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int Factor(double* a, nint stride, int n, double* limits)
    {
        for (var j = 0; j < n; j++)
        {
            var row = a + (j * stride);
            var pivot = row[j];
            for (var p = 0; p < j; p++)
                pivot -= row[p] * row[p];
            if (!(pivot > limits[j]))
                return j;
            var root = Math.Sqrt(pivot);
            row[j] = root;
            for (var i = j + 1; i < n; i++)
            {
                var below = a + (i * stride);
                var value = below[j];
                for (var p = 0; p < j; p++)
                    value -= below[p] * row[p];
                below[j] = value / root;
            }
        }

        return -1;
    }

    /// <summary>x with x L^T = x, in place, for each row of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void SolveTransposed(double* lower, nint stride, int n, double* x, nint xStride, int rows)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = x + (r * xStride);
            for (var j = 0; j < n; j++)
            {
                var left = lower + (j * stride);
                var value = row[j];
                for (var p = 0; p < j; p++)
                    value -= row[p] * left[p];
                row[j] = value / left[j];
            }
        }
    }

    /// <summary>x with x L = x, in place, for each row of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Solve(double* lower, nint stride, int n, double* x, nint xStride, int rows)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = x + (r * xStride);
            for (var j = n - 1; j >= 0; j--)
            {
                var value = row[j];
                for (var p = j + 1; p < n; p++)
                    value -= row[p] * lower[(p * stride) + j];
                row[j] = value / lower[(j * stride) + j];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd>(double* a, nint aStride, double* b, double* c, nint cStride, int rows, int inner, int columns, double scale)
        where TSimd : unmanaged, ISimdWide<TSimd>
    {
        // A register holds half as many doubles as it has lanes; blocks of four rows and two registers keep their sums in registers.
        var width = TSimd.Count;
        var whole = columns - (columns % width);
        var i = 0;
        for (; i <= rows - 4; i += 4)
        {
            for (var j = 0; j < whole; j += width)
                Four<TSimd>(a + (i * aStride), aStride, b + j, c + (i * cStride) + j, cStride, inner, scale);
        }

        for (; i < rows; i++)
        {
            for (var j = 0; j < whole; j += width)
                One<TSimd>(a + (i * aStride), b + j, c + (i * cStride) + j, inner, scale);
        }

        if (whole < columns)
            Rest(a, aStride, b, c, cStride, rows, inner, whole, columns, scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<TSimd>(double* a, nint aStride, double* b, double* c, nint cStride, int inner, double scale)
        where TSimd : unmanaged, ISimdWide<TSimd>
    {
        var half = TSimd.Count / 2;
        double* a1 = a + aStride, a2 = a1 + aStride, a3 = a2 + aStride;
        double* c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        TSimd s00 = Load<TSimd>(c), s01 = Load<TSimd>(c + half), s10 = Load<TSimd>(c1), s11 = Load<TSimd>(c1 + half);
        TSimd s20 = Load<TSimd>(c2), s21 = Load<TSimd>(c2 + half), s30 = Load<TSimd>(c3), s31 = Load<TSimd>(c3 + half);
        for (nint p = 0; p < inner; p++)
        {
            var b0 = Load<TSimd>(b + (p * Size));
            var b1 = Load<TSimd>(b + (p * Size) + half);
            var f = TSimd.CreateDouble(scale * a[p]);
            s00 = TSimd.AddDoubles(s00, TSimd.MultiplyDoubles(f, b0));
            s01 = TSimd.AddDoubles(s01, TSimd.MultiplyDoubles(f, b1));
            f = TSimd.CreateDouble(scale * a1[p]);
            s10 = TSimd.AddDoubles(s10, TSimd.MultiplyDoubles(f, b0));
            s11 = TSimd.AddDoubles(s11, TSimd.MultiplyDoubles(f, b1));
            f = TSimd.CreateDouble(scale * a2[p]);
            s20 = TSimd.AddDoubles(s20, TSimd.MultiplyDoubles(f, b0));
            s21 = TSimd.AddDoubles(s21, TSimd.MultiplyDoubles(f, b1));
            f = TSimd.CreateDouble(scale * a3[p]);
            s30 = TSimd.AddDoubles(s30, TSimd.MultiplyDoubles(f, b0));
            s31 = TSimd.AddDoubles(s31, TSimd.MultiplyDoubles(f, b1));
        }

        Store(s00, c);
        Store(s01, c + half);
        Store(s10, c1);
        Store(s11, c1 + half);
        Store(s20, c2);
        Store(s21, c2 + half);
        Store(s30, c3);
        Store(s31, c3 + half);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One<TSimd>(double* a, double* b, double* c, int inner, double scale)
        where TSimd : unmanaged, ISimdWide<TSimd>
    {
        var half = TSimd.Count / 2;
        TSimd s0 = Load<TSimd>(c), s1 = Load<TSimd>(c + half);
        for (nint p = 0; p < inner; p++)
        {
            var f = TSimd.CreateDouble(scale * a[p]);
            s0 = TSimd.AddDoubles(s0, TSimd.MultiplyDoubles(f, Load<TSimd>(b + (p * Size))));
            s1 = TSimd.AddDoubles(s1, TSimd.MultiplyDoubles(f, Load<TSimd>(b + (p * Size) + half)));
        }

        Store(s0, c);
        Store(s1, c + half);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rest(double* a, nint aStride, double* b, double* c, nint cStride, int rows, int inner, int first, int columns, double scale)
    {
        for (var i = 0; i < rows; i++)
        {
            for (var j = first; j < columns; j++)
            {
                var sum = c[(i * cStride) + j];
                for (var p = 0; p < inner; p++)
                    sum += scale * a[(i * aStride) + p] * b[(p * Size) + j];
                c[(i * cStride) + j] = sum;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSimd Load<TSimd>(double* source)
        where TSimd : unmanaged, ISimdWide<TSimd> =>
        TSimd.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd>(TSimd value, double* destination)
        where TSimd : unmanaged, ISimdWide<TSimd> =>
        TSimd.Store(value, (float*)destination);
}
