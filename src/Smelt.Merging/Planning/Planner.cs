using Smelt.Checkpoints;
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
    public static MergePlan Plan(string name, Recipe recipe, string configuration, string root)
    {
        var problems = new List<Problem>();
        var points = SweepExpansion.Expand(recipe);
        var resolved = points[0].Recipe;
        var inputs = OpenInputs(resolved, root, problems);
        var masks = OpenMasks(resolved, root, problems);
        ThrowOnErrors(problems);

        var baseInput = resolved.Base is null ? null : inputs[0]!;
        var experts = inputs.Skip(baseInput is null ? 0 : 1).Select(i => i!).ToArray();
        CheckSameFiles(baseInput, experts, resolved.UsesBase, problems);

        var tensors = PlanTensors(resolved, points, baseInput, experts, problems);
        if (masks is not null)
            MaskFiles.Check(masks, tensors, problems);
        if (resolved is not Passthrough && tensors.Count > 0 && tensors.All(t => t.Action != TensorAction.Merge))
            problems.Add(PlanRules.NothingMerged.At("/tensors", "every tensor is kept, so the output would be a copy of the base.", "Remove a Keep rule."));
        ThrowOnErrors(problems);

        var layout = ShardLayout.Create(tensors.Select(t => new LayoutTensor(t.Name, t.OutputType, t.Shape)), resolved.MaxShardSize!.Value.Bytes);
        var passes = MethodProgram.CountPasses(resolved);
        return new MergePlan
        {
            Name = name,
            Configuration = configuration,
            ConfigurationHash = Recipes.Configuration.CanonicalJson.Sha256(configuration),
            Points = points,
            Base = baseInput,
            Experts = experts,
            Tensors = tensors,
            Layout = layout,
            Masks = masks,
            BytesPerPass = tensors.Sum(t => (t.Base?.ByteLength ?? 0) + t.Experts.Sum(e => e.ByteLength)),
            Passes = passes,
            WeightType = MostCommonType(tensors),
            NonFinite = resolved.NonFinite!.Value,
            BytesToWrite = layout.TotalFileBytes * points.Count,
            Warnings = [.. inputs.SelectMany(i => i!.Checkpoint.Warnings).Distinct(), .. problems],
        };
    }

    private static PlannedInput?[] OpenInputs(Recipe recipe, string root, List<Problem> problems)
    {
        var models = Models(recipe);
        var results = new (PlannedInput? Input, IReadOnlyList<Problem> Problems)[models.Count];
        Parallel.For(0, models.Count, i =>
        {
            try
            {
                results[i] = (Open(models[i], root), []);
            }
            catch (InvalidInputException invalid)
            {
                results[i] = (null, invalid.Problems);
            }
        });
        problems.AddRange(results.SelectMany(r => r.Problems));
        return [.. results.Select(r => r.Input)];
    }

    /// <summary>The models of a recipe in the order of <see cref="MergePlan.Inputs"/>: base first where there is one, then the experts.</summary>
    internal static IReadOnlyList<Model> Models(Recipe recipe)
    {
        var experts = recipe.Experts.Select(e => e.Model);
        return [.. recipe.Base is { } baseModel ? experts.Prepend(baseModel) : experts];
    }

    /// <summary>Opens a model by its headers.</summary>
    /// <exception cref="InvalidInputException">It can't be found or read; all problems.</exception>
    internal static PlannedInput Open(Model model, string root)
    {
        if (model is FolderModel folder)
            return new PlannedInput(model, CheckpointFolder.Open(Path.GetFullPath(folder.Path, root)), null);

        var hub = (HubModel)model;
        var snapshot = HubCache.Resolve(hub.Id, hub.Revision);
        return new PlannedInput(model, CheckpointFolder.Open(snapshot.Folder), snapshot.Commit);
    }

    private static Checkpoint? OpenMasks(Recipe recipe, string root, List<Problem> problems)
    {
        if (recipe is not DareTies { MaskFile: { } file })
            return null;
        try
        {
            return CheckpointFolder.Open(Path.GetFullPath(file, root));
        }
        catch (InvalidInputException invalid)
        {
            problems.AddRange(invalid.Problems);
            return null;
        }
    }

    private static void CheckSameFiles(PlannedInput? baseInput, PlannedInput[] experts, bool usesBase, List<Problem> problems)
    {
        static string Identity(PlannedInput input) => string.Join("|", input.Checkpoint.Files.Select(f => f.FullPath));
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        if (baseInput is not null && usesBase)
            seen.Add(Identity(baseInput), "the base");
        for (var i = 0; i < experts.Length; i++)
        {
            if (!seen.TryAdd(Identity(experts[i]), $"expert {i}"))
            {
                problems.Add(PlanRules.SameFiles.At(
                    $"/experts/{i}/model",
                    $"{experts[i].Reference} is the same checkpoint as {seen[Identity(experts[i])]}: {experts[i].Checkpoint.Path}.",
                    "Remove one of them."));
            }
        }
    }

    private static List<TensorPlan> PlanTensors(
        Recipe recipe, IReadOnlyList<SweepPoint> points, PlannedInput? baseInput, PlannedInput[] experts, List<Problem> problems)
    {
        var donor = baseInput ?? experts[0];
        var matcher = new TensorMatcher(donor, experts, recipe, problems);
        var settings = new TensorSettingsResolver(points);
        var tensors = new List<TensorPlan>(donor.Checkpoint.Tensors.Count);
        foreach (var tensor in donor.Checkpoint.Tensors)
        {
            var (action, sources) = matcher.Match(tensor);
            var merged = action == TensorAction.Merge;
            var resolved = merged ? settings.Resolve(tensor.Name) : [];
            if (merged && recipe.DividesByWeights)
                CheckWeights(tensor.Name, resolved, problems);
            var outputType = merged ? OutputType(recipe.Dtype, tensor.Type) : tensor.Type;
            var copied = merged && sources[0].Type == outputType && resolved.All(s => s.Recipe is Passthrough { Scale: null });
            tensors.Add(new TensorPlan
            {
                Index = tensors.Count,
                Name = tensor.Name,
                Shape = tensor.Shape,
                ElementCount = tensor.ElementCount,
                OutputType = outputType,
                Action = copied ? TensorAction.CopyEqual : action,
                Base = baseInput is null || (merged && !recipe.UsesBase) ? null : tensor,
                Experts = action == TensorAction.Keep && baseInput is null ? [tensor] : sources,
                Settings = resolved,
            });
        }

        matcher.ReportLeftovers();
        foreach (var (where, pattern) in settings.Unused())
            problems.Add(PlanRules.MatchesNothing.At(where, $"the pattern '{pattern}' matches no merged tensor of {donor.Reference}; its first is {donor.Checkpoint.Tensors[0].Name}."));
        return tensors;
    }

    private static void CheckWeights(string tensor, TensorSettings[] settings, List<Problem> problems)
    {
        var cancelling = settings.FirstOrDefault(s => Math.Abs(s.Weights.Sum()) <= 1e-8 * s.Weights.Sum(Math.Abs));
        if (cancelling is not null)
            problems.Add(PlanRules.WeightsCancel.At(tensor, $"the weights {string.Join(", ", cancelling.Weights)} sum to 0, and the method divides by their sum.", "Change a tensor rule, or turn the normalisation off."));
    }

    /// <summary>The type that most merged elements are written in; where nothing is merged, most elements that could be.</summary>
    private static TensorType MostCommonType(List<TensorPlan> tensors)
    {
        var merged = tensors.Where(t => t.Action == TensorAction.Merge).ToArray();
        var counted = merged.Length > 0 ? merged : tensors.Where(t => t.OutputType.IsMergeable);
        return counted.GroupBy(t => t.OutputType).MaxBy(g => g.Sum(t => t.ElementCount))?.Key ?? tensors[0].OutputType;
    }

    private static TensorType OutputType(DType? asked, TensorType stored) => asked switch
    {
        null => stored,
        DType.BF16 => TensorType.BF16,
        DType.F16 => TensorType.F16,
        _ => TensorType.F32,
    };

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
