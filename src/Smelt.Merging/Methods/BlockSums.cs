using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>Adds a sub-block that the worker has read to sums.</summary>
internal unsafe delegate void AddToSums(Worker worker, SubBlock part, BlockSum* sums);

/// <summary>Takes the sums of a block.</summary>
internal delegate void SumUp(Worker worker, Block block, Memory<double> sums);

/// <summary>
/// One pass over merged tensors that takes sums over their elements in fp64, in a fixed shape: blocks by any worker, added in
/// order for each tensor.
/// </summary>
internal static unsafe class BlockSums
{
    /// <summary>Blocks whose sums are held at a time, unless one tensor has more.</summary>
    private const int BlocksAtOnce = 4096;

    /// <summary>More sums than this of a block don't go onto the stack: experts times sweep points can be many.</summary>
    private const int MostOnStack = 64;

    /// <summary>Sums up the merged tensors from <paramref name="first"/> up to <paramref name="end"/>.</summary>
    /// <param name="context">Workers and progress.</param>
    /// <param name="first">The first tensor.</param>
    /// <param name="end">The tensor after the last.</param>
    /// <param name="width">The number of sums.</param>
    /// <param name="add">Adds a sub-block.</param>
    /// <param name="read">Reads what a sub-block's sums are of, and returns the number of bytes; base and experts unless given.</param>
    /// <returns>The sums of each tensor of the plan by its index; null for tensors that are not merged or have no elements.</returns>
    public static double[]?[] Measure(PassContext context, int first, int end, int width, AddToSums add, Func<Worker, SubBlock, int>? read = null) =>
        Measure(context, first, end, width, (worker, block, sums) => Add(context, worker, block, add, read ?? ((w, part) => w.ReadAll(part)), sums.Span));

    /// <summary>As the other, for sums that a method takes of a block by itself.</summary>
    public static double[]?[] Measure(PassContext context, int first, int end, int width, SumUp sumUp)
    {
        var sums = new double[]?[context.Plan.Tensors.Count];
        for (var from = first; from < end;)
        {
            var to = from + 1;
            while (to < end && context.Blocks.FirstOf(to + 1) - context.Blocks.FirstOf(from) <= BlocksAtOnce)
                to++;
            MeasureSome(context, from, to, width, sumUp, sums);
            from = to;
        }

        return sums;
    }

    private static void MeasureSome(PassContext context, int first, int end, int width, SumUp sumUp, double[]?[] sums)
    {
        var firstBlock = context.Blocks.FirstOf(first);
        var parts = new double[(context.Blocks.FirstOf(end) - firstBlock) * width];
        context.Pool.Run(firstBlock, context.Blocks.FirstOf(end), (worker, index) =>
        {
            var block = context.Blocks[index];
            if (block.Tensor.Action == TensorAction.Merge)
                sumUp(context.Workers[worker], block, parts.AsMemory((int)((index - firstBlock) * width), width));
        });

        foreach (var tensor in context.Plan.MergedIn(first, end))
        {
            var total = sums[tensor.Index] = new double[width];
            for (var block = context.Blocks.FirstOf(tensor.Index); block < context.Blocks.FirstOf(tensor.Index + 1); block++)
            {
                for (var i = 0; i < width; i++)
                    total[i] += parts[((block - firstBlock) * width) + i];
            }
        }
    }

    private static void Add(PassContext context, Worker worker, Block block, AddToSums add, Func<Worker, SubBlock, int> read, Span<double> parts)
    {
        var sums = parts.Length <= MostOnStack ? stackalloc BlockSum[parts.Length] : new BlockSum[parts.Length];
        sums.Clear();
        fixed (BlockSum* first = sums)
        {
            for (var offset = 0; offset < block.Length; offset += worker.Elements)
            {
                var part = new SubBlock(block.Tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
                context.Progress.Add(read(worker, part));
                add(worker, part, first);
            }
        }

        for (var i = 0; i < parts.Length; i++)
            parts[i] = sums[i].Total();
    }
}
