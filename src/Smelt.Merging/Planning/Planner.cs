using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Methods;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// Plans a merge from headers alone. Every tensor of every input is merged, kept or reported; all problems of all inputs
/// come at once.
/// </summary>
public static class Planner
{
    /// <summary>How many tensors a problem of many tensors names before it counts the rest.</summary>
    private const int NamedTensors = 5;

    /// <summary>Plans the recipe <paramref name="name"/>.</summary>
    /// <param name="name">The recipe's name.</param>
    /// <param name="recipe">A recipe that breaks no rule.</param>
    /// <param name="configuration">Its canonical JSON.</param>
    /// <param name="root">The folder that relative paths start from.</param>
    /// <exception cref="InvalidInputException">The inputs can't be merged; all problems.</exception>
    public static MergePlan Plan(string name, Recipe recipe, string configuration, string root) => Plan(name, recipe, configuration, root, null);

    /// <summary>Plans a recipe whose stages may be merged already.</summary>
    /// <param name="name">The recipe's name.</param>
    /// <param name="recipe">A recipe that breaks no rule.</param>
    /// <param name="configuration">Its canonical JSON.</param>
    /// <param name="root">The folder that relative paths start from.</param>
    /// <param name="stageFolders">The outputs of its stages; null where they are only planned.</param>
    /// <exception cref="InvalidInputException">The inputs can't be merged; all problems.</exception>
    internal static MergePlan Plan(string name, Recipe recipe, string configuration, string root, IReadOnlyDictionary<StageModel, string>? stageFolders)
    {
        var problems = new List<Problem>();
        var points = SweepExpansion.Expand(recipe);
        var resolved = points[0].Recipe;
        var stages = PlanStages(name, resolved, root, stageFolders, problems);
        var inputs = OpenInputs(resolved, root, stages, stageFolders, problems);
        ThrowOnErrors(problems);
        ExpertLayouts.Apply(resolved.MoeLayout, inputs, problems);
        ArchitectureCheck.Check(inputs.Values, problems);

        var parts = new List<MergePart>();
        var tensors = new List<TensorPlan>();
        var layers = PlanParts(resolved, points, inputs, root, parts, tensors, problems);
        MaskFiles.Check(parts, tensors, problems);
        foreach (var part in parts)
            SignFiles.Check(part, tensors, problems);
        CheckTensors(resolved, tensors, problems);
        var baseInput = resolved.Base is { } b ? inputs[b] : null;
        var donor = baseInput ?? inputs.Values.First();
        var chatTemplate = ChatTemplates.Find(resolved.ChatTemplate, donor, inputs.Values, stages, problems);
        SideFiles.Check(donor.Checkpoint, chatTemplate, problems);
        ThrowOnErrors(problems);

        var maskOutputs = MaskOutputs.Of(resolved, tensors);
        var layout = ShardLayout.Create(tensors.Select(t => new LayoutTensor(t.Name, t.OutputType, t.Shape)), resolved.MaxShardSize!.Value.Bytes);
        var passes = new int[parts.Count];
        for (var i = 0; i < passes.Length; i++)
            passes[i] = MethodProgram.CountPasses(parts[i].Points[0].Recipe);
        var (mostPasses, bytesPerPass, bytesToRead) = (0, 0L, 0L);
        foreach (var tensor in tensors)
        {
            var bytes = BytesOf(tensor);
            mostPasses = Math.Max(mostPasses, passes[tensor.Part]);
            bytesPerPass += bytes;
            bytesToRead += (bytes * passes[tensor.Part]) + MethodProgram.CountExtraBytes(parts[tensor.Part].Points[0].Recipe, tensor);
        }

        return new MergePlan
        {
            Name = name,
            Configuration = configuration,
            ConfigurationHash = Recipes.Configuration.CanonicalJson.Sha256(configuration),
            Recipe = recipe,
            Root = root,
            Points = points,
            Parts = parts,
            Base = baseInput,
            Experts = parts.Count == 1 ? parts[0].Experts : [],
            Inputs = [.. inputs.Values],
            Donor = donor,
            ChatTemplate = chatTemplate,
            Layers = layers,
            Stages = stages,
            Tensors = tensors,
            Layout = layout,
            Masks = parts.Count == 1 ? parts[0].Masks : null,
            Signs = parts.Count == 1 ? parts[0].Signs : null,
            BytesPerPass = bytesPerPass,
            Passes = mostPasses,
            BytesToRead = bytesToRead,
            WeightType = MostCommonType(tensors),
            NonFinite = resolved.NonFinite!.Value,
            MaskOutputs = maskOutputs,
            BytesToWrite = (layout.TotalFileBytes + (maskOutputs?.TotalBytes ?? 0)) * points.Count,
            Warnings = [.. inputs.Values.SelectMany(i => i.Checkpoint.Warnings).Distinct(), .. problems],
        };
    }

