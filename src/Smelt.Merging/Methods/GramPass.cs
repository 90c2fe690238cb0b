using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>Takes inner products <paramref name="products"/> of the vectors of a tensor from <paramref name="vector"/> on.</summary>
internal delegate void GramReady(TensorPlan tensor, VectorLayout layout, long vector, ReadOnlySpan<double> products, int count);

/// <summary>Makes rows, <see cref="Simd.Stride"/> floats apart, of at most <see cref="Simd.Chunk"/> elements of a sub-block that the worker has read.</summary>
internal unsafe delegate void LoadVectors(Worker worker, SubBlock part, int from, int length, float* rows);

/// <summary>
/// One pass over tensors that takes the inner products of all pairs of their vectors, in fp64 and in a shape that depends
/// on the tensors alone: whole tensors in blocks whose sums are added in order, rows each by itself, columns in at most
/// <see cref="MostBands"/> bands of rows whose sums are added in order.
/// </summary>
/// <param name="plan">The plan.</param>
/// <param name="load">Makes the vectors, one for each expert, where they are not the sources or their differences to the base; they are taken whole or by rows.</param>
internal sealed unsafe class GramPass(MergePlan plan, LoadVectors? load = null)
{
    private const int MostBands = 8;
    private const int MostColumns = 16_384;

    /// <summary>A part of a tensor that one worker measures: rows and columns of its matrix, or a run of elements.</summary>
    private readonly record struct Piece(TensorPlan Tensor, VectorLayout Layout, long Start, long End, long Column, long EndColumn, double[]? Sums, long Place);

    /// <summary>The number of vectors that one result spans.</summary>
    public int Count(TensorPlan tensor, bool ofTaskVectors) => ofTaskVectors || tensor.Base is null ? plan.Experts.Count : plan.Experts.Count + 1;

    /// <summary>Measures tensors.</summary>
    /// <param name="context">Workers and progress.</param>
    /// <param name="tensors">The tensors, none without elements.</param>
    /// <param name="extent">What one vector is.</param>
    /// <param name="ofTaskVectors">Whether the vectors are differences to the base.</param>
    /// <param name="ready">Gets the results, from any worker; rows in several calls.</param>
    public void Run(PassContext context, IReadOnlyList<TensorPlan> tensors, VectorExtent extent, bool ofTaskVectors, GramReady ready)
    {
        var pieces = new List<Piece>();
        var sums = new List<(TensorPlan Tensor, VectorLayout Layout, double[] Parts)>();
        foreach (var tensor in tensors)
        {
            var layout = VectorLayout.Of(tensor, extent);
            var pairs = InnerProducts.Pairs(Count(tensor, ofTaskVectors));
            switch (layout.Extent)
            {
                case VectorExtent.Row:
                    AddRows(pieces, tensor, layout);
                    break;
                case VectorExtent.Column:
                    sums.Add((tensor, layout, AddColumns(pieces, tensor, layout, pairs)));
                    break;
                default:
                    sums.Add((tensor, layout, AddBlocks(pieces, tensor, layout, pairs)));
                    break;
            }
        }

        context.Pool.Run(0, pieces.Count, (worker, i) =>
        {
            var piece = pieces[(int)i];
            var count = Count(piece.Tensor, ofTaskVectors);
            switch (piece.Layout.Extent)
            {
                case VectorExtent.Row: MeasureRows(context, context.Workers[worker], piece, count, ofTaskVectors, ready); break;
                case VectorExtent.Column: MeasureColumns(context, context.Workers[worker], piece, count, ofTaskVectors); break;
                default: MeasureBlock(context, context.Workers[worker], piece, count, ofTaskVectors); break;
            }
        });
        context.Pool.Run(0, sums.Count, (_, i) =>
        {
            var (tensor, layout, parts) = sums[(int)i];
            var count = Count(tensor, ofTaskVectors);
            ready(tensor, layout, 0, Total(parts, layout, InnerProducts.Pairs(count)), count);
        });
    }

    private static double[] AddBlocks(List<Piece> pieces, TensorPlan tensor, VectorLayout layout, int pairs)
    {
        var sums = new double[BlockMap.CountOf(tensor.ElementCount) * pairs];
        for (long start = 0, place = 0; start < tensor.ElementCount; start += BlockMap.Elements, place += pairs)
            pieces.Add(new Piece(tensor, layout, start, Math.Min(start + BlockMap.Elements, tensor.ElementCount), 0, 0, sums, place));
        return sums;
    }

    private static void AddRows(List<Piece> pieces, TensorPlan tensor, VectorLayout layout)
    {
        var step = Math.Max(1, BlockMap.Elements / layout.Width);
        for (long row = 0; row < layout.Vectors; row += step)
            pieces.Add(new Piece(tensor, layout, row, Math.Min(row + step, layout.Vectors), 0, layout.Width, null, 0));
    }

