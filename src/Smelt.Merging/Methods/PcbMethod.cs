using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// PCB-Merging (Du et al. 2024): deltas d_i = x_i - b weighted by their balances exp(N q_i²) tanh(d_i s), of which those below a
/// whole-model order statistic count nothing. A pass finds where each expert's magnitudes are clamped, a second one where its
/// balances are, the third merges. See <see cref="Pcb"/>.
/// </summary>
internal sealed unsafe class PcbMethod(MergePlan plan) : MethodProgram(plan)
{
    private readonly Dictionary<(double Clamp, double Ratio, PcbForm Form), BalanceRange[]> _ranges = [];

    /// <inheritdoc/>
    public override StatisticsScope Scope => StatisticsScope.Model;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        if (Plan.Merged.All(t => t.ElementCount == 0))
            return;
        foreach (var group in Groups)
        {
            if (!_ranges.ContainsKey(Key(group)))
                _ranges.Add(Key(group), Measure(context, (Pcb)group.Recipe));
        }
    }

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var count = Plan.Experts.Count;
        var ranges = stackalloc BalanceRange[count];
        var known = _ranges[Key(group)];
        for (var i = 0; i < count; i++)
            ranges[i] = known[i] with { Weight = (float)part.Tensor.Settings[group.First].Weights[i] };

        var deltas = stackalloc float[(count + 1) * Simd.Stride];
        var balances = stackalloc float[count * Simd.Stride];
        for (var e = 0; e < part.Length; e += Simd.Chunk)
        {
            var length = Math.Min(part.Length - e, Simd.Chunk);
            VectorRows.Load(worker.Blocks, worker.Blocks + 1, count, e, length, deltas);
            Balance.Compute(deltas, ranges, count, ((Pcb)group.Recipe).Form == PcbForm.Vision, length, balances);
            Balance.Mix(deltas, balances, ranges, count, length, worker.Mix + e);
        }
    }

    private static (double Clamp, double Ratio, PcbForm Form) Key(MixGroup group)
    {
        var recipe = (Pcb)group.Recipe;
        return (recipe.Clamp!.Value, recipe.Ratio!.Value, recipe.Form!.Value);
    }

    private BalanceRange[] Measure(PassContext context, Pcb recipe)
    {
        var count = Plan.Experts.Count;
        var n = Plan.Merged.Sum(t => t.ElementCount);
        var clamp = recipe.Clamp!.Value;
        long FromLargest(long position) => Math.Clamp(n - position, 1, n);

        context.Progress.Phase = "finding magnitudes";
        long[] ends = [FromLargest((long)(n * clamp)), FromLargest((long)((n * (1 - clamp)) - 1))];
        var magnitudes = new ModelOrder(context, (worker, part, from, length, rows) => VectorRows.Load(worker.Blocks, worker.Blocks + 1, count, from, length, rows))
            .Find([.. Enumerable.Repeat(ends, count)]);
        BalanceRange[] ranges = [.. magnitudes.Select(m => new BalanceRange(m[0], m[1], 0, 0, 1))];

        // Values are searched by magnitude: the positive ones first, and among the others what is not found there.
        context.Progress.Phase = "finding balances";
        long[] ranks = [FromLargest((long)(n * (1 - recipe.Ratio!.Value))), 1];
        var above = Balances(context, recipe, ranges, negative: false).Find([.. Enumerable.Repeat(ranks, count)]);
        long[][] missing = [.. above.Select(found => ranks.Where((_, r) => found[r] == 0).Select(r => n - r + 1).ToArray())];
        var below = missing.All(m => m.Length == 0) ? null : Balances(context, recipe, ranges, negative: true).Find(missing);
        for (var i = 0; i < count; i++)
        {
            var next = 0;
            float Value(int r) => above[i][r] != 0 ? above[i][r] : 0 - below![i][next++];
            ranges[i] = ranges[i] with { Floor = Value(0), Top = Value(1) };
        }

        return ranges;
    }

    private ModelOrder Balances(PassContext context, Pcb recipe, BalanceRange[] ranges, bool negative) => new(context, (worker, part, from, length, rows) =>
    {
        var count = Plan.Experts.Count;
        var deltas = stackalloc float[(count + 1) * Simd.Stride];
        VectorRows.Load(worker.Blocks, worker.Blocks + 1, count, from, length, deltas);
        fixed (BalanceRange* known = ranges)
            Balance.Compute(deltas, known, count, recipe.Form == PcbForm.Vision, length, rows);
        for (var i = 0; i < count; i++)
            Balance.TakeSide(rows + (i * Simd.Stride), negative, length);
    });
}