    private static long BytesOf(TensorPlan tensor)
    {
        var bytes = 0L;
        for (var i = 0; i < tensor.CountSources; i++)
            bytes += tensor.Source(i).ByteLength;
        return bytes;
    }

    private static List<(StageModel Model, MergePlan Plan)> PlanStages(
        string name, Recipe recipe, string root, IReadOnlyDictionary<StageModel, string>? stageFolders, List<Problem> problems)
    {
        var stages = new List<(StageModel Model, MergePlan Plan)>();
        if (stageFolders is not null)
            return stages;
        foreach (var stage in Models(recipe).OfType<StageModel>())
        {
            try
            {
                var stageName = stage.Name ?? $"{name}-stage-{stages.Count + 1}";
                stages.Add((stage, Plan(stageName, stage.Recipe, Recipes.Configuration.ConfigurationWriter.Write(stageName, stage.Recipe), root)));
            }
            catch (InvalidInputException invalid)
            {
                problems.AddRange(invalid.Problems);
            }
        }

        return stages;
    }

    /// <summary>Opens every model of a recipe, each once, in the order in which the recipe names them.</summary>
    private static Dictionary<Model, PlannedInput> OpenInputs(
        Recipe recipe, string root, List<(StageModel Model, MergePlan Plan)> stages, IReadOnlyDictionary<StageModel, string>? stageFolders, List<Problem> problems)
    {
        var models = Models(recipe);
        var results = new (PlannedInput? Input, IReadOnlyList<Problem> Problems)[models.Count];
        var headers = new SharedHeaders();
        Concurrently.For(models.Count, i =>
        {
            try
            {
                results[i] = (models[i] switch
                {
                    StageModel stage when stageFolders is not null => new PlannedInput(stage, CheckpointFolder.Open(stageFolders[stage], headers), null),
                    StageModel stage => stages.Find(s => s.Model == stage) is { Plan: { } plan } ? new PlannedInput(stage, Unmerged(plan), null) : null,
                    var model => Open(model, root, headers),
                }, []);
            }
            catch (InvalidInputException invalid)
            {
                results[i] = (null, invalid.Problems);
            }
        });
        foreach (var result in results)
            problems.AddRange(result.Problems);
        var inputs = new Dictionary<Model, PlannedInput>();
        for (var i = 0; i < models.Count; i++)
        {
            if (results[i].Input is { } input)
                inputs.Add(models[i], input);
        }

        return inputs;
    }

    /// <summary>The output of a plan as a checkpoint, before it is there.</summary>
    private static Checkpoint Unmerged(MergePlan plan) =>
        Checkpoint.Planned(plan.Name, plan.Donor.Checkpoint.Folder, plan.Tensors.Select(t => new LayoutTensor(t.Name, t.OutputType, t.Shape)));

    /// <summary>
    /// The models of a recipe, each once, in the order of <see cref="MergePlan.Inputs"/>: base first where there is one,
    /// then the experts, then their statistics where the method needs them; for a recipe made of others its own base, then theirs one after another.
    /// </summary>
    public static IReadOnlyList<Model> Models(Recipe recipe) => [.. AllModels(recipe).Distinct()];

    private static IEnumerable<Model> AllModels(Recipe recipe)
    {
        var own = recipe.Experts.Select(e => e.Model);
        if (recipe.Base is { } baseModel)
            own = own.Prepend(baseModel);
        if (recipe.UsesStatistics)
            own = own.Concat(recipe.Experts.Select(e => e.Statistics).OfType<Model>());
        return recipe is CompositeRecipe composite ? own.Concat(composite.Inner.SelectMany(AllModels)) : own;
    }

    /// <summary>Opens a model of a folder or the hub by its headers.</summary>
    /// <exception cref="InvalidInputException">It can't be found or read; all problems.</exception>
    public static PlannedInput Open(Model model, string root) => Open(model, root, new SharedHeaders());