    private static double[] AddColumns(List<Piece> pieces, TensorPlan tensor, VectorLayout layout, int pairs)
    {
        var rows = tensor.ElementCount / layout.Width;
        var bands = Math.Clamp(tensor.ElementCount / BlockMap.Elements, 1, Math.Min(MostBands, rows));
        var sums = new double[bands * pairs * layout.Width];
        for (var band = 0L; band < bands; band++)
        {
            for (var column = 0L; column < layout.Width; column += MostColumns)
                pieces.Add(new Piece(tensor, layout, rows * band / bands, rows * (band + 1) / bands, column, Math.Min(column + MostColumns, layout.Width), sums, band * pairs * layout.Width));
        }

        return sums;
    }

    /// <summary>Adds up parts in their order; the products of one vector come side by side.</summary>
    private static double[] Total(double[] parts, VectorLayout layout, int pairs)
    {
        var length = pairs * layout.Vectors;
        var total = new double[length];
        for (var part = 0L; part < parts.Length; part += length)
        {
            for (var v = 0L; v < layout.Vectors; v++)
            {
                for (var pair = 0; pair < pairs; pair++)
                    total[(v * pairs) + pair] += parts[part + (pair * layout.Vectors) + v];
            }
        }

        return total;
    }

    private void MeasureBlock(PassContext context, Worker worker, Piece piece, int count, bool ofTaskVectors)
    {
        var sums = new BlockSum[InnerProducts.Pairs(count)];
        AddRun(context, worker, piece.Tensor, piece.Start, piece.End, count, ofTaskVectors, sums);
        for (var pair = 0; pair < sums.Length; pair++)
            piece.Sums![piece.Place + pair] = sums[pair].Total();
    }

    private void MeasureRows(PassContext context, Worker worker, Piece piece, int count, bool ofTaskVectors, GramReady ready)
    {
        var pairs = InnerProducts.Pairs(count);
        var products = new double[(piece.End - piece.Start) * pairs];
        var sums = new BlockSum[pairs];
        var width = piece.Layout.Width;
        var rowsAtOnce = Math.Max(1, worker.Elements / width);
        for (var row = piece.Start; row < piece.End; row += rowsAtOnce)
        {
            var end = Math.Min(row + rowsAtOnce, piece.End);
            var part = new SubBlock(piece.Tensor, row * width, (int)Math.Min((end - row) * width, worker.Elements));
            if (width <= worker.Elements)
                Read(context, worker, part);
            for (var r = row; r < end; r++)
            {
                Array.Clear(sums);
                if (width <= worker.Elements)
                    Add(worker, part, count, ofTaskVectors, (int)((r - row) * width), (int)width, sums);
                else
                    AddRun(context, worker, piece.Tensor, r * width, (r + 1) * width, count, ofTaskVectors, sums);
                for (var pair = 0; pair < pairs; pair++)
                    products[((r - piece.Start) * pairs) + pair] = sums[pair].Total();
            }
        }

        ready(piece.Tensor, piece.Layout, piece.Start, products, count);
    }

    private static void MeasureColumns(PassContext context, Worker worker, Piece piece, int count, bool ofTaskVectors)
    {
        var width = piece.Layout.Width;
        fixed (double* sums = piece.Sums)
        {
            for (var row = piece.Start; row < piece.End; row++)
            {
                for (var column = piece.Column; column < piece.EndColumn; column += worker.Elements)
                {
                    var length = (int)Math.Min(worker.Elements, piece.EndColumn - column);
                    Read(context, worker, new SubBlock(piece.Tensor, (row * width) + column, length));
                    var first = ofTaskVectors ? 1 : 0;
                    InnerProducts.AddEach(ofTaskVectors ? worker.Blocks : null, worker.Blocks + first, count, 0, length, sums + piece.Place + column, (nint)width);
                }
            }
        }
    }

    private void AddRun(PassContext context, Worker worker, TensorPlan tensor, long start, long end, int count, bool ofTaskVectors, BlockSum[] sums)
    {
        for (; start < end; start += worker.Elements)
        {
            var length = (int)Math.Min(worker.Elements, end - start);
            var part = new SubBlock(tensor, start, length);
            Read(context, worker, part);
            Add(worker, part, count, ofTaskVectors, 0, length, sums);
        }
    }

    private void Add(Worker worker, SubBlock part, int count, bool ofTaskVectors, int from, int length, BlockSum[] sums)
    {
        fixed (BlockSum* first = sums)
        {
            if (load is null)
            {
                InnerProducts.Add(ofTaskVectors ? worker.Blocks : null, worker.Blocks + (ofTaskVectors ? 1 : 0), count, from, length, first);
                return;
            }

            var rows = stackalloc float[(count + 1) * Simd.Stride];
            for (var e = 0; e < length; e += Simd.Chunk)
            {
                var chunk = Math.Min(length - e, Simd.Chunk);
                load(worker, part, from + e, chunk, rows);
                InnerProducts.AddRows(rows, count, chunk, first);
            }
        }
    }

    private static void Read(PassContext context, Worker worker, SubBlock part)
    {
        var sources = part.Tensor.Sources;
        for (var i = 0; i < sources.Count; i++)
            context.Progress.Add(worker.Read(sources[i], i, part).Length);
    }
}
