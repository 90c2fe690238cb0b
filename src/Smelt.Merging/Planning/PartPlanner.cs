using Smelt.Checkpoints;
using Smelt.Recipes;
using Smelt.Recipes.Rules;

namespace Smelt.Merging.Planning;

/// <summary>Plans the tensors that one merge inside a recipe makes.</summary>
internal sealed class PartPlanner
{
    private readonly PartScope _scope;
    private readonly Recipe _recipe;
    private readonly PlannedInput? _base;
    private readonly PlannedInput[] _experts;
    private readonly List<Problem> _problems;
    private readonly TensorMatcher _matcher;
    private readonly StatisticsMatcher? _statistics;
    private readonly TensorSettingsResolver _settings;
    private readonly LayerRuns _runs;
    private readonly Slice? _slice;
    private readonly bool _usable;

    /// <param name="scope">Where the merge stands.</param>
    /// <param name="points">Its recipe at each sweep point.</param>
    /// <param name="baseInput">Its base.</param>
    /// <param name="experts">Its experts.</param>
    /// <param name="statistics">The statistics of each expert's data; empty where the method needs none.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public PartPlanner(PartScope scope, IReadOnlyList<SweepPoint> points, PlannedInput? baseInput, PlannedInput[] experts, PlannedInput[] statistics, List<Problem> problems)
    {
        (_scope, _recipe, _base, _experts, _problems) = (scope, points[0].Recipe, baseInput, experts, problems);
        var inputs = experts.Select((e, i) => (Input: e, Layers: _recipe.Experts[i].Layers ?? _recipe.Layers)).ToList();
        if (baseInput is not null)
            inputs.Insert(0, (baseInput, _recipe.Layers));
        CheckSameFiles(inputs);
        _usable = scope.Slice is null || Slice.TryFind(scope, inputs, problems, out _slice);
        _matcher = new TensorMatcher(Donor, experts, _recipe, NameIn, problems);
        _statistics = statistics.Length == 0 ? null : new StatisticsMatcher(experts, statistics, ofInputs: _recipe is RegMean, problems);
        _settings = new TensorSettingsResolver(points, NameIn);
        _runs = new LayerRuns(Donor.Checkpoint.Tensors.Select(t => t.Name));
    }

    /// <summary>The input whose tensors it goes by: the base, else the first expert.</summary>
    public PlannedInput Donor => _base ?? _experts[0];

    /// <summary>The prefix of the layers that were put together anew; null where the donor's layers stay.</summary>
    public string? LayerPrefix => _slice?.Prefix;

    /// <summary>Whether a tensor of the donor is made by this merge.</summary>
    public bool Makes(string name) => _scope.Takes(name) && LayerOf(name, 0) is not null;

    /// <summary>
    /// Plans every tensor; <see cref="TensorPlan.Index"/> and <see cref="TensorPlan.Part"/> are set by the caller, who gets
    /// with each tensor the experts that have it (null for all).
    /// </summary>
    public IEnumerable<(TensorPlan Tensor, int[]? Experts)> Plan()
    {
        if (!_usable)
            yield break;
        foreach (var tensor in Donor.Checkpoint.Tensors)
        {
            if (_scope.Takes(tensor.Name) && LayerOf(tensor.Name, 0) is { } layer && PlanOne(tensor, layer, _base is null ? null : tensor) is { } planned)
                yield return planned;
        }

        if (_recipe.Missing == MissingTensors.Union && _slice is null)
        {
            foreach (var tensor in _matcher.Unknown(name => _scope.Takes(name)))
            {
                if (PlanOne(tensor, -1, null) is { } planned)
                    yield return planned;
            }
        }

        _matcher.ReportLeftovers((name, expert) => _scope.Takes(name) && LayerOf(name, expert + (_base is null ? 0 : 1)) is not null);
        _statistics?.ReportLeftovers();
        foreach (var (where, pattern) in _settings.Unused())
            _problems.Add(PlanRules.MatchesNothing.At(_scope.Where + where, $"the pattern '{pattern}' matches no merged tensor of {Donor.Reference}; its first is {Donor.Checkpoint.Tensors[0].Name}."));
    }