    private static PlannedInput Open(Model model, string root, SharedHeaders headers)
    {
        if (model is FolderModel folder)
            return new PlannedInput(model, CheckpointFolder.Open(Path.GetFullPath(folder.Path, root), headers), null);

        var hub = (HubModel)model;
        var snapshot = HubCache.Resolve(hub.Id, hub.Revision);
        return new PlannedInput(model, CheckpointFolder.Open(snapshot.Folder, headers), snapshot.Commit);
    }

    /// <summary>Plans the merges of a recipe one after another; returns the layers that were put together anew.</summary>
    private static LayerChange[] PlanParts(
        Recipe recipe, IReadOnlyList<SweepPoint> points, Dictionary<Model, PlannedInput> inputs, string root,
        List<MergePart> parts, List<TensorPlan> tensors, List<Problem> problems)
    {
        var changes = new Dictionary<StackHeight, string>();
        var planners = new List<PartPlanner>();
        foreach (var scope in PartScope.Of(recipe))
        {
            // The format is said once, for the whole output.
            var own = points.Select(p => new SweepPoint(p.Label, scope.Select(p.Recipe) with { Dtype = p.Recipe.Dtype, PromoteDtype = p.Recipe.PromoteDtype })).ToArray();
            var leaf = own[0].Recipe;
            var baseInput = leaf.Base is { } b ? inputs[b] : null;
            var experts = leaf.Experts.Select(e => inputs[e.Model]).ToArray();
            var masks = GivenFiles.Open(GivenFiles.MasksOf(leaf), root, problems);
            var signs = GivenFiles.Open(GivenFiles.SignsOf(leaf), root, problems);
            var statistics = leaf.UsesStatistics ? leaf.Experts.Select(e => inputs[e.Statistics!]).ToArray() : [];
            var planner = new PartPlanner(scope, own, baseInput, experts, statistics, problems);
            planners.Add(planner);
            var subsets = new Dictionary<string, int>();
            foreach (var (tensor, present) in planner.Plan())
            {
                var key = present is null ? "" : string.Join(",", present);
                if (!subsets.TryGetValue(key, out var part))
                {
                    part = parts.Count;
                    subsets.Add(key, part);
                    parts.Add(present is null
                        ? new MergePart(part, own, baseInput, experts, masks, signs) { Statistics = statistics }
                        : new MergePart(part, [.. own.Select(p => p with { Recipe = p.Recipe with { Experts = Sequence.From(present.Select(i => p.Recipe.Experts[i])) } })], baseInput, [.. present.Select(i => experts[i])], masks, signs)
                        {
                            Statistics = statistics.Length == 0 ? [] : [.. present.Select(i => statistics[i])],
                            Numbers = present,
                        });
                }

                tensors.Add(tensor with { Index = tensors.Count, Part = part });
            }

            if (scope.Slice is { } place && planner.LayerPrefix is { } prefix)
                changes[place.Height] = prefix;
        }

        if (recipe is Modules)
            PlanUnmatched(recipe, inputs, planners, parts, tensors, problems);
        var donor = recipe.Base is { } outer ? inputs[outer] : inputs.Values.First();
        var runs = new LayerRuns(donor.Checkpoint.Tensors.Select(t => t.Name));
        var layers = new List<LayerChange>();
        foreach (var (height, prefix) in changes)
            layers.Add(new LayerChange(prefix, runs.Count(prefix), height.Origins));
        if (donor.Checkpoint.ConfigPath is { } config && layers.Count > 0)
        {
            var content = InputFile.ReadAllBytes(config);
            problems.AddRange(layers.Where(l => l.Origins.Count != l.Donor && !LayerConfig.States(content, l)).Select(l =>
                PlanRules.LayerCountUnknown.At(config, $"the output has {l.Origins.Count} layers under {l.Prefix}N, and none of {string.Join(", ", l.Keys)} holds their present number, {l.Donor}.", "Correct the number of layers in the output's config.json by hand.")));
        }

        return [.. layers];
    }

