using System.Collections.Concurrent;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>
/// Measures task vectors on the way of a merge: norms in fp64 in a fixed shape, and conflicts of signs. For methods without
/// a base there is nothing to measure.
/// </summary>
internal sealed unsafe class StatisticsCollector(MergePlan plan)
{
    private readonly int _experts = plan.Experts.Count;

    /// <summary>The sums of tensors that are under way.</summary>
    private readonly ConcurrentDictionary<int, TensorSums> _open = new();
    private readonly TensorSums?[] _finished = new TensorSums?[plan.Tensors.Count];

    /// <summary>Whether a plan has task vectors to measure.</summary>
    public static bool Applies(MergePlan plan) => plan.Parts.Count == 1 && plan.Merged.Any() && plan.Merged.All(t => t.Base is not null);

    /// <summary>
    /// Adds a sub-block that the worker has read; sub-blocks of a block come in order, on one worker. A block that comes once more, since it has to be
    /// merged again, is not counted again.
    /// </summary>
    public void Add(Worker worker, Block block, SubBlock part, BlockSum* sums, ref ConflictCounts counts)
    {
        var tensor = block.Tensor;
        if (Volatile.Read(ref _finished[tensor.Index]) is not null)
            return;
        for (var i = 0; i < _experts; i++)
        {
            var expert = new ExpertBlock(worker.Blocks[i + 1]);
            worker.Experts[i] = expert;
            Deltas.Compute(worker.Blocks[0], expert, part.Start, part.Length, worker.Mix);
            sums[i].AddProducts(worker.Mix, worker.Mix, part.Length);
        }

        counts += Conflicts.Count(worker.Blocks[0], worker.Experts, _experts, part.Start, part.Length);
        if (part.Start + part.Length < block.Start + block.Length)
            return;
        var open = _open.GetOrAdd(tensor.Index, _ => new TensorSums(_experts, BlockMap.CountOf(tensor.ElementCount)));
        if (!open.Finish(block.Start / BlockMap.Elements, sums, counts))
            return;
        Volatile.Write(ref _finished[tensor.Index], open);
        _open.TryRemove(tensor.Index, out _);
    }

    /// <summary>The measurements over all merged tensors.</summary>
    public TaskVectorStatistics Result()
    {
        var norms = new double[_experts];
        var (shared, opposed) = (0L, 0L);
        foreach (var tensor in _finished.OfType<TensorSums>())
        {
            for (var i = 0; i < norms.Length; i++)
                norms[i] += tensor.Squares[i];
            (shared, opposed) = (shared + tensor.Shared, opposed + tensor.Opposed);
        }

        for (var i = 0; i < norms.Length; i++)
            norms[i] = Math.Sqrt(norms[i]);
        return new TaskVectorStatistics(norms, opposed, shared);
    }

    /// <summary>What is measured of one tensor. Its blocks' sums are added in order once all are there, and then let go.</summary>
    private sealed class TensorSums(int experts, long blocks)
    {
        private readonly Lock _lock = new();
        private readonly bool[] _done = new bool[blocks];
        private double[] _parts = new double[blocks * experts];
        private long _left = blocks;

        /// <summary>The squared norm of each expert's task vector.</summary>
        public double[] Squares { get; } = new double[experts];

        public long Shared { get; private set; }

        public long Opposed { get; private set; }

        /// <summary>Adds a block; whether it was the last.</summary>
        public bool Finish(long block, BlockSum* sums, ConflictCounts counts)
        {
            lock (_lock)
            {
                if (_left == 0 || _done[block])
                    return false;
                _done[block] = true;
                for (var i = 0; i < experts; i++)
                    _parts[(block * experts) + i] = sums[i].Total();
                (Shared, Opposed) = (Shared + counts.Shared, Opposed + counts.Opposed);
                if (--_left > 0)
                    return false;
                for (var i = 0; i < _parts.Length; i++)
                    Squares[i % experts] += _parts[i];
                _parts = [];
                return true;
            }
        }
    }
}
