using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>
/// Measures task vectors on the way of a merge: norms in fp64 in a fixed shape, and conflicts of signs. For methods without
/// a base there is nothing to measure.
/// </summary>
internal sealed unsafe class StatisticsCollector
{
    private readonly int _experts;
    private readonly double[] _squares;
    private long _shared;
    private long _opposed;

    public StatisticsCollector(MergePlan plan, BlockMap blocks)
    {
        _experts = plan.Experts.Count;
        _squares = new double[blocks.Count * _experts];
    }

    /// <summary>Whether a plan has task vectors to measure.</summary>
    public static bool Applies(MergePlan plan) => plan.Parts.Count == 1 && plan.Merged.Any() && plan.Merged.All(t => t.Base is not null);

    /// <summary>Adds a sub-block that the worker has read; sub-blocks of a block come in order, on one worker.</summary>
    public void Add(Worker worker, Block block, SubBlock part, BlockSum* sums)
    {
        for (var i = 0; i < _experts; i++)
        {
            var expert = new ExpertBlock(worker.Blocks[i + 1]);
            worker.Experts[i] = expert;
            Deltas.Compute(worker.Blocks[0], expert, part.Start, part.Length, worker.Mix);
            sums[i].AddProducts(worker.Mix, worker.Mix, part.Length);
            if (part.Start + part.Length == block.Start + block.Length)
                _squares[(block.Index * _experts) + i] = sums[i].Total();
        }

        var counts = Conflicts.Count(worker.Blocks[0], worker.Experts, _experts, part.Start, part.Length);
        Interlocked.Add(ref _shared, counts.Shared);
        Interlocked.Add(ref _opposed, counts.Opposed);
    }

    /// <summary>The measurements over all blocks.</summary>
    public TaskVectorStatistics Result()
    {
        var norms = new double[_experts];
        for (var i = 0; i < _squares.Length; i++)
            norms[i % _experts] += _squares[i];
        for (var i = 0; i < norms.Length; i++)
            norms[i] = Math.Sqrt(norms[i]);
        return new TaskVectorStatistics(norms, _opposed, _shared);
    }
}
