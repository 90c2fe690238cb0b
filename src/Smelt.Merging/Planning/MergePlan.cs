using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>What happens to an output tensor.</summary>
public enum TensorAction
{
    /// <summary>Merged from all inputs.</summary>
    Merge,

    /// <summary>Copied from the base as it is.</summary>
    Keep,

    /// <summary>Copied, after making sure that it is the same in all inputs: of a type that can't be merged, or passed through.</summary>
    CopyEqual,
}

/// <summary>The values of one sweep point that hold for one tensor.</summary>
/// <param name="Weights">The weight of each expert.</param>
/// <param name="Densities">The density of each expert; empty for methods that do not thin out.</param>
/// <param name="Lambda">The scale of the merged task vector; 1 for an average.</param>
/// <param name="Recipe">The recipe with the method's own values that hold for the tensor.</param>
public sealed record TensorSettings(double[] Weights, double[] Densities, double Lambda, Recipe Recipe)
{
    /// <summary>The fraction of each expert's deltas that counts as outliers; empty for methods that drop none.</summary>
    public double[] Gammas { get; init; } = [];

    /// <summary>How far each expert's keep probabilities lie from its density at either end; empty for methods that keep all elements with one.</summary>
    public double[] Epsilons { get; init; } = [];

    /// <summary>The values for some of the experts.</summary>
    internal TensorSettings For(int[] experts) => this with
    {
        Weights = [.. experts.Select(i => Weights[i])],
        Densities = Densities.Length == 0 ? Densities : [.. experts.Select(i => Densities[i])],
        Epsilons = Epsilons.Length == 0 ? Epsilons : [.. experts.Select(i => Epsilons[i])],
        Gammas = Gammas.Length == 0 ? Gammas : [.. experts.Select(i => Gammas[i])],
        Recipe = Recipe with { Experts = Sequence.From(experts.Select(i => Recipe.Experts[i])) },
    };
}

/// <summary>One output tensor: where its inputs lie, what is done to it and where it goes.</summary>
public sealed record TensorPlan
{
    /// <summary>The position in the output, counted over all tensors.</summary>
    public required int Index { get; init; }

    /// <summary>The name, as in the base.</summary>
    public required string Name { get; init; }

    /// <summary>The shape, outermost dimension first.</summary>
    public required IReadOnlyList<long> Shape { get; init; }

    /// <summary>The number of elements.</summary>
    public required long ElementCount { get; init; }

    /// <summary>The type it is written in.</summary>
    public required TensorType OutputType { get; init; }

    /// <summary>The part of the plan that merges it.</summary>
    public int Part { get; init; }

    /// <summary>What is done.</summary>
    public required TensorAction Action { get; init; }

    /// <summary>The tensor in the base; null for an average without base.</summary>
    public required CheckpointTensor? Base { get; init; }

    /// <summary>The tensor in each expert, in the order of the experts; empty where it is kept.</summary>
    public required IReadOnlyList<CheckpointTensor> Experts { get; init; }

    /// <summary>
    /// For each expert a tensor of statistics that is read along with it, element by element; empty for methods without.
    /// </summary>
    public IReadOnlyList<CheckpointTensor> Statistics { get; init; } = [];

    /// <summary>For each expert the Gram matrix of the tensor's inputs, which is read as a whole; empty for methods without.</summary>
    public IReadOnlyList<CheckpointTensor> Grams { get; init; } = [];

    /// <summary>The values of each sweep point; empty where nothing is merged.</summary>
    public required IReadOnlyList<TensorSettings> Settings { get; init; }

    /// <summary>The tensor whose bytes are copied where nothing is merged, and whose type and shape the output follows.</summary>
    public CheckpointTensor Donor => Base ?? Experts[0];

    /// <summary>The tensors that blocks are read from, in the order of their hashes: base, then experts, then statistics.</summary>
    internal IReadOnlyList<CheckpointTensor> Sources =>
        Statistics.Count > 0 ? [.. Base is null ? [] : new[] { Base }, .. Experts, .. Statistics]
        : Base is null ? Experts : [Base, .. Experts];

    /// <summary>How many tensors that is.</summary>
    internal int CountSources => (Base is null ? 0 : 1) + Experts.Count + Statistics.Count;

    /// <summary>One of these tensors.</summary>
    internal CheckpointTensor Source(int index)
    {
        var expert = Base is null ? index : index - 1;
        return expert < 0 ? Base! : expert < Experts.Count ? Experts[expert] : Statistics[expert - Experts.Count];
    }

    /// <summary>The bytes of a run of elements in the output: from the first up to the end.</summary>
    public (long Start, long End) ByteRange(long start, int length) => OutputType.ByteRange(start, length);
}

