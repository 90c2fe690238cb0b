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
    private readonly Recipe _recipe;
    private readonly Func<string, int, int, string> _nameIn;
    private readonly string[] _keepPlaces;
    private readonly GlobSet _keep;
    private readonly HashSet<string>[] _taken;
    private readonly List<string>[] _missing;

    /// <param name="donor">The input whose tensors are matched.</param>
    /// <param name="experts">The experts.</param>
    /// <param name="recipe">The recipe of the merge.</param>
    /// <param name="nameIn">The name that a tensor of the donor, with its layer's number, has in an expert.</param>
    /// <param name="problems">Takes what does not fit.</param>
    public TensorMatcher(PlannedInput donor, IReadOnlyList<PlannedInput> experts, Recipe recipe, Func<string, int, int, string> nameIn, List<Problem> problems)
    {
        _donor = donor;
        _recipe = recipe;
        _nameIn = nameIn;
        _experts = experts;
        _problems = problems;
        var (places, globs) = (new List<string>(), new List<Glob?>());
        for (var r = 0; r < recipe.Tensors.Count; r++)
        {
            if (recipe.Tensors[r] is not KeepRule keep)
                continue;
            for (var g = 0; g < keep.Globs.Count; g++)
            {
                places.Add($"/tensors/{r}/keep/{g}");
                globs.Add(Glob.TryParse(keep.Globs[g], out _));
            }
        }

        _keepPlaces = [.. places];
        _keep = new GlobSet(globs);
        _taken = [.. experts.Select(_ => new HashSet<string>(donor.Checkpoint.Tensors.Count, StringComparer.Ordinal))];
        _missing = [.. experts.Select(_ => new List<string>())];
    }

    /// <summary>
    /// What is done to a tensor of the donor, its counterparts in the experts (none where it is kept), and the experts that
    /// have it where some lack it. No action where it is left out of the output.
    /// </summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="layer">The number of its layer in a slice; -1 outside of slices.</param>
    /// <param name="baseTensor">The tensor in the base, where there is one.</param>
    public (TensorAction? Action, IReadOnlyList<CheckpointTensor> Sources, int[]? Present) Match(CheckpointTensor tensor, int layer, CheckpointTensor? baseTensor)
    {
        if (IsKept(tensor.Name))
        {
            for (var i = 0; i < _taken.Length; i++)
                _taken[i].Add(_nameIn(tensor.Name, layer, i));
            return (TensorAction.Keep, [], null);
        }

        var sources = new CheckpointTensor[_experts.Count];
        for (var i = 0; i < sources.Length; i++)
            sources[i] = Find(i, _nameIn(tensor.Name, layer, i))!;
        int[]? present = null;
        if (Array.IndexOf(sources, null) >= 0 || (baseTensor is null && _recipe.UsesBase))
        {
            present = [.. Enumerable.Range(0, sources.Length).Where(i => sources[i] is not null)];
            switch (_recipe.Missing)
            {
                case MissingTensors.Intersection:
                    return (null, [], null);
                case MissingTensors.Union when present.Length >= _recipe.FewestExperts && (baseTensor is not null || !_recipe.UsesBase):
                    break;
                default:
                    for (var i = 0; i < sources.Length; i++)
                    {
                        if (sources[i] is null)
                            _missing[i].Add(_nameIn(tensor.Name, layer, i));
                    }

                    if (baseTensor is null && _recipe.UsesBase)
                        _problems.Add(PlanRules.MissingTensor.At(tensor.File.FullPath, $"the base has no tensor {tensor.Name}, and {Slots.MethodId(_recipe)} needs it there.", "Keep only tensors of the base with Missing = Intersection."));
                    return (TensorAction.Keep, [], null);
            }
        }

        var found = present is null ? sources : Array.FindAll(sources, s => s is not null);
        var mergeable = tensor.Type.IsMergeable;
        for (var i = 0; i < found.Length; i++)
        {
            var source = found[i];
            mergeable &= source.Type.IsMergeable;
            if (!source.Shape.SequenceEqual(tensor.Shape))
                _problems.Add(PlanRules.ShapeDiffers.At(Place(present?[i] ?? i, source.Name), $"the shape is {Shape(source)}, but {Shape(tensor)} in {_donor.Reference}.", $"Merge models of one architecture and vocabulary, or Keep(\"{tensor.Name}\")."));
        }

        if (mergeable)
            return (TensorAction.Merge, found, present);
        foreach (var (source, i) in found.Select((s, i) => (s, i)).Where(s => s.s.Type != tensor.Type))
            _problems.Add(PlanRules.TypeDiffers.At(Place(present?[i] ?? i, source.Name), $"the type is {source.Type}, but {tensor.Type} in {_donor.Reference}; types other than BF16, F16, F32, F64 can't be merged and must be the same everywhere.", $"Keep(\"{tensor.Name}\") takes it from the base."));
        return (TensorAction.CopyEqual, found, present);
    }

    /// <summary>Tensors that some experts have and neither donor nor earlier experts do.</summary>
    public IEnumerable<CheckpointTensor> Unknown(Func<string, bool> takes)
    {
        var seen = _donor.Checkpoint.Tensors.Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        return _experts.SelectMany(e => e.Checkpoint.Tensors).Where(t => takes(t.Name) && seen.Add(t.Name)).ToArray();
    }

    /// <summary>Reports the tensors that are missing, those that nothing took, and patterns without a match.</summary>
    /// <param name="belongs">Whether a tensor of an expert, by its name, belongs to this merge.</param>
    public void ReportLeftovers(Func<string, int, bool> belongs)
    {
        for (var i = 0; i < _experts.Count; i++)
        {
            var path = _experts[i].Checkpoint.Path;
            if (_missing[i].Count > 0)
                _problems.Add(PlanRules.MissingTensor.At(path, $"expert {i} ({_experts[i].Reference}) lacks {Count(_missing[i].Count)} of {_donor.Reference}: {Planner.Some(_missing[i])}.", "Merge models of one architecture, or Keep(...) these tensors."));

            var extra = _experts[i].Checkpoint.Tensors.Select(t => t.Name).Where(n => !_taken[i].Contains(n) && belongs(n, i) && !IsKept(n)).ToArray();
            var tied = extra.Where(n => n == TiedWeights.HeadName && TiedWeights.IsTied(_donor.Checkpoint)).ToArray();
            if (tied.Length > 0)
                _problems.Add(PlanRules.TiedHead.At(Place(i, tied[0]), $"{_donor.Reference} ties its head to the embedding, so this tensor is left out and the output's head is the merged embedding."));
            var unknown = extra.Except(tied).ToArray();
            if (unknown.Length > 0 && _recipe.Missing != MissingTensors.Intersection)
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
