using System.Buffers.Binary;
using System.IO.Hashing;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>
/// Gathers the hashes of blocks into hashes of tensors: XxHash128 over the XxHash128 of the blocks in their order. Blocks
/// may come in any order from any thread; a tensor's list is let go as soon as it is complete, so that memory follows the
/// number of tensors and not the size of the model.
/// </summary>
internal sealed class TensorHashes
{
    private readonly MergePlan _plan;
    private readonly PendingTensor?[] _pending;
    private readonly UInt128[][] _outputs;
    private readonly UInt128[][] _inputs;
    private readonly Dictionary<Checkpoints.CheckpointTensor, UInt128> _whole = [];

    /// <summary>For each tensor the hashes of its blocks in the output, where they may be replaced; else null.</summary>
    private readonly UInt128[]?[]? _blocks;

    /// <param name="plan">The plan.</param>
    /// <param name="replaces">Whether blocks of the only output may be replaced.</param>
    public TensorHashes(MergePlan plan, bool replaces)
    {
        _plan = plan;
        _blocks = replaces ? new UInt128[]?[plan.Tensors.Count] : null;
        _pending = new PendingTensor?[plan.Tensors.Count];
        _outputs = new UInt128[plan.Tensors.Count][];
        _inputs = new UInt128[plan.Tensors.Count][];
        foreach (var tensor in plan.Tensors.Where(t => t.ElementCount == 0))
            Complete(tensor, new PendingTensor(0, plan.Streams, tensor.CountSources));
    }

    /// <summary>Adds a block: what is known of it in each output, and its hash in each source. One of a complete tensor replaces what it was, as <see cref="Replace"/> does.</summary>
    public void Add(Block block, ReadOnlySpan<BlockRecord> outputs, ReadOnlySpan<UInt128> sources)
    {
        var index = block.Tensor.Index;
        if (_blocks?[index] is not null)
        {
            Replace(block, outputs[0].Hash);
            return;
        }

        var pending = Volatile.Read(ref _pending[index]);
        if (pending is null)
        {
            var created = new PendingTensor(BlockMap.CountOf(block.Tensor.ElementCount), outputs.Length, sources.Length);
            pending = Interlocked.CompareExchange(ref _pending[index], created, null) ?? created;
        }

        var number = block.Start / BlockMap.Elements;
        for (var i = 0; i < outputs.Length; i++)
            pending.Lists[i][number] = outputs[i].Hash;
        for (var i = 0; i < sources.Length; i++)
            pending.Lists[outputs.Length + i][number] = sources[i];
        if (Interlocked.Decrement(ref pending.Missing) == 0)
            Complete(block.Tensor, pending);
    }

    /// <summary>Replaces the hash of a block in the output, until <see cref="EndReplacing"/> without effect on its tensor's. Safe to call from several threads.</summary>
    public void Replace(Block block, UInt128 hash) => _blocks![block.Tensor.Index]![block.Start / BlockMap.Elements] = hash;

    /// <summary>Makes the hashes of tensors anew, now that those of some blocks were replaced.</summary>
    public void EndReplacing()
    {
        for (var i = 0; i < _outputs.Length; i++)
        {
            if (_blocks![i] is { } blocks)
                _outputs[i][0] = Combine(blocks);
        }
    }

    /// <summary>Adds tensors that are not read along with the blocks of one tensor.</summary>
    public void AddWhole(Checkpoints.CheckpointTensor[] tensors, Func<Checkpoints.CheckpointTensor[], UInt128[]> hash)
    {
        if (tensors.Length == 0)
            return;
        foreach (var (tensor, value) in tensors.Zip(hash(tensors)))
            _whole[tensor] = value;
    }

    /// <summary>The hashes of tensors in the output of a sweep point, or of their masks; streams are those of <see cref="MergePlan.Streams"/>.</summary>
    public IEnumerable<(string Name, UInt128 Hash)> Outputs(IEnumerable<TensorPlan> tensors, int stream)
    {
        foreach (var tensor in tensors)
            yield return (tensor.Name, _outputs[tensor.Index][stream]);
    }

    /// <summary>The hashes of the tensors read from an input; one that is read for several tensors of the output comes once.</summary>
    public IEnumerable<(string Name, UInt128 Hash)> Inputs(PlannedInput input)
    {
        var seen = new HashSet<string>(input.Checkpoint.Tensors.Count, StringComparer.Ordinal);
        foreach (var tensor in _plan.Tensors)
        {
            for (var i = 0; i < tensor.CountSources; i++)
            {
                if (ReferenceEquals(_plan.InputOf(tensor, i), input) && tensor.Source(i).Name is var name && seen.Add(name))
                    yield return (name, _inputs[tensor.Index][i]);
            }

            for (var i = 0; i < tensor.Grams.Count; i++)
            {
                if (ReferenceEquals(_plan.Parts[tensor.Part].Statistics[i], input) && seen.Add(tensor.Grams[i].Name))
                    yield return (tensor.Grams[i].Name, _whole[tensor.Grams[i]]);
            }
        }
    }

    /// <summary>The hashes of the tensors of a file of masks or signs.</summary>
    public IEnumerable<(string Name, UInt128 Hash)> Given(Checkpoints.Checkpoint file) => file.Tensors.Select(t => (t.Name, _whole[t]));

    private void Complete(TensorPlan tensor, PendingTensor pending)
    {
        var (outputs, inputs) = (new UInt128[_plan.Streams], new UInt128[pending.Lists.Length - _plan.Streams]);
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = Combine(pending.Lists[i]);
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = Combine(pending.Lists[outputs.Length + i]);
        _outputs[tensor.Index] = outputs;
        _inputs[tensor.Index] = inputs;
        _pending[tensor.Index] = null;
        if (_blocks is not null)
            _blocks[tensor.Index] = pending.Lists[0];
    }

    /// <summary>The hash of a tensor from those of its blocks.</summary>
    public static UInt128 Combine(UInt128[] blocks)
    {
        const int size = 16;
        var bytes = blocks.Length == 1 ? stackalloc byte[size] : new byte[size * blocks.Length];
        for (var i = 0; i < blocks.Length; i++)
            BinaryPrimitives.WriteUInt128BigEndian(bytes[(size * i)..], blocks[i]);
        return XxHash128.HashToUInt128(bytes);
    }

    private sealed class PendingTensor
    {
        public PendingTensor(long blocks, int outputs, int sources)
        {
            Lists = new UInt128[outputs + sources][];
            for (var i = 0; i < Lists.Length; i++)
                Lists[i] = new UInt128[blocks];
            Missing = blocks;
        }

        public readonly UInt128[][] Lists;
        public long Missing;
    }
}
