using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>Masks of rows without their outliers and smallest elements.</summary>
internal sealed unsafe class OutlierRows(MergePlan plan, BreadcrumbsMethod method)
    : RowMasks(plan, new RowNeeds(method.Groups.Count, RowAxis.Last, Draws: false, Divisors: false))
{
    /// <summary>The bytes that a worker takes for a part of a plan; 0 where it has no such rows.</summary>
    public static long WorkerBytes(MergePlan plan, MergePart part, int elements, int elementBytes) =>
        part.Points.Any(p => p.Recipe is IOutlierTrim { Trim: TrimScope.Row })
            ? WorkerBytes(plan, part, new RowNeeds(MethodProgram.CountGroups(part.Points), RowAxis.Last, Draws: false, Divisors: false), elements, elementBytes)
            : 0;

    /// <inheritdoc/>
    protected override void Decide(Row row)
    {
        var bounds = method.BoundsOf(row.Group, row.Tensor, row.Expert, row.Length);
        row.Order.Load(row.Deltas, row.Length);
        CutMask.Write(row.Deltas, CutOf(bounds.Keep), CutOf(bounds.Drop), 0, row.Length, row.Bits);

        Kernels.Cut CutOf(TrimBound bound) => bound.Known ?? row.Order.Top(bound.Rank);
    }
}
