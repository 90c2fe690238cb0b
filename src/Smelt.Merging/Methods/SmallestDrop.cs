using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// DARE's drop by magnitude: in each tensor the trunc((1 - density) n) smallest magnitudes of a task vector, or of the expert's
/// weights, and all that equal the largest of them.
/// </summary>
internal sealed unsafe class SmallestDrop : ITrimmed
{
    private readonly MagnitudeTrim _trim;

    public SmallestDrop(MergePlan plan, IReadOnlyList<MixGroup> groups)
    {
        Groups = [.. groups.Where(g => ((IDare)g.Recipe).Drop == Drop.Smallest)];
        _trim = new MagnitudeTrim(plan, this, groups.Count);
    }

    /// <inheritdoc/>
    public IReadOnlyList<MixGroup> Groups { get; }

    /// <inheritdoc/>
    public bool SharesDeltas => true;

    /// <summary>Finds the thresholds of the tensors from <paramref name="first"/> up to <paramref name="end"/>.</summary>
    public void Find(PassContext context, int first, int end) => _trim.Find(context, first, end);

    /// <summary>The fp32 pattern that the magnitudes of kept elements exceed; below 0 all are kept.</summary>
    public int FloorOf(MixGroup group, TensorPlan tensor, int expert) => _trim.CutsOf(group, tensor, expert).Keep.Below(0);

    /// <inheritdoc/>
    public TrimScope? ExtentOf(MixGroup group) => TrimScope.Tensor;

    /// <inheritdoc/>
    public double? ShareOf(MixGroup group, TensorPlan tensor, int expert) => null;

    /// <inheritdoc/>
    public TrimBounds BoundsOf(MixGroup group, TensorPlan tensor, int expert, long elements) =>
        TrimBounds.FromSmallest(tensor.Settings[group.First].Densities[expert], elements, TrimEdge.Above);

    /// <inheritdoc/>
    public ExpertBlock Untrimmed(Worker worker, SubBlock part, MixGroup group, int expert) =>
        new(worker.Blocks[expert + 1]) { Origin = ((IDare)group.Recipe).OnWeights == true ? Origin.WeightsAlone : Origin.Delta };
}
