using Smelt.Checkpoints;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// Finds for each tensor of the donor its counterparts in the experts, and at the end reports what nobody asked for.
/// Problems of one kind and one expert are gathered into one.
/// </summary>
internal sealed class TensorMatcher
{
    private readonly IReadOnlyList<PlannedInput> _experts;
    private readonly List<Problem> _problems;
    private readonly PlannedInput _donor;
    private readonly string[] _keepPlaces;
    private readonly GlobSet _keep;
    private readonly HashSet<string>[] _taken;
    private readonly List<string>[] _missing;

    public TensorMatcher(PlannedInput donor, IReadOnlyList<PlannedInput> experts, Recipe recipe, List<Problem> problems)
    {
        _donor = donor;
        _experts = experts;
        _problems = problems;
        var keep = recipe.Tensors.SelectMany((rule, r) => rule is KeepRule keep
            ? keep.Globs.Select((pattern, g) => (Where: $"/tensors/{r}/keep/{g}", Glob: Glob.TryParse(pattern, out _)))
            : []).ToArray();
        _keepPlaces = Array.ConvertAll(keep, k => k.Where);
        _keep = new GlobSet(keep.Select(k => k.Glob));
        _taken = [.. experts.Select(_ => new HashSet<string>(StringComparer.Ordinal))];
        _missing = [.. experts.Select(_ => new List<string>())];
    }

    /// <summary>What is done to a tensor of the donor, and its counterparts in the experts (none where it is kept).</summary>
    public (TensorAction Action, IReadOnlyList<CheckpointTensor> Sources) Match(CheckpointTensor tensor)
    {
        if (IsKept(tensor.Name))
        {
            foreach (var taken in _taken)
                taken.Add(tensor.Name);
            return (TensorAction.Keep, []);
        }

        var sources = new CheckpointTensor?[_experts.Count];
        for (var i = 0; i < sources.Length; i++)
        {
            sources[i] = Find(i, tensor.Name);
            if (sources[i] is null)
                _missing[i].Add(tensor.Name);
        }

        if (sources.Any(s => s is null))
            return (TensorAction.Keep, []);

        var found = sources.Select(s => s!).ToArray();
        foreach (var (source, i) in found.Select((s, i) => (s, i)))
        {
            if (!source.Shape.SequenceEqual(tensor.Shape))
                _problems.Add(PlanRules.ShapeDiffers.At(Place(i, source.Name), $"the shape is {Shape(source)}, but {Shape(tensor)} in {_donor.Reference}.", $"Merge models of one architecture and vocabulary, or Keep(\"{tensor.Name}\")."));
        }

        if (found.Append(tensor).All(t => t.Type.IsMergeable))
            return (TensorAction.Merge, found);
        foreach (var (source, i) in found.Select((s, i) => (s, i)).Where(s => s.s.Type != tensor.Type))
            _problems.Add(PlanRules.TypeDiffers.At(Place(i, source.Name), $"the type is {source.Type}, but {tensor.Type} in {_donor.Reference}; types other than BF16, F16, F32, F64 can't be merged and must be the same everywhere.", $"Keep(\"{tensor.Name}\") takes it from the base."));
        return (TensorAction.CopyEqual, found);
    }

    /// <summary>Reports the tensors that are missing, those that nothing took, and patterns without a match.</summary>
    public void ReportLeftovers()
    {
        for (var i = 0; i < _experts.Count; i++)
        {
            var path = _experts[i].Checkpoint.Path;
            if (_missing[i].Count > 0)
                _problems.Add(PlanRules.MissingTensor.At(path, $"expert {i} ({_experts[i].Reference}) lacks {Count(_missing[i].Count)} of {_donor.Reference}: {Planner.Some(_missing[i])}.", "Merge models of one architecture, or Keep(...) these tensors."));

            var extra = _experts[i].Checkpoint.Tensors.Select(t => t.Name).Where(n => !_taken[i].Contains(n) && !IsKept(n)).ToArray();
            var tied = extra.Where(n => n == TiedWeights.HeadName && TiedWeights.IsTied(_donor.Checkpoint)).ToArray();
            if (tied.Length > 0)
                _problems.Add(PlanRules.TiedHead.At(Place(i, tied[0]), $"{_donor.Reference} ties its head to the embedding, so this tensor is left out and the output's head is the merged embedding."));
            var unknown = extra.Except(tied).ToArray();
            if (unknown.Length > 0)
                _problems.Add(PlanRules.ExtraTensor.At(path, $"expert {i} ({_experts[i].Reference}) has {Count(unknown.Length)} that {_donor.Reference} has not: {Planner.Some(unknown)}.", "Keep(...) with their names leaves them out."));
        }

        foreach (var (index, pattern) in _keep.Unused())
            _problems.Add(PlanRules.MatchesNothing.At(_keepPlaces[index], $"the pattern '{pattern}' matches no tensor."));
    }

    private CheckpointTensor? Find(int expert, string name)
    {
        var checkpoint = _experts[expert].Checkpoint;
        if (!checkpoint.TryGet(name, out var tensor))
        {
            // A head that is tied in the expert alone is that expert's embedding.
            if (name != TiedWeights.HeadName || !TiedWeights.IsTied(checkpoint) || TiedWeights.FindEmbedding(checkpoint) is not { } embedding)
                return null;
            _problems.Add(PlanRules.TiedHead.At(Place(expert, name), $"{_experts[expert].Reference} ties its head to {embedding.Name}, which is used as its {name}."));
            return embedding;
        }

        _taken[expert].Add(name);
        return tensor;
    }

    private bool IsKept(string name) => _keep.Matching(name).Length > 0;

    private string Place(int expert, string tensor) => $"{_experts[expert].Checkpoint.Path}, tensor {tensor}";

    private static string Shape(CheckpointTensor tensor) => "[" + string.Join(", ", tensor.Shape) + "]";

    private static string Count(int n) => n == 1 ? "a tensor" : $"{n} tensors";
}
