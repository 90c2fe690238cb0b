using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// Mean, deviation and norm of task vectors, for the trims and elections that go by them. A vector is an expert's deltas of
/// one tensor or, where the trim is of the whole model, of all merged tensors. Sums are fp64 in a fixed shape: blocks added
/// in order, then tensors in ordinal order of their names.
/// </summary>
internal sealed unsafe class VectorStatistics(MergePlan plan, SparseMethod method)
{
    /// <summary>Sums of one vector.</summary>
    private const int Width = 2;

    private readonly Band[]?[][] _bands = [.. method.Groups.Select(_ => new Band[]?[plan.Tensors.Count])];
    private readonly float[]?[][] _norms = [.. method.Groups.Select(_ => new float[]?[plan.Tensors.Count])];

    /// <summary>The deltas that a trim drops: those at most <paramref name="Spread"/> away from <paramref name="Center"/>.</summary>
    private readonly record struct Band(float Center, float Spread);

    /// <summary>Whether a group's trim goes by standard deviations.</summary>
    public static bool HasBands(MixGroup group) => group.Recipe is TrimmedRecipe { Cut: Recipes.Cut.Deviation };

    /// <summary>Whether a group's election goes by norms.</summary>
    public static bool HasNorms(MixGroup group) => group.Recipe is ElectedRecipe { Election: Recipes.Election.NormFraction or Recipes.Election.NormMass };

    /// <summary>Puts what is known of an expert's vector into its pipeline.</summary>
    public void Complete(ref ExpertBlock block, MixGroup group, TensorPlan tensor, int expert)
    {
        if (_bands[group.Index][tensor.Index] is { } bands)
            (block.Center, block.Spread) = bands[expert];
        if (_norms[group.Index][tensor.Index] is { } norms)
            block.Norm = norms[expert];
    }

    /// <summary>Finds the bands of the tensors from <paramref name="first"/> up to <paramref name="end"/>, of deltas that are not trimmed yet.</summary>
    public void FindBands(PassContext context, int first, int end)
    {
        context.Progress.Phase = "measuring deviations";
        Measure(context, first, end, [.. method.Groups.Where(HasBands)], complete: false, (group, tensor, sums, elements) =>
        {
            var deviations = (float)((TrimmedRecipe)group.Recipe).Deviations!.Value;
            var bands = _bands[group.Index][tensor.Index] = new Band[plan.Experts.Count];
            for (var i = 0; i < bands.Length; i++)
            {
                var (sum, squares) = (sums[i * Width], sums[(i * Width) + 1]);
                var variance = elements > 1 ? Math.Max(0, squares - (sum * sum / elements)) / (elements - 1) : 0;
                bands[i] = new Band((float)(sum / elements), deviations * (float)Math.Sqrt(variance));
            }
        });
    }

    /// <summary>Takes the norms of the tensors from <paramref name="first"/> up to <paramref name="end"/>, trimmed.</summary>
    public void FindNorms(PassContext context, int first, int end)
    {
        context.Progress.Phase = "measuring norms";
        Measure(context, first, end, [.. method.Groups.Where(HasNorms)], complete: true, (group, tensor, sums, _) =>
        {
            var norms = _norms[group.Index][tensor.Index] = new float[plan.Experts.Count];
            for (var i = 0; i < norms.Length; i++)
            {
                var norm = (float)Math.Sqrt(sums[(i * Width) + 1]);
                norms[i] = norm == 0 ? 1 : norm;
            }
        });
    }

    private void Measure(PassContext context, int first, int end, MixGroup[] groups, bool complete, Action<MixGroup, TensorPlan, double[], long> found)
    {
        if (groups.Length == 0)
            return;
        var width = plan.Experts.Count * Width;
        var sums = BlockSums.Measure(context, first, end, groups.Length * width, (worker, part, totals) => Add(worker, part, groups, complete, totals));
        var tensors = plan.MergedIn(first, end).OrderBy(t => t.Name, StringComparer.Ordinal).ToArray();
        for (var g = 0; g < groups.Length; g++)
        {
            var whole = SparseMethod.ScopeOf(groups[g]) == TrimScope.Model;
            var total = new double[width];
            foreach (var tensor in tensors)
            {
                var own = sums[tensor.Index]![(g * width)..((g + 1) * width)];
                for (var i = 0; i < width; i++)
                    total[i] += own[i];
                if (!whole)
                    found(groups[g], tensor, own, tensor.ElementCount);
            }

            var elements = tensors.Sum(t => t.ElementCount);
            foreach (var tensor in whole ? tensors : [])
                found(groups[g], tensor, total, elements);
        }
    }

    private void Add(Worker worker, SubBlock part, MixGroup[] groups, bool complete, BlockSum* sums)
    {
        var ones = stackalloc float[Simd.LongChunk];
        new Span<float>(ones, Simd.LongChunk).Fill(1);
        for (var i = 0; i < groups.Length * plan.Experts.Count; i++)
        {
            var expert = method.Pipeline(worker, part, groups[i / plan.Experts.Count], i % plan.Experts.Count, complete);
            Deltas.Compute(worker.Blocks[0], expert, part.Start, part.Length, worker.Mix);
            for (nint e = 0; e < part.Length; e += Simd.LongChunk)
                sums[i * Width].AddProducts(worker.Mix + e, ones, Math.Min(part.Length - e, Simd.LongChunk));
            sums[(i * Width) + 1].AddProducts(worker.Mix, worker.Mix, part.Length);
        }
    }
}
