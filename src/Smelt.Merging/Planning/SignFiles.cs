using Smelt.Checkpoints;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>Signs given in a file in place of an election: for every merged tensor one of its name and size.</summary>
internal static class SignFiles
{
    private static readonly TensorType[] Types = [TensorType.BF16, TensorType.F16, TensorType.F32];

    /// <summary>Reports merged tensors of a part without signs, or with signs of another type or size.</summary>
    public static void Check(MergePart part, IReadOnlyList<TensorPlan> tensors, List<Problem> problems)
    {
        if (part.Signs is not { } signs)
            return;
        var missing = new List<string>();
        foreach (var tensor in tensors.Where(t => t.Part == part.Index && t.Action == TensorAction.Merge))
        {
            if (!signs.TryGet(tensor.Name, out var found))
                missing.Add(tensor.Name);
            else if (found.ElementCount != tensor.ElementCount || !Types.Contains(found.Type))
                problems.Add(PlanRules.BadMask.At($"{signs.Path}, tensor {tensor.Name}", $"the signs are {found.ElementCount} elements of {found.Type}; needed: {tensor.ElementCount} of BF16, F16 or F32."));
        }

        if (missing.Count > 0)
            problems.Add(PlanRules.BadMask.At(signs.Path, $"signs are missing for {missing.Count} merged tensors: {Planner.Some(missing)}.", "Make the file again for these models, or Keep(...) these tensors."));
    }
}
