using Smelt.Checkpoints;

namespace Smelt.Merging.Planning;

/// <summary>
/// Finds for each merged tensor the statistics of every expert: tensors of the same name and shape in the experts' statistics
/// files. What is missing, does not fit or belongs to no tensor is reported for all experts at once.
/// </summary>
internal sealed class StatisticsMatcher
{
    private readonly IReadOnlyList<PlannedInput> _experts;
    private readonly IReadOnlyList<PlannedInput> _statistics;
    private readonly List<Problem> _problems;
    private readonly SortedSet<string>[] _missing;

    /// <param name="experts">The experts.</param>
    /// <param name="statistics">The statistics of each expert.</param>
    /// <param name="problems">Takes what does not fit.</param>
    public StatisticsMatcher(IReadOnlyList<PlannedInput> experts, IReadOnlyList<PlannedInput> statistics, List<Problem> problems)
    {
        (_experts, _statistics, _problems) = (experts, statistics, problems);
        _missing = [.. experts.Select(_ => new SortedSet<string>(StringComparer.Ordinal))];
    }

    /// <summary>The statistics of a tensor.</summary>
    /// <param name="sources">The tensor in the experts that have it, under the names it has there.</param>
    /// <param name="present">The experts that have it; null for all.</param>
    public IReadOnlyList<CheckpointTensor> Match(IReadOnlyList<CheckpointTensor> sources, int[]? present)
    {
        var found = new List<CheckpointTensor>(sources.Count);
        for (var i = 0; i < sources.Count; i++)
        {
            var expert = present is null ? i : present[i];
            if (!_statistics[expert].Checkpoint.TryGet(sources[i].Name, out var statistics))
                _missing[expert].Add(sources[i].Name);
            else if (Fits(statistics, sources[i].Shape, expert))
                found.Add(statistics);
        }

        return found.Count == sources.Count ? found : [];
    }

    /// <summary>Reports the tensors without statistics, and statistics of no tensor.</summary>
    public void ReportLeftovers()
    {
        for (var i = 0; i < _experts.Count; i++)
        {
            var checkpoint = _statistics[i].Checkpoint;
            if (_missing[i].Count > 0)
                _problems.Add(PlanRules.BadStatistics.At(checkpoint.Path, $"the statistics of expert {i} ({_experts[i].Reference}) lack {Count(_missing[i].Count)}: {Planner.Some(_missing[i])}.", "Take statistics of all merged tensors, or Keep(...) these."));
            var unknown = checkpoint.Tensors.Select(t => t.Name).Where(n => !_experts[i].Checkpoint.TryGet(n, out _)).ToArray();
            if (unknown.Length > 0)
                _problems.Add(PlanRules.BadStatistics.At(checkpoint.Path, $"the statistics of expert {i} ({_experts[i].Reference}) have {Count(unknown.Length)} that the expert has not: {Planner.Some(unknown)}.", "Statistics go by the names of the expert's tensors."));
        }
    }

    private bool Fits(CheckpointTensor statistics, IReadOnlyList<long> shape, int expert)
    {
        if (statistics.Type.IsMergeable && statistics.Shape.SequenceEqual(shape))
            return true;
        _problems.Add(PlanRules.BadStatistics.At(
            $"{_statistics[expert].Checkpoint.Path}, tensor {statistics.Name}",
            $"it is of type {statistics.Type} and shape [{string.Join(", ", statistics.Shape)}]; needed: BF16, F16, F32 or F64 and [{string.Join(", ", shape)}]."));
        return false;
    }

    private static string Count(int n) => n == 1 ? "a tensor" : $"{n} tensors";
}