    /// <summary>Tensors that no part of the modules takes: from the base as they are, or a problem.</summary>
    private static void PlanUnmatched(
        Recipe recipe, Dictionary<Model, PlannedInput> inputs, List<PartPlanner> planners, List<MergePart> parts, List<TensorPlan> tensors, List<Problem> problems)
    {
        var baseInput = recipe.Base is { } b ? inputs[b] : null;
        var donors = baseInput is null ? planners.Select(p => p.Donor).Distinct() : [baseInput];
        var scopes = PartScope.Of(recipe).ToArray();
        var unmatched = donors.SelectMany(d => d.Checkpoint.Tensors).Where(t => !scopes.Any(s => s.Takes(t.Name))).DistinctBy(t => t.Name).ToArray();
        if (unmatched.Length > 0 && baseInput is null)
        {
            problems.Add(PlanRules.NoPart.At("/parts", $"no part takes {unmatched.Length} tensors: {Some(unmatched.Select(t => t.Name).ToArray())}.", "Add Part(\"**\", ...) at the end, or a base that they are taken from."));
            return;
        }

        if (unmatched.Length == 0)
            return;
        var keep = parts.Count;
        parts.Add(new MergePart(keep, [.. parts[0].Points.Select(p => p with { Recipe = new Passthrough() })], baseInput, [], null));
        tensors.AddRange(unmatched.Select((t, i) => new TensorPlan
        {
            Index = tensors.Count + i,
            Part = keep,
            Name = t.Name,
            Shape = t.Shape,
            ElementCount = t.ElementCount,
            OutputType = t.Type,
            Action = TensorAction.Keep,
            Base = t,
            Experts = [],
            Settings = [],
        }).ToArray());
    }

    private static void CheckTensors(Recipe recipe, List<TensorPlan> tensors, List<Problem> problems)
    {
        if (problems.Any(p => p.Severity == Severity.Error))
            return;
        if (tensors.Count == 0)
            problems.Add(PlanRules.NothingMerged.At("/tensors", "no tensor is left for the output.", "Leave out Missing = Intersection, or merge models of one architecture."));
        else if (recipe is not (Passthrough or CompositeRecipe) && tensors.All(t => t.Action != TensorAction.Merge))
            problems.Add(tensors.Exists(t => t.Action == TensorAction.Keep)
                ? PlanRules.NothingMerged.At("/tensors", "every tensor is kept, so the output would be a copy of the base.", "Remove a Keep rule.")
                : PlanRules.NothingMerged.At("/experts", "no tensor is of a type that can be merged: BF16, F16, F32 or F64.", "Name models with weights of these types."));
        if (tensors.Find(t => t.CountSources > Kernels.Mix.MaxInputs) is { } crowded)
            problems.Add(PlanRules.TooManySources.At($"tensor {crowded.Name}", $"it is made of {crowded.CountSources} tensors, base and statistics included; allowed: {Kernels.Mix.MaxInputs}.", "Merge in stages: From(recipe) is the output of another recipe."));
        var names = new HashSet<string>(tensors.Count, StringComparer.Ordinal);
        if (tensors.All(t => names.Add(t.Name)))
            return;
        foreach (var twice in tensors.GroupBy(t => t.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
            problems.Add(PlanRules.NoPart.At($"tensor {twice.Key}", "two parts of the recipe make this tensor.", "Let the parts' globs say which one does."));
    }

    /// <summary>The type that most merged elements are written in; where nothing is merged, most elements that could be.</summary>
    private static TensorType MostCommonType(List<TensorPlan> tensors)
    {
        var anyMerged = tensors.Any(t => t.Action == TensorAction.Merge);
        var counted = tensors.Where(t => anyMerged ? t.Action == TensorAction.Merge : t.OutputType.IsMergeable);
        var (most, found) = (-1L, tensors[0].OutputType);
        foreach (var type in counted.Select(t => t.OutputType).Distinct())
        {
            var elements = 0L;
            foreach (var tensor in counted)
                elements += tensor.OutputType == type ? tensor.ElementCount : 0;
            if (elements > most)
                (most, found) = (elements, type);
        }

        return found;
    }

    /// <summary>Throws if a problem is an error; warnings go along, so that the user sees everything.</summary>
    private static void ThrowOnErrors(List<Problem> problems)
    {
        if (problems.Any(p => p.Severity == Severity.Error))
            throw new InvalidInputException(problems);
    }

    /// <summary>The first few names of a list, and how many more there are.</summary>
    internal static string Some(IReadOnlyCollection<string> names) =>
        string.Join(", ", names.Take(NamedTensors)) + (names.Count > NamedTensors ? $" and {names.Count - NamedTensors} more" : "");
}
