using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>Where the masks of random drops come from: a file, or <see cref="Philox"/>.</summary>
internal sealed unsafe class RandomMasks(MergePlan plan, IReadOnlyList<MixGroup> groups)
{
    private readonly PhiloxKey[][] _keys =
        [.. groups.Select(g => plan.Experts.Select(e => PhiloxKey.Of((ulong)((IRandomDrop)g.Recipe).Seed!.Value, NameHash.Of(e.Identity))).ToArray())];

    /// <summary>Makes the mask of an expert, one density for all elements; false where a mask file has none, so that all is kept.</summary>
    public bool Make(Worker worker, SubBlock part, MixGroup group, int expert, double density, ulong* bits)
    {
        if (plan.Masks is not null)
            return TryRead(worker, part, expert, bits);
        Philox.Mask(_keys[group.Index][expert], worker.TensorHash(part.Tensor), part.Start, part.Length, Philox.Threshold24(density), bits);
        return true;
    }

    private bool TryRead(Worker worker, SubBlock part, int expert, ulong* bits)
    {
        if (!plan.Masks!.TryGet(MaskFiles.Name(expert, part.Tensor.Name), out var mask))
            return false;
        worker.ReadMask(mask, part, bits);
        return true;
    }
}
