using Smelt.Merging.Kernels;
using Smelt.Merging.Methods;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <content>What is done once a pass has seen all: blocks that waited for thresholds or for the majority of signs are completed.</content>
public sealed unsafe partial class MergeExecutor
{
    /// <summary>Finishes the blocks of a wave that were held until the thresholds of their tensors were known.</summary>
    private void FinishHeld(OnePassTrim onePass, PassContext context, int first, int end, Journal journal)
    {
        onePass.Settle(context, first, end, _held);
        _pool.Run(_blocks.FirstOf(first), _blocks.FirstOf(end), (index, block) =>
        {
            if (_finished.Contains(block))
                return;
            if (onePass.Find(_blocks[block]) is { } held)
                FinishBlock(index, _blocks[block], held, onePass, journal);
            else
                MergeBlock(index, _blocks[block], journal);
        });
        onePass.Release(first, end);
        _held.Clear();
    }

    private void FinishBlock(int index, Block block, HeldBlock held, OnePassTrim onePass, Journal journal)
    {
        var worker = _workers[index];
        _held.Load(index, held, block.Tensor.Base!.Type.BytesPerElement);
        Complete(worker, block, held.Output, (start, bytes) => onePass.Merge(worker, block, held, start, bytes));
        _progress.Add((long)block.Length * block.Tensor.OutputType.BytesPerElement);
        for (var i = 0; i < held.Columns.Length; i++)
            _progress.Skip((long)block.Length * block.Tensor.Source(i).Type.BytesPerElement);
        Finish(block, worker.TakeRecords(), held.SourceHashes, journal);
    }

    /// <summary>Completes the output's bytes of a block, a sub-block at a time, hashes and writes them.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="block">The block.</param>
    /// <param name="held">Its bytes; null where they are in the file.</param>
    /// <param name="complete">Gets a sub-block's first element in the block, and its bytes.</param>
    private void Complete(Worker worker, Block block, byte* held, Action<int, Span<byte>> complete)
    {
        var size = block.Tensor.OutputType.BytesPerElement;
        worker.BeginBlock(block);
        for (var start = 0; start < block.Length; start += worker.Elements)
        {
            var offset = (block.Start + start) * size;
            var bytes = new Span<byte>(held is null ? worker.Scratch : held + (start * size), Math.Min(worker.Elements, block.Length - start) * size);
            if (held is null)
                _outputs.Read(0, block.Tensor.Index, offset, bytes);
            complete(start, bytes);
            worker.HashOutput(0, bytes);
            _outputs.Write(0, block.Tensor.Index, offset, bytes);
        }
    }

    /// <summary>
    /// Gives zero votes what the majority of signs elects, in blocks that assumed something else: where their contested elements are listed these get what the
    /// other sign makes of them, else the block is merged again. The journal says of a block that is patched what it was: a run that goes on merges it again.
    /// </summary>
    private void TakeMajority(Journal journal)
    {
        var right = _programs[0].ZeroVote;
        _pool.Run(0, _blocks.Count, (index, i) =>
        {
            if (!_finished.Votes[0].AnyBut(right, 0, i))
                return;
            if (right == ZeroVote.Nothing || _contested!.Find(i) is not { } contested)
            {
                _finished.Reopen(i);
                return;
            }

            var (worker, block) = (_workers[index], _blocks[i]);
            Complete(worker, block, null, (start, bytes) => contested.Patch(start, bytes, block.Tensor.OutputType.BytesPerElement));
            _hashes.Replace(block, worker.TakeRecords()[0].Hash);
        });
        MergeAll(journal);
        _hashes.EndReplacing();
    }
}
