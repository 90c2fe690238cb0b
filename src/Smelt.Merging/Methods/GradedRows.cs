using System.Collections.Concurrent;
using Smelt.Merging.Kernels;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>Masks of rows that keep an element the more probably the larger it is.</summary>
internal sealed unsafe class GradedRows(MergePlan plan, IReadOnlyList<MixGroup> groups, RandomMasks random)
    : RowMasks(plan, Needs(groups.Count, groups[0].Recipe))
{
    private readonly ConcurrentDictionary<Row, KeepTable> _tables = new();

    /// <summary>The bytes that a worker takes for a part of a plan; 0 where it has no such rows.</summary>
    public static long WorkerBytes(MergePlan plan, MergePart part, int elements, int elementBytes)
    {
        if (part.Points[0].Recipe is not IGradedDrop graded)
            return 0;
        var longest = plan.Tensors.Where(t => t.Part == part.Index).Select(t => LengthOf(t, graded.Rows!.Value)).Append(1).Max();
        return KeepTable.Bytes(longest) + WorkerBytes(plan, part, Needs(MethodProgram.CountGroups(part.Points), part.Points[0].Recipe), elements, elementBytes);
    }

    /// <inheritdoc/>
    protected override void Decide(Row row)
    {
        var settings = row.Tensor.Settings[row.Group.First];
        var table = _tables.GetOrAdd(row, r => new KeepTable(r.Order.Longest));
        table.Set(row.Length, settings.Densities[row.Expert], settings.Epsilons[row.Expert]);
        row.Order.Load(row.Deltas, row.Length);
        table.Write(row.Order, row.Draws, row.Length, row.Bits, row.Divisors);
    }

    /// <inheritdoc/>
    protected override uint* Draw(Worker worker, Row row, long start, int count, uint* buffer) =>
        random.Draw(worker, row.Tensor, row.Group, row.Expert, start, count, buffer);

    private static RowNeeds Needs(int groups, Recipe recipe) =>
        new(groups, ((IGradedDrop)recipe).Rows!.Value, Draws: true, Divisors: ((SparseRecipe)recipe).Rescale == Rescale.Inverse);
}
