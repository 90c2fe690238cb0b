using Smelt.Checkpoints;

namespace Smelt.Merging.Planning;

/// <summary>Masks given in a file in place of random ones: U8 tensors named <c>EXPERT/TENSOR</c>, 1 = kept.</summary>
internal static class MaskFiles
{
    /// <summary>The name of the mask of a tensor of one of a part's experts.</summary>
    public static string Name(MergePart part, int expert, string tensor) => $"{part.Numbers?[expert] ?? expert}/{tensor}";

    /// <summary>Checks the masks of all parts; parts that one recipe makes have the same file.</summary>
    public static void Check(IReadOnlyList<MergePart> parts, IReadOnlyList<TensorPlan> tensors, List<Problem> problems)
    {
        foreach (var same in parts.Where(p => p.Masks is not null).GroupBy(p => p.Masks!))
        {
            var own = tensors.Where(t => same.Any(p => p.Index == t.Part)).ToArray();
            if (same.First().Points[0].Recipe is Recipes.Masked)
                CheckOne(same.Key, own, problems);
            else
                Check(same.Key, parts, own, problems);
        }
    }

    /// <summary>Reports masks of another type or size than their tensor, and masks that belong to none.</summary>
    private static void Check(Checkpoint masks, IReadOnlyList<MergePart> parts, IReadOnlyList<TensorPlan> tensors, List<Problem> problems)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in tensors.Where(t => t.Action == TensorAction.Merge))
        {
            for (var i = 0; i < tensor.Experts.Count; i++)
            {
                var name = Name(parts[tensor.Part], i, tensor.Name);
                if (!masks.TryGet(name, out var mask))
                    continue;
                known.Add(name);
                if (mask.Type != TensorType.U8 || mask.ElementCount != tensor.ElementCount)
                    problems.Add(PlanRules.BadMask.At($"{masks.Path}, tensor {name}", $"the mask has {mask.ElementCount} elements of {mask.Type}; needed: {tensor.ElementCount} of U8, 1 = kept."));
            }
        }

        CheckUnknown(masks, known, "Names are EXPERT/TENSOR, the expert counted from 0.", problems);
    }

    /// <summary>As for masks of experts, for the one mask of <see cref="Recipes.Masked"/>, which has a byte or a bit for each element.</summary>
    private static void CheckOne(Checkpoint masks, IReadOnlyList<TensorPlan> tensors, List<Problem> problems)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in tensors.Where(t => t.Action == TensorAction.Merge))
        {
            if (!masks.TryGet(tensor.Name, out var mask))
                continue;
            known.Add(tensor.Name);
            if (mask.Type != TensorType.U8 || (mask.ElementCount != tensor.ElementCount && mask.ElementCount != MaskOutputs.BytesOf(tensor.ElementCount)))
                problems.Add(PlanRules.BadMask.At($"{masks.Path}, tensor {tensor.Name}", $"the mask has {mask.ElementCount} elements of {mask.Type}; needed: {tensor.ElementCount} of U8, or {MaskOutputs.BytesOf(tensor.ElementCount)} with a bit for each element."));
        }

        CheckUnknown(masks, known, "Names are those of the tensors.", problems);
    }

    private static void CheckUnknown(Checkpoint masks, HashSet<string> known, string fix, List<Problem> problems)
    {
        var unknown = masks.Tensors.Select(t => t.Name).Where(n => !known.Contains(n)).ToArray();
        if (unknown.Length > 0)
            problems.Add(PlanRules.BadMask.At(masks.Path, $"masks belong to no merged tensor: {Planner.Some(unknown)}.", fix));
    }
}
