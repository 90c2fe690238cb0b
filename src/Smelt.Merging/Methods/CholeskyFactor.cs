using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;

namespace Smelt.Merging.Methods;

/// <summary>
/// Factors a symmetric positive definite matrix S = L L^T in place, tile by tile, and solves X S = R for rows of R. Tiles are
/// shared out among workers; the order of operations of each element depends on nothing but the size of the matrix.
/// </summary>
/// <param name="matrix">S, row-major, [n, n]; only its lower triangle is read. It becomes L.</param>
/// <param name="n">Rows and columns of S.</param>
/// <param name="pool">The workers' threads.</param>
internal sealed unsafe class CholeskyFactor(double* matrix, long n, WorkerPool pool)
{
    private const int Size = MatrixTile.Size;

    /// <summary>Rows that are solved together; fewer than in a tile, so that small matrices keep every worker busy.</summary>
    private const int RowsAtOnce = 32;

    private readonly long _tiles = (n + Size - 1) / Size;

    /// <summary>Factors the matrix.</summary>
    /// <param name="limits">For each column what its pivot, the part of S[j, j] that earlier columns don't explain, has to be above.</param>
    /// <returns>The first column whose pivot is not, or -1.</returns>
    public long Factor(double* limits)
    {
        for (var k = 0L; k < _tiles; k++)
        {
            var column = k;
            if (k > 0)
                pool.Run(k, _tiles, (_, i) => Update(i, column));
            var failed = MatrixTile.Factor(Tile(k, k), (nint)n, Width(k), limits + (k * Size));
            if (failed >= 0)
                return (k * Size) + failed;
            if (k + 1 < _tiles)
                pool.Run(k + 1, _tiles, (_, i) => MatrixTile.SolveTransposed(Tile(column, column), (nint)n, Width(column), Tile(i, column), (nint)n, Width(i)));
        }

        return -1;
    }

    /// <summary>Replaces R by X with X S = R.</summary>
    /// <param name="rows">R, row-major, [count, n].</param>
    /// <param name="count">The rows of R.</param>
    public void Solve(double* rows, long count) => pool.Run(0, (count + RowsAtOnce - 1) / RowsAtOnce, (_, item) =>
    {
        var first = item * RowsAtOnce;
        SolveRows(rows + (first * n), (int)Math.Min(RowsAtOnce, count - first));
    });

    /// <summary>Takes what the columns before tile column <paramref name="k"/> explain off the tile (i, k).</summary>
    private void Update(long i, long k)
    {
        var packed = stackalloc double[MatrixTile.Elements];
        for (var p = 0L; p < k; p++)
        {
            MatrixTile.PackTransposed(Tile(k, p), (nint)n, Width(k), Size, packed);
            MatrixTile.MultiplyAdd(Tile(i, p), (nint)n, packed, Tile(i, k), (nint)n, Width(i), Size, Width(k), -1);
        }
    }

    private void SolveRows(double* rows, int count)
    {
        var packed = stackalloc double[MatrixTile.Elements];
        for (var j = 0L; j < _tiles; j++)
        {
            for (var k = 0L; k < j; k++)
            {
                MatrixTile.PackTransposed(Tile(j, k), (nint)n, Width(j), Size, packed);
                MatrixTile.MultiplyAdd(rows + (k * Size), (nint)n, packed, rows + (j * Size), (nint)n, count, Size, Width(j), -1);
            }

            MatrixTile.SolveTransposed(Tile(j, j), (nint)n, Width(j), rows + (j * Size), (nint)n, count);
        }

        for (var j = _tiles - 1; j >= 0; j--)
        {
            for (var k = j + 1; k < _tiles; k++)
            {
                MatrixTile.Pack(Tile(k, j), (nint)n, Width(k), Width(j), packed);
                MatrixTile.MultiplyAdd(rows + (k * Size), (nint)n, packed, rows + (j * Size), (nint)n, count, Width(k), Width(j), -1);
            }

            MatrixTile.Solve(Tile(j, j), (nint)n, Width(j), rows + (j * Size), (nint)n, count);
        }
    }

    private double* Tile(long i, long j) => matrix + (i * Size * n) + (j * Size);

    /// <summary>Rows, or columns, of a tile at a position.</summary>
    private int Width(long tile) => (int)Math.Min(Size, n - (tile * Size));
}