    private (TensorPlan Tensor, int[]? Experts)? PlanOne(CheckpointTensor tensor, int layer, CheckpointTensor? baseTensor)
    {
        var (action, sources, present) = _matcher.Match(tensor, layer, baseTensor);
        if (action is not { } known)
            return null;
        var name = _slice?.OutputName(tensor.Name, layer) ?? tensor.Name;
        var merged = known == TensorAction.Merge;
        var settings = merged ? _settings.Resolve(name, _slice is null ? _runs.Depth(tensor.Name) : layer < 0 ? 0 : LayerRuns.DepthOf(layer, _slice.Count), tensor.Name, layer) : [];
        if (merged && present is not null)
            settings = [.. settings.Select(s => s.For(present))];
        if (merged && _recipe.DividesByWeights)
            CheckWeights(name, settings);
        if (merged && _recipe is IGradedDrop && settings.SelectMany(s => s.Epsilons.Select((e, i) => DensityRules.ProblemOf(s.Densities[i], e))).FirstOrDefault(p => p is not null) is { } problem)
            _problems.Add(RuleTable.KeepProbability.At(name, problem, "Change a tensor rule or a gradient."));
        var outputType = merged ? OutputType(tensor.Type, _recipe.UsesBase && baseTensor is not null ? [baseTensor, .. sources] : sources) : tensor.Type;
        var copied = merged && _recipe is Passthrough && sources[0].Type == outputType && settings.All(s => s.Recipe is Passthrough { Scale: null });
        var statistics = merged && _statistics is not null ? _statistics.Match(sources, present) : [];
        return (new TensorPlan
        {
            Index = -1,
            Name = name,
            Shape = tensor.Shape,
            ElementCount = tensor.ElementCount,
            OutputType = outputType,
            Action = copied ? TensorAction.CopyEqual : known,
            Base = baseTensor is null || (merged && !_recipe.UsesBase) ? null : baseTensor,
            Experts = known == TensorAction.Keep && baseTensor is null ? [tensor] : sources,
            Statistics = _recipe is RegMean ? [] : statistics,
            Grams = _recipe is RegMean ? statistics : [],
            Settings = settings,
        }, present);
    }

    private int? LayerOf(string name, int input) => _slice is null ? -1 : _slice.LayerOf(name, input);

    private string NameIn(string name, int layer, int expert) => _slice?.NameIn(name, layer, expert + (_base is null ? 0 : 1)) ?? name;

    private TensorType OutputType(TensorType stored, IEnumerable<CheckpointTensor> inputs) => _recipe switch
    {
        { Dtype: DType.BF16 } => TensorType.BF16,
        { Dtype: DType.F16 } => TensorType.F16,
        { Dtype: DType.F32 } => TensorType.F32,
        { Dtype: DType.F64 } => TensorType.F64,
        { PromoteDtype: true } => inputs.Select(t => t.Type).Distinct().Aggregate(Promote),
        _ => stored,
    };

    private static TensorType Promote(TensorType a, TensorType b) =>
        a == b ? a : a == TensorType.F64 || b == TensorType.F64 ? TensorType.F64 : TensorType.F32;

    private void CheckSameFiles(List<(PlannedInput Input, LayerRange? Layers)> inputs)
    {
        var seen = new Dictionary<(string Files, LayerRange? Layers), string>();
        for (var i = 0; i < inputs.Count; i++)
        {
            var isBase = i == 0 && _base is not null;
            if (isBase && !_recipe.UsesBase)
                continue;
            var expert = i - (_base is null ? 0 : 1);
            var key = (string.Join("|", inputs[i].Input.Checkpoint.Files.Select(f => f.FullPath)), inputs[i].Layers);
            if (!seen.TryAdd(key, isBase ? "the base" : $"expert {expert}"))
            {
                _problems.Add(PlanRules.SameFiles.At(
                    $"{_scope.Where}/experts/{expert}/model",
                    $"{inputs[i].Input.Reference} is the same checkpoint as {seen[key]}: {inputs[i].Input.Checkpoint.Path}.",
                    "Remove one of them."));
            }
        }
    }

    private void CheckWeights(string tensor, IReadOnlyList<TensorSettings> settings)
    {
        foreach (var point in settings)
        {
            var (sum, magnitudes) = (0.0, 0.0);
            for (var i = 0; i < point.Weights.Length; i++)
                (sum, magnitudes) = (sum + point.Weights[i], magnitudes + Math.Abs(point.Weights[i]));
            if (Math.Abs(sum) > 1e-8 * magnitudes)
                continue;
            _problems.Add(PlanRules.WeightsCancel.At(tensor, $"the weights {string.Join(", ", point.Weights)} sum to 0, and the method divides by their sum.", "Change a tensor rule or a gradient, or turn the normalisation off."));
            return;
        }
    }
}
