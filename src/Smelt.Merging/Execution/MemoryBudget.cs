using Smelt.Merging.Kernels;
using Smelt.Merging.Methods;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Execution;

/// <summary>How many workers a merge gets and how large their buffers are, within a memory limit.</summary>
/// <param name="Threads">Worker threads.</param>
/// <param name="Sources">The most sources that a tensor has.</param>
/// <param name="Elements">Elements of a sub-block.</param>
/// <param name="ElementBytes">Bytes of the largest element among the sources.</param>
/// <param name="Searches">How many histograms of magnitudes each worker may hold at a time.</param>
/// <param name="HeldBytes">The memory for blocks of tensors that are trimmed in one pass.</param>
/// <param name="PeakBytes">The memory expected at the peak, the runtime included.</param>
public sealed record MemoryBudget(int Threads, int Sources, int Elements, int ElementBytes, int Searches, long HeldBytes, long PeakBytes)
{
    /// <summary>What the runtime takes with its code and a small heap, measured on Linux x64.</summary>
    private const long Runtime = 40L << 20;

    /// <summary>A worker's histogram, and its share of the merged one.</summary>
    private const long SearchBytes = 2 * MagnitudeBracket.MostBytes;

    /// <summary>The budget of a merge: as many of the threads asked for as the memory allows, at least one.</summary>
    /// <exception cref="InvalidInputException">The limit is too small for a single worker, or below 64 MiB.</exception>
    public static MemoryBudget For(MergePlan plan, MergeOptions options)
    {
        if (options.MaxMemory < MergeOptions.SmallestMemory)
            throw new InvalidInputException(PlanRules.MemoryTooSmall.Id, "--max-memory", $"the limit is {(ByteSize)options.MaxMemory}; allowed: at least 64 MiB.");

        var sources = plan.MostSources;
        var elementBytes = 1;
        foreach (var tensor in plan.Tensors)
        {
            for (var i = 0; i < tensor.CountSources; i++)
                elementBytes = Math.Max(elementBytes, (tensor.Source(i).Type.Bits + 7) / 8);
            foreach (var gram in tensor.Grams)
                elementBytes = Math.Max(elementBytes, (gram.Type.Bits + 7) / 8);
        }

        var elements = Worker.ElementsFor(sources, elementBytes);
        var threads = Math.Max(1, options.Threads);
        var draws = plan.MergekitDraws is { Total: > 0 and var total } ? SerialDraws.Bytes(total) : 0;
        var shared = Runtime + draws + (plan.Tensors.Count * (sources + plan.Points.Count + 8L) * 64);
        var perWorker = Worker.Bytes(sources, elements, elementBytes) + (256 << 10) + plan.Parts.Sum(p => OutlierRows.WorkerBytes(plan, p, elements, elementBytes) + GradedRows.WorkerBytes(plan, p, elements, elementBytes) + AxisMasks.WorkerBytes(plan, p) + ElementMethod.WorkerBytes(p) + (draws > 0 ? MethodProgram.CountGroups(p.Points) * p.Experts.Count * (long)SerialDraws.ReaderBytes : 0));
        var searches = plan.Parts.Any(p => p.Points[0].Recipe is SparseRecipe or Sce or ArceeFusion or Pcb) ? 1 : 0;
        long Peak() => shared + plan.Parts.Sum(p => AxisMasks.SharedBytes(plan, p, threads)) + (threads * (perWorker + (searches * SearchBytes))) + RegMeanMethod.Memory(plan, threads).Bytes;
        while (threads > 1 && Peak() > options.MaxMemory)
            threads--;
        while (searches > 0 && searches < sources * plan.Points.Count && Peak() + (threads * SearchBytes) <= options.MaxMemory / 2)
            searches++;
        var peak = Peak();
        if (peak > options.MaxMemory && RegMeanMethod.Memory(plan, threads) is { Largest: { } matrix } solving)
            throw new InvalidInputException(PlanRules.MemoryTooSmall.Id, "--max-memory", $"the merge needs {Enough(peak)} with a single thread, {(ByteSize)solving.Bytes} of it to solve for {matrix.Name} with its Gram matrices of {matrix.Shape[1]} x {matrix.Shape[1]}, and the limit is {(ByteSize)options.MaxMemory}.", "Raise --max-memory, or leave out the Gram matrices of the largest layers: they are averaged then.");
        if (peak > options.MaxMemory)
            throw new InvalidInputException(PlanRules.MemoryTooSmall.Id, "--max-memory", $"the merge needs {Enough(peak)} with a single thread, and the limit is {(ByteSize)options.MaxMemory}.", "Raise --max-memory.");
        var held = OnePassTrim.MostBytes(plan) is > 0 and var most ? Math.Min(HeldMemory.StageBytes(threads, sources, elementBytes) + most, (options.MaxMemory - peak) * 3 / 4) : 0;
        return new MemoryBudget(threads, sources, elements, elementBytes, searches, held, peak + held);
    }

    /// <summary>A size that is no less when it is read back: what is printed with one decimal is rounded up.</summary>
    internal static ByteSize Enough(long bytes)
    {
        var unit = 100L;
        while (bytes > 9_000 * unit)
            unit *= 1000;
        return (bytes + unit - 1) / unit * unit;
    }
}
