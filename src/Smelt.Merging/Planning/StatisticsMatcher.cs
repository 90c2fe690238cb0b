using Smelt.Checkpoints;

namespace Smelt.Merging.Planning;

/// <summary>
/// Finds for each merged tensor the statistics of every expert in the experts' statistics files: tensors of the same name and
/// shape, or Gram matrices of a layer's inputs under the layer's name. What is missing, does not fit or belongs to no tensor
/// is reported for all experts at once.
/// </summary>
internal sealed class StatisticsMatcher
{
    private const string WeightSuffix = ".weight";

    private readonly IReadOnlyList<PlannedInput> _experts;
    private readonly IReadOnlyList<PlannedInput> _statistics;
    private readonly bool _ofInputs;
    private readonly List<Problem> _problems;
    private readonly SortedSet<string>[] _missing;
    private bool _any;

    /// <param name="experts">The experts.</param>
    /// <param name="statistics">The statistics of each expert.</param>
    /// <param name="ofInputs">Whether they are Gram matrices, which some tensors have; else every tensor has statistics of its elements.</param>
    /// <param name="problems">Takes what does not fit.</param>
    public StatisticsMatcher(IReadOnlyList<PlannedInput> experts, IReadOnlyList<PlannedInput> statistics, bool ofInputs, List<Problem> problems)
    {
        (_experts, _statistics, _ofInputs, _problems) = (experts, statistics, ofInputs, problems);
        _missing = [.. experts.Select(_ => new SortedSet<string>(StringComparer.Ordinal))];
    }

    /// <summary>The statistics of a tensor, one for each of its sources; none where it has none.</summary>
    /// <param name="sources">The tensor in the experts that have it, under the names it has there.</param>
    /// <param name="present">The experts that have it; null for all.</param>
    public IReadOnlyList<CheckpointTensor> Match(IReadOnlyList<CheckpointTensor> sources, int[]? present)
    {
        var found = new CheckpointTensor?[sources.Count];
        for (var i = 0; i < sources.Count; i++)
        {
            if (KeyOf(sources[i].Name) is { } key && _statistics[Expert(i)].Checkpoint.TryGet(key, out var statistics))
                found[i] = statistics;
        }

        // A layer without any Gram matrix is averaged; one that only some experts have is a mistake.
        if (_ofInputs && Array.TrueForAll(found, s => s is null))
            return [];
        _any = true;
        var fit = true;
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i] is { } statistics)
                fit &= Fits(statistics, sources[i], Expert(i));
            else
                fit &= !_missing[Expert(i)].Add(KeyOf(sources[i].Name)!);
        }

        return fit && Array.TrueForAll(found, s => s is not null) ? found.OfType<CheckpointTensor>().ToArray() : [];

        int Expert(int source) => present is null ? source : present[source];
    }

    /// <summary>Reports the tensors without statistics, and statistics of no tensor.</summary>
    public void ReportLeftovers()
    {
        for (var i = 0; i < _experts.Count; i++)
        {
            var checkpoint = _statistics[i].Checkpoint;
            if (_missing[i].Count > 0)
                _problems.Add(PlanRules.BadStatistics.At(checkpoint.Path, $"the statistics of expert {i} ({_experts[i].Reference}) lack {Count(_missing[i].Count)}: {Planner.Some(_missing[i])}.", _ofInputs ? "Take Gram matrices of the same layers for every expert." : "Take statistics of all merged tensors, or Keep(...) these."));
            var unknown = checkpoint.Tensors.Select(t => t.Name).Where(n => !_experts[i].Checkpoint.TryGet(_ofInputs ? n + WeightSuffix : n, out _)).ToArray();
            if (unknown.Length > 0)
                _problems.Add(PlanRules.BadStatistics.At(checkpoint.Path, $"the statistics of expert {i} ({_experts[i].Reference}) have {Count(unknown.Length)} that the expert has not: {Planner.Some(unknown)}.", _ofInputs ? $"Gram matrices go by the names of layers, without '{WeightSuffix}'." : "Statistics go by the names of the expert's tensors."));
        }

        if (!_any && _ofInputs)
            _problems.Add(PlanRules.BadStatistics.At(_statistics[0].Checkpoint.Path, "no merged tensor has a Gram matrix, so the merge would be the plain mean.", "Use Average if that is meant."));
    }

    private string? KeyOf(string tensor) =>
        !_ofInputs ? tensor
        : tensor.EndsWith(WeightSuffix, StringComparison.Ordinal) ? tensor[..^WeightSuffix.Length]
        : null;

    private bool Fits(CheckpointTensor statistics, CheckpointTensor tensor, int expert)
    {
        var place = $"{_statistics[expert].Checkpoint.Path}, tensor {statistics.Name}";
        if (_ofInputs && tensor.Shape.Count != 2)
        {
            _problems.Add(PlanRules.BadStatistics.At(place, $"only matrices have Gram matrices, and {tensor.Name} is of shape {Shape(tensor.Shape)}.", "Leave it out: the tensor is averaged."));
            return false;
        }

        var shape = _ofInputs ? [tensor.Shape[1], tensor.Shape[1]] : tensor.Shape;
        if (statistics.Type.IsMergeable && statistics.Shape.SequenceEqual(shape))
            return true;
        _problems.Add(PlanRules.BadStatistics.At(place, $"it is of type {statistics.Type} and shape {Shape(statistics.Shape)}; needed: BF16, F16, F32 or F64 and {Shape(shape)}{(_ofInputs ? ", the inputs of the layer" : "")}."));
        return false;
    }

    private static string Shape(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";

    private static string Count(int n) => n == 1 ? "a tensor" : $"{n} tensors";
}
