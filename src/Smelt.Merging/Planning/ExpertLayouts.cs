using Smelt.Checkpoints;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// The two layouts of a mixture of experts: a matrix for each expert and projection, or one tensor of all experts for each
/// projection, gate and up rows joined. The second is a view of the first: nothing is copied, only read from several places.
/// </summary>
internal static class ExpertLayouts
{
    private const string Experts = ".experts.";
    private const string Weight = ".weight";

    /// <summary>Fuses the inputs where the recipe says so, and where only that makes them alike, which is said.</summary>
    /// <param name="asked">What the recipe says; null for the layout of the inputs.</param>
    /// <param name="inputs">The inputs, replaced by their views.</param>
    /// <param name="problems">Takes the warning.</param>
    public static void Apply(MoeLayout? asked, Dictionary<Model, PlannedInput> inputs, List<Problem> problems)
    {
        var views = new List<(Model Model, PlannedInput Input, Checkpoint View)>();
        foreach (var (model, input) in inputs)
        {
            if (Fused(input.Checkpoint) is { } view)
                views.Add((model, input, view));
        }

        if (views.Count == 0)
            return;
        if (asked != MoeLayout.Fused)
        {
            if (asked == MoeLayout.PerExpert || inputs.Values.FirstOrDefault(i => i.Checkpoint.Tensors.Any(t => ModelFamilies.IsFusedExperts(t.Name))) is not { } fused)
                return;
            problems.Add(PlanRules.ExpertLayouts.At(fused.Checkpoint.Path, $"{fused.Reference} has the experts of a layer in one tensor for each projection, {views[0].Input.Reference} in one for each expert; all are read, and the output is written, as the former.", "Set MoeLayout = MoeLayout.Fused to say so."));
        }

        foreach (var (model, input, view) in views)
            inputs[model] = input with { Checkpoint = view };
    }

    /// <summary>A checkpoint as transformers 5 lays out experts; null where it has none that stand apart.</summary>
    public static Checkpoint? Fused(Checkpoint checkpoint)
    {
        var places = new Dictionary<string, List<(CheckpointTensor Tensor, int Expert, ExpertNames Names)>>(StringComparer.Ordinal);
        foreach (var tensor in checkpoint.Tensors)
        {
            if (Parse(tensor.Name) is not { } place)
                continue;
            if (!places.TryGetValue(place.Prefix, out var list))
                places.Add(place.Prefix, list = []);
            list.Add((tensor, place.Expert, place.Names));
        }

        var fused = new Dictionary<string, CheckpointTensor>(StringComparer.Ordinal);
        var prefixes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (prefix, list) in places)
        {
            if (Join(prefix, list) is not var (first, joint))
                continue;
            prefixes.Add(prefix);
            foreach (var (tensor, _, _) in list)
                fused.Add(tensor.Name, tensor);
            fused[first.GateUp] = joint.GateUp;
            fused[first.Down] = joint.Down;
        }

        if (prefixes.Count == 0)
            return null;
        CheckpointTensor[] tensors = [.. checkpoint.Tensors
            .Where(t => !fused.TryGetValue(t.Name, out var joined) || joined.Parts is not null)
            .Select(t => fused.TryGetValue(t.Name, out var joined) ? joined : Renamed(t, prefixes))];

        // A file that has one tensor under both of its names is merged as it is.
        return tensors.DistinctBy(t => t.Name).Count() == tensors.Length ? checkpoint.With(tensors) : null;
    }

    /// <summary>The fused tensors of a module, and the names of the tensors whose places they take; null where its experts do not fit together.</summary>
    private static ((string GateUp, string Down) Places, (CheckpointTensor GateUp, CheckpointTensor Down) Tensors)? Join(
        string prefix, List<(CheckpointTensor Tensor, int Expert, ExpertNames Names)> list)
    {
        var names = list[0].Names;
        var experts = list.Count / 3;
        var found = list.ToDictionary(e => e.Tensor.Name, e => e.Tensor, StringComparer.Ordinal);
        IEnumerable<CheckpointTensor> Of(int expert, params string[] weights) =>
            weights.Select(w => found.GetValueOrDefault($"{prefix}.{names.Module}{Experts}{expert}.{w}{Weight}")).OfType<CheckpointTensor>();
        CheckpointTensor[] gateUp = [.. Enumerable.Range(0, experts).SelectMany(e => Of(e, names.Gate, names.Up))];
        CheckpointTensor[] down = [.. Enumerable.Range(0, experts).SelectMany(e => Of(e, names.Down))];
        if (list.Count != 3 * experts || gateUp.Length != 2 * experts || down.Length != experts || !AreAlike(gateUp) || !AreAlike(down))
            return null;
        var into = $"{prefix}.{ModelFamilies.FusedModule}.experts.";
        return ((gateUp[0].Name, down[0].Name), (
            CheckpointTensor.Joined(into + ModelFamilies.FusedGateUp, [experts, 2 * gateUp[0].Shape[0], gateUp[0].Shape[1]], gateUp),
            CheckpointTensor.Joined(into + ModelFamilies.FusedDown, [experts, down[0].Shape[0], down[0].Shape[1]], down)));
    }

    private static bool AreAlike(CheckpointTensor[] tensors) =>
        tensors.Length > 0 && tensors[0].Shape.Count == 2 && tensors[0].Type.IsMergeable && tensors.All(t => t.Type == tensors[0].Type && t.Shape.SequenceEqual(tensors[0].Shape));

    /// <summary>The other tensors of the module, such as the router, under its name in the fused layout.</summary>
    private static CheckpointTensor Renamed(CheckpointTensor tensor, HashSet<string> prefixes)
    {
        foreach (var names in ModelFamilies.ExpertWeights.Where(n => n.Module != ModelFamilies.FusedModule))
        {
            var at = tensor.Name.IndexOf($".{names.Module}.", StringComparison.Ordinal);
            if (at >= 0 && prefixes.Contains(tensor.Name[..at]))
                return tensor with { Info = tensor.Info with { Name = $"{tensor.Name[..at]}.{ModelFamilies.FusedModule}{tensor.Name[(at + names.Module.Length + 1)..]}" } };
        }

        return tensor;
    }

    /// <summary>Where an expert's matrix stands: <c>PREFIX.MODULE.experts.N.WEIGHT.weight</c>; null for any other tensor.</summary>
    private static (string Prefix, int Expert, ExpertNames Names)? Parse(string name)
    {
        var at = name.IndexOf(Experts, StringComparison.Ordinal);
        if (at < 0 || !name.EndsWith(Weight, StringComparison.Ordinal))
            return null;
        var rest = name[(at + Experts.Length)..^Weight.Length].Split('.');
        if (rest.Length != 2 || !int.TryParse(rest[0], System.Globalization.NumberStyles.None, null, out var expert))
            return null;
        foreach (var names in ModelFamilies.ExpertWeights)
        {
            if (name.AsSpan(0, at).EndsWith("." + names.Module, StringComparison.Ordinal) && (rest[1] == names.Gate || rest[1] == names.Up || rest[1] == names.Down))
                return (name[..(at - names.Module.Length - 1)], expert, names);
        }

        return null;
    }
}