/// <summary>One model that takes part.</summary>
/// <param name="Reference">The model as the recipe names it.</param>
/// <param name="Checkpoint">Its opened headers.</param>
/// <param name="Commit">The commit of a hub model; null for a folder.</param>
public sealed record PlannedInput(Model Reference, Checkpoint Checkpoint, string? Commit)
{
    /// <summary>
    /// The name under which random masks know the expert: the recipe's own reference, so that the same recipe draws the
    /// same masks wherever its files lie.
    /// </summary>
    public string Identity => Reference.ToString()!;
}

/// <summary>
/// Everything a merge is going to do, known from headers alone: every tensor of every input is merged, kept, or was
/// reported as a problem.
/// </summary>
public sealed record MergePlan
{
    /// <summary>The recipe's name.</summary>
    public required string Name { get; init; }

    /// <summary>The recipe's canonical JSON.</summary>
    public required string Configuration { get; init; }

    /// <summary>The SHA-256 of <see cref="Configuration"/>.</summary>
    public required string ConfigurationHash { get; init; }

    /// <summary>The recipe.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>The folder that relative paths start from.</summary>
    public required string Root { get; init; }

    /// <summary>The outputs: one for each point of the recipe's sweeps. They share tensors, types and layout.</summary>
    public required IReadOnlyList<SweepPoint> Points { get; init; }

    /// <summary>The merges that the outputs are made of, at least one.</summary>
    public required IReadOnlyList<MergePart> Parts { get; init; }

    /// <summary>The base of a plan with one part; null for an average without one.</summary>
    public required PlannedInput? Base { get; init; }

    /// <summary>The experts of a plan with one part, in the recipe's order.</summary>
    public required IReadOnlyList<PlannedInput> Experts { get; init; }

    /// <summary>
    /// All models that take part, each once: for every part the base first, then the experts, then the statistics of their
    /// data where the method needs them.
    /// </summary>
    public required IReadOnlyList<PlannedInput> Inputs { get; init; }

    /// <summary>The input that gives configuration and tokenizer: the recipe's base, else the first input.</summary>
    public required PlannedInput Donor { get; init; }

    /// <summary>The chat template of the output, in Jinja; null for the donor's files as they are.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Layers that were put together anew; empty where the output has the donor's layers.</summary>
    public IReadOnlyList<LayerChange> Layers { get; init; } = [];

    /// <summary>Recipes whose outputs are inputs of this one, with their plans; each is merged before it.</summary>
    public IReadOnlyList<(StageModel Model, MergePlan Plan)> Stages { get; init; } = [];

    /// <summary>The output tensors in the order of the base.</summary>
    public required IReadOnlyList<TensorPlan> Tensors { get; init; }

    /// <summary>The files of an output and the place of every tensor in them.</summary>
    public required ShardLayout Layout { get; init; }

    /// <summary>Masks given by the recipe in place of random ones; null otherwise.</summary>
    public required Checkpoint? Masks { get; init; }

    /// <summary>Signs given by the recipe of a plan with one part; null otherwise.</summary>
    public Checkpoint? Signs { get; init; }

    /// <summary>The masks that the output has beside its weights; null for none.</summary>
    public MaskOutputs? MaskOutputs { get; init; }

    /// <summary>The seed of mergekit's random masks; null for those of the recipe's own seed. See <see cref="WithMergekitSeed"/>.</summary>
    public MergekitSeed? MergekitSeed { get; private init; }

    /// <summary>The numbers that mergekit's masks are made of; null without a seed.</summary>
    internal MergekitDraws? MergekitDraws { get; private init; }

    /// <summary>
    /// Hashes of the tensors that inputs must have, by input in the order of <see cref="Inputs"/>; an input without is not
    /// compared.
    /// </summary>
    internal IReadOnlyList<IReadOnlyDictionary<string, UInt128>> ExpectedInputs { get; init; } = [];

    /// <summary>Bytes of tensors read in one pass over the inputs.</summary>
    public required long BytesPerPass { get; init; }

    /// <summary>How often the inputs are read; the most among the parts.</summary>
    public required int Passes { get; init; }

    /// <summary>How often they are read as a rule: a sample may save a pass.</summary>
    public int UsualPasses => Methods.OnePassTrim.Suits(this) ? Passes - 1 : Passes;

    /// <summary>Bytes of tensors read in all passes together.</summary>
    public required long BytesToRead { get; init; }

    /// <summary>Bytes of weights written, all outputs together.</summary>
    public required long BytesToWrite { get; init; }

    /// <summary>The type that most merged elements are written in, named in config.json.</summary>
    public required TensorType WeightType { get; init; }

    /// <summary>What happens to NaN and infinity in an input.</summary>
    public required NonFinite NonFinite { get; init; }

    /// <summary>What is worth knowing: rules SM7xxx of severity warning and those of the checkpoints.</summary>
    public required IReadOnlyList<Problem> Warnings { get; init; }

    /// <summary>The files that a block is written to: the outputs of all points, then the masks of each.</summary>
    internal int Streams => Points.Count * (1 + (MaskOutputs?.Names.Count ?? 0));

