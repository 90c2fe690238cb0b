using Smelt.Checkpoints;
using Smelt.Merging.Kernels;
using Smelt.Merging.Methods;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>Merges one block: reads its sources, mixes them piece by piece and writes every output.</summary>
/// <param name="plan">The plan.</param>
/// <param name="programs">The method of each part.</param>
/// <param name="outputs">Where outputs are written.</param>
/// <param name="statistics">Measures task vectors; null where nobody asks for that.</param>
/// <param name="progress">Counts bytes.</param>
internal sealed unsafe class BlockMerger(MergePlan plan, MethodProgram[] programs, OutputFiles outputs, StatisticsCollector? statistics, ProgressCounter progress)
{
    /// <summary>Merges a block, or copies it where its tensor is kept, and hashes what it reads and writes.</summary>
    /// <param name="worker">The worker; the block is begun.</param>
    /// <param name="block">The block.</param>
    /// <param name="held">Takes the output, and the columns that can't be merged yet; null where all can be.</param>
    /// <exception cref="InvalidInputException">An input holds what can't be merged.</exception>
    public void Merge(Worker worker, Block block, HeldBlock? held)
    {
        if (block.Tensor.Action == TensorAction.Merge)
            Mix(worker, block, held);
        else
            Copy(worker, block);
    }

    private void Mix(Worker worker, Block block, HeldBlock? held)
    {
        var tensor = block.Tensor;
        var sources = tensor.CountSources;
        var program = programs[tensor.Part];
        var squares = stackalloc BlockSum[Kernels.Mix.MaxInputs];
        for (var i = 0; i < sources; i++)
            squares[i] = default;
        var conflicts = default(ConflictCounts);
        for (var offset = 0; offset < block.Length; offset += worker.Elements)
        {
            var part = new SubBlock(tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
            for (var i = 0; i < sources; i++)
            {
                var raw = worker.Read(tensor.Source(i), i, part);
                progress.Add(raw.Length);
                if (plan.NonFinite == Recipes.NonFinite.Propagate && i < sources - tensor.Statistics.Count)
                    worker.HashSource(i, raw);
                else if (worker.HashFiniteSource(i, part.Length) is >= 0 and var index)
                    throw NotFinite(tensor.Source(i), part, i, index);
            }

            statistics?.Add(worker, block, part, squares, ref conflicts);
            for (var group = 0; group < program.Groups.Count; group++)
                MixGroup(worker, part, sources, program.Groups[group], program, held);
        }
    }

    /// <summary>Mixes a sub-block that the worker has read, piece by piece, and writes it to the group's points, each in one go, or holds it.</summary>
    private void MixGroup(Worker worker, SubBlock part, int sources, MixGroup group, MethodProgram program, HeldBlock? held)
    {
        var tensor = part.Tensor;
        var size = tensor.OutputType.BytesPerElement;
        var step = group.Points.Length > 1 ? part.Length : Math.Min(part.Length, Worker.MixElements);
        for (var start = 0; start < part.Length; start += step)
        {
            worker.Focus(start, sources);
            var piece = new SubBlock(tensor, part.Start + start, Math.Min(step, part.Length - start));
            if (held is not null)
            {
                program.OnePass!.Mix(worker, piece, held);
                var output = held.Output is null ? worker.Output : held.Output + (part.Start % BlockMap.Elements * size);
                worker.Apply(output, start, piece.Length, program.AddsBase, tensor.Settings[0].Lambda, tensor.OutputType);
                if (held.Output is null && start + piece.Length == part.Length)
                    outputs.Write(0, tensor.Index, part.Start * size, new ReadOnlySpan<byte>(worker.Output, part.Length * size));
                continue;
            }

            program.Mix(worker, piece, group);
            WriteMasks(worker, piece, group);
            foreach (var point in group.Points)
            {
                worker.HashOutput(point, worker.Apply(worker.Output, start, piece.Length, program.AddsBase, tensor.Settings[point].Lambda, tensor.OutputType));
                if (start + piece.Length < part.Length)
                    continue;
                var bytes = new ReadOnlySpan<byte>(worker.Output, part.Length * size);
                outputs.Write(point, tensor.Index, part.Start * size, bytes);
                progress.Add(bytes.Length);
            }
        }

        worker.Focus(0, sources);
    }

    /// <summary>Writes the masks that a mix made beside it, for all its sweep points.</summary>
    private void WriteMasks(Worker worker, SubBlock part, MixGroup group)
    {
        for (var mask = 0; mask < plan.MaskOutputs?.Names.Count; mask++)
        {
            var bytes = new ReadOnlySpan<byte>(worker.Masks + ((long)mask * worker.MaskWords), (int)MaskOutputs.BytesOf(part.Length));
            foreach (var point in group.Points)
            {
                worker.HashMask(plan.StreamOf(point, mask) - plan.Points.Count, bytes);
                outputs.WriteMask(point, mask, part, bytes);
                progress.Add(bytes.Length);
            }
        }
    }

    private InvalidInputException NotFinite(CheckpointTensor tensor, SubBlock part, int source, nint index)
    {
        var expert = part.Tensor.Base is null ? source : source - 1;
        if (expert >= part.Tensor.Experts.Count)
            return new InvalidInputException(PlanRules.NotFinite.Id, $"{tensor.File.FullPath}, tensor {tensor.Name}", $"the statistics of expert {expert - part.Tensor.Experts.Count} hold a value that is not finite at flat index {part.Start + index}.", "Take the statistics again.");
        return new InvalidInputException(
            PlanRules.NotFinite.Id,
            $"{tensor.File.FullPath}, tensor {tensor.Name}",
            $"{(expert < 0 ? "the base" : $"expert {expert} ({plan.InputOf(part.Tensor, source).Reference})")} holds a value that is not finite at flat index {part.Start + index}.",
            "Repair or leave out that model, or set NonFinite = NonFinite.Propagate.");
    }

    private void Copy(Worker worker, Block block)
    {
        var tensor = block.Tensor;
        var sources = tensor.Sources;
        var (start, end) = tensor.ByteRange(block.Start, block.Length);
        for (var offset = start; offset < end; offset += worker.SourceBytes)
        {
            var length = (int)Math.Min(worker.SourceBytes, end - offset);
            ReadOnlySpan<byte> first = default;
            for (var i = 0; i < sources.Count; i++)
            {
                var raw = worker.ReadBytes(sources[i], i, offset, length);
                progress.Add(length);
                worker.HashSource(i, raw);
                if (i == 0)
                    first = raw;
                else if (!raw.SequenceEqual(first))
                    throw new InvalidInputException(PlanRules.TypeDiffers.Id, $"{sources[i].File.FullPath}, tensor {tensor.Name}", $"values of type {sources[i].Type} differ from those in {sources[0].File.FullPath}; this type can't be merged and must be the same in all inputs.", $"Keep(\"{tensor.Name}\") takes it from the base.");
            }

            for (var point = 0; point < plan.Points.Count; point++)
            {
                worker.HashOutput(point, first);
                outputs.Write(point, tensor.Index, offset, first);
                progress.Add(length);
            }
        }
    }
}
