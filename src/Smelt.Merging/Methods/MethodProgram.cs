using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Merging.Methods;

/// <summary>What a method must know of other elements before it can merge one.</summary>
internal enum StatisticsScope
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Statistics of the element's tensor.</summary>
    Tensor,

    /// <summary>Statistics of the whole model.</summary>
    Model,
}

/// <summary>Sweep points that share one mix: they differ in lambda alone.</summary>
/// <param name="Index">The position among the groups.</param>
/// <param name="Recipe">The recipe of the first point.</param>
/// <param name="Points">The points.</param>
internal sealed record MixGroup(int Index, Recipe Recipe, int[] Points)
{
    /// <summary>The point whose settings (but lambda) hold for all.</summary>
    public int First => Points[0];
}

/// <summary>What a program may use to gather statistics.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Blocks">The blocks of all tensors.</param>
/// <param name="Pool">The workers' threads.</param>
/// <param name="Workers">The workers' buffers.</param>
/// <param name="Searches">How many histograms each worker may hold at a time.</param>
/// <param name="Progress">Counts what is read.</param>
internal sealed record PassContext(MergePlan Plan, BlockMap Blocks, WorkerPool Pool, Worker[] Workers, int Searches, ProgressCounter Progress);

/// <summary>
/// A merge method bound to a plan: statistics passes over the inputs, then the mix of one sub-block after another. Each
/// method is one file with its formula.
/// </summary>
internal abstract class MethodProgram
{
    protected MethodProgram(MergePlan plan)
    {
        Plan = plan;
        Groups = [.. Group(plan.Points)];
    }

    /// <summary>The plan, as the part that the method merges sees it.</summary>
    public MergePlan Plan { get; }

    /// <summary>The distinct mixes; every sweep point belongs to one.</summary>
    public IReadOnlyList<MixGroup> Groups { get; }

    /// <summary>Over what statistics are taken before the merge.</summary>
    public virtual StatisticsScope Scope => StatisticsScope.None;

    /// <summary>Trims tensors in the pass that merges them; null for methods and plans that have no use for it.</summary>
    public virtual OnePassTrim? OnePass => null;

    /// <summary>Whether the output is base + lambda * mix; else it is the mix itself.</summary>
    public virtual bool AddsBase => true;

    /// <summary>The number of distinct mixes among some points.</summary>
    public static int CountGroups(IReadOnlyList<SweepPoint> points) => Group(points).Count();

    /// <summary>Binds a plan's method.</summary>
    public static MethodProgram Create(MergePlan plan) => plan.Points[0].Recipe switch
    {
        Average => new AverageMethod(plan),
        TaskArithmetic => new TaskArithmeticMethod(plan),
        Ties => new TiesMethod(plan),
        IDare => new DareMethod(plan),
        IGradedDrop => new DellaMethod(plan),
        IOutlierTrim => new BreadcrumbsMethod(plan),
        Slerp => new SlerpMethod(plan),
        NuSlerp => new NuSlerpMethod(plan),
        MultiSlerp => new MultiSlerpMethod(plan),
        Karcher => new KarcherMethod(plan),
        ModelStock => new ModelStockMethod(plan),
        NearSwap => new NearSwapMethod(plan),
        ArceeFusion => new ArceeFusionMethod(plan),
        Sce => new SceMethod(plan),
        RamRecipe => new RamMethod(plan),
        MultiTaskRecipe => new MultiTaskMethod(plan),
        Emr => new EmrMethod(plan),
        Masked => new MaskedMethod(plan),
        Pcb => new PcbMethod(plan),
        MagMax => new MagMaxMethod(plan),
        Passthrough => new PassthroughMethod(plan),
        ExPO => new ExPOMethod(plan),
        Fisher => new FisherMethod(plan),
        RegMean => new RegMeanMethod(plan),
        Median => new MedianMethod(plan),
        LargestMagnitude => new LargestMagnitudeMethod(plan),
        IElementMethod => new ElementMethod(plan),
        var other => throw new InvalidInputException(PlanRules.MethodFails.Id, Slots.MethodId(other), $"{other.GetType().FullName} has no arithmetic: it does not implement {nameof(IElementMethod)}.", "Implement it, or build against this version of Smelt.Recipes."),
    };