    /// <summary>The stream of a point's mask.</summary>
    internal int StreamOf(int point, int mask) => Points.Count + (point * MaskOutputs!.Names.Count) + mask;

    /// <summary>All weight files that are read: those of the inputs, masks and signs.</summary>
    public IEnumerable<CheckpointFile> Files => Inputs.SelectMany(i => i.Checkpoint.Files).Concat(Given.SelectMany(m => m.Files));

    /// <summary>Those that are there before any stage is merged.</summary>
    internal IEnumerable<CheckpointFile> GivenFiles => Inputs.Where(i => i.Reference is not StageModel).SelectMany(i => i.Checkpoint.Files).Concat(Given.SelectMany(m => m.Files));

    /// <summary>The files of masks and of signs that the recipe names, each once.</summary>
    internal IEnumerable<Checkpoint> Given => Parts.SelectMany(p => new[] { p.Masks, p.Signs }).OfType<Checkpoint>().DistinctBy(c => c.Path);

    /// <summary>The most tensors that one tensor is made of.</summary>
    public int MostSources
    {
        get
        {
            var most = Tensors.Count == 0 ? 1 : 0;
            foreach (var tensor in Tensors)
                most = Math.Max(most, tensor.CountSources);
            return most;
        }
    }

    /// <summary>
    /// The plan as the method of one part sees it: its points, inputs and masks, and of the tensors only its own as merged.
    /// </summary>
    internal MergePlan Of(MergePart part) => this with
    {
        Points = part.Points,
        Parts = [part],
        Base = part.Base,
        Experts = part.Experts,
        Masks = part.Masks,
        Signs = part.Signs,
        Tensors = Parts.Count == 1 ? Tensors : [.. Tensors.Select(t => t.Part == part.Index ? t : t with { Action = TensorAction.Keep })],
    };

    /// <summary>The same plan, its stages included, with the random masks that mergekit draws from a seed.</summary>
    public MergePlan WithMergekitSeed(MergekitSeed seed)
    {
        var draws = MergekitDraws.Of(this, seed);
        (StageModel Model, MergePlan Plan)[] stages = [.. Stages.Select(s => (s.Model, s.Plan.WithMergekitSeed(seed)))];
        void Warn(bool applies, List<Problem> problems, string message, string fix = "")
        {
            if (applies)
                problems.Add(PlanRules.MergekitMasks.At("--mergekit-seed", message, fix));
        }

        var warnings = new List<Problem>(Warnings);
        var own = Points.Select(p => p.Recipe).OfType<IRandomDrop>().Any(r => r.Seed is { Value: not 0 });
        Warn(draws.Total == 0 && stages.All(s => s.Plan.MergekitDraws!.Total == 0), warnings, "the seed has no effect: no mask is drawn.", "Leave it out.");
        Warn(draws.Total > 0 && own, warnings, "the recipe's own seed has no effect beside it.", "Leave one of them out.");
        Warn(draws.Total > 0 && Inputs.Any(i => i.Checkpoint.ConfigPath is null && i.Reference is not StageModel), warnings, "an input has no config.json; mergekit merges such files in an order that changes from run to run, so that a seed does not tell its masks.");
        Warn(draws.IsGraded, warnings, "DELLA ranks magnitudes that mergekit has rounded to 16 bits, many of them equal; which it keeps of those is not known.", "Masks are mergekit's with dtype: float32.");
        return this with { MergekitSeed = seed, MergekitDraws = draws, Stages = stages, Warnings = warnings };
    }

    /// <summary>The model that a source of a tensor belongs to.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="source">The position among base, experts and statistics, as far as the tensor has them.</param>
    internal PlannedInput InputOf(TensorPlan tensor, int source)
    {
        var part = Parts[tensor.Part];
        var expert = tensor.Base is null ? source : source - 1;
        return expert < 0 ? part.Base! : expert < tensor.Experts.Count ? part.Experts[expert] : part.Statistics[expert - tensor.Experts.Count];
    }

    /// <summary>What a model is in the merge: <c>base</c>, <c>expert</c> or <c>statistics</c>.</summary>
    public string RoleOf(PlannedInput input) =>
        ReferenceEquals(input, Base) ? "base"
        : Parts.Any(p => p.Statistics.Contains(input)) && !Parts.Any(p => p.Experts.Contains(input) || ReferenceEquals(p.Base, input)) ? "statistics"
        : "expert";

    /// <summary>The merged tensors.</summary>
    public IEnumerable<TensorPlan> Merged => Tensors.Where(t => t.Action == TensorAction.Merge);

    /// <summary>The merged tensors that have elements, from the one at <paramref name="first"/> up to <paramref name="end"/>.</summary>
    internal IEnumerable<TensorPlan> MergedIn(int first, int end) =>
        Tensors.Skip(first).Take(end - first).Where(t => t.Action == TensorAction.Merge && t.ElementCount > 0);
}