    /// <summary>How often the inputs of a recipe are read, as a rule: more when a sample misled.</summary>
    public static int CountPasses(Recipe recipe) => recipe switch
    {
        Ties ties => TiesMethod.Passes(ties),
        SparseRecipe and IGradedDrop => DellaMethod.Passes((SparseRecipe)recipe),
        SparseRecipe and IOutlierTrim => BreadcrumbsMethod.Passes((SparseRecipe)recipe),
        SparseRecipe and IDare => DareMethod.Passes((SparseRecipe)recipe),
        Slerp or NuSlerp or MultiSlerp or Karcher or ModelStock or RamPlus or RegMean => 2,
        MultiTaskRecipe multiTask => MultiTaskMethod.Passes(multiTask),
        Emr => 2,
        ArceeFusion or Pcb => 3,
        Sce sce => SceMethod.Passes(sce),
        IElementMethod => ElementMethod.SumsOf(recipe) > 0 ? 2 : 1,
        _ => 1,
    };

    /// <summary>Bytes of a tensor's statistics that are read beside the passes over its inputs.</summary>
    public static long CountExtraBytes(Recipe recipe, TensorPlan tensor) => recipe switch
    {
        Fisher { Normalize: true } => tensor.Statistics.Sum(s => s.ByteLength),

        // Once to solve, and once for the hashes in the manifest.
        RegMean => 2 * tensor.Grams.Sum(g => g.ByteLength),
        _ => 0,
    };

    /// <summary>Gathers the statistics of the tensors from <paramref name="first"/> up to <paramref name="end"/>.</summary>
    public virtual void Prepare(PassContext context, int first, int end)
    {
    }

    /// <summary>Mixes a sub-block that the worker has read.</summary>
    public abstract void Mix(Worker worker, SubBlock part, MixGroup group);

    /// <summary>The factor of each task's masked task vector, for methods whose outputs have task masks.</summary>
    public virtual IReadOnlyList<float> Rescalers(PassContext context, MixGroup group) => [.. Plan.Experts.Select(_ => 1f)];

    /// <summary>
    /// Looks at the votes of the whole merge; true where a wrong guess of the majority had an effect: what depends on it has to be mended, or all to be
    /// merged again with the right one.
    /// </summary>
    public virtual bool Recheck(VoteCounts votes) => false;

    /// <summary>Whether contested elements are listed as the worker asks for, and nothing else depends on the guess: a wrong one can be mended at these alone.</summary>
    public virtual bool ListsContested => false;

    /// <summary>What the last <see cref="Recheck"/> found that zero votes elect.</summary>
    public virtual Kernels.ZeroVote ZeroVote => default;

    /// <summary>Chooses what zero votes of the block that the worker begins elect, where the majority is not known yet.</summary>
    /// <param name="worker">The worker; whether it lists contested elements is decided.</param>
    /// <param name="votes">The votes so far.</param>
    public virtual void Assume(Worker worker, VoteCounts votes)
    {
    }

    /// <summary>The points with one mix each. Without a sweep there is nothing to compare, and configurations can be large.</summary>
    private static IEnumerable<MixGroup> Group(IReadOnlyList<SweepPoint> points) => points.Count == 1 ? [new MixGroup(0, points[0].Recipe, [0])] : points
        .Select((point, i) => (Key: ConfigurationWriter.Write("group", WithoutLambda(point.Recipe)), Index: i, point.Recipe))
        .GroupBy(p => p.Key)
        .Select((group, i) => new MixGroup(i, group.First().Recipe, [.. group.Select(p => p.Index)]));

    private static Recipe WithoutLambda(Recipe recipe) => recipe is not TaskVectorRecipe taskVector
        ? recipe
        : taskVector with
        {
            Lambda = 1,
            Tensors = Sequence.From(taskVector.Tensors.Select(rule => rule is TensorOverride o ? o with { Lambda = null } : rule)),
        };
}
