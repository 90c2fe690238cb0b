using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary>A recipe that is planned, with the options it would run with.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Plan">Its plan.</param>
/// <param name="Options">Where the output goes and how.</param>
/// <param name="Budget">Threads and memory.</param>
internal sealed record PreparedMerge(LoadedRecipe Recipe, MergePlan Plan, MergeOptions Options, MemoryBudget Budget)
{
    /// <summary>Inputs smaller than this together are measured unasked: it takes a fraction of a second.</summary>
    private const long SmallInputs = 1L << 30;

    /// <summary>The id of the merge method.</summary>
    public string Method => MethodOf(Recipe.Recipe);

    /// <summary>What happens to the tensors of each output.</summary>
    public TensorCounts Tensors => new(
        Plan.Tensors.Count(t => t.Action == TensorAction.Merge),
        Plan.Tensors.Count(t => t.Action == TensorAction.Keep),
        Plan.Tensors.Count(t => t.Action == TensorAction.CopyEqual));

    /// <summary>The folder of each output.</summary>
    public IReadOnlyList<string> Folders => [.. Plan.Points.Select(p => Path.Combine(Options.Output, p.Label))];

    /// <summary>The folders of the models and the other files that the merge and its stages read; not what stages make.</summary>
    public IEnumerable<string> Reads => WithStages(Plan)
        .SelectMany(p => p.Inputs.Where(i => i.Reference is not StageModel).Select(i => i.Checkpoint.Path).Concat(p.Parts.SelectMany(m => new[] { m.Masks, m.Signs }).OfType<Checkpoint>().Select(c => c.Path)))
        .Distinct(StringComparer.Ordinal)
        .Order(StringComparer.Ordinal);

    /// <summary>The id of a recipe's merge method.</summary>
    public static string MethodOf(Recipe recipe) => Slots.MethodId(recipe);

    /// <summary>
    /// Reads and plans all recipes of a command line. Problems of one don't keep the others from being planned.
    /// </summary>
    /// <returns>The recipes without errors, and the worst result.</returns>
    public static (IReadOnlyList<PreparedMerge> Merges, ExitCode Worst) Prepare(Session session, MergeArguments arguments, CancellationToken cancellation)
    {
        // Options are checked before a build is started for them.
        arguments.ToOptions(".");
        arguments.ToMergekitSeed();
        var catalog = RecipeCatalog.Open(arguments.Path, arguments.Recipes, arguments.Missing, cancellation);
        session.ReportBuild(catalog.Warnings);
        if (catalog.Entries.FirstOrDefault(e => e.Recipe is not null)?.Recipe is { } first)
            Merging.Kernels.Rehearsal.Start(first.Recipe);
        var folders = OutputFolders.Of([.. catalog.Entries.Select(e => e.Name)], arguments.Output, catalog.IsIndex);
        var merges = new List<PreparedMerge>();
        var worst = ExitCode.Done;
        for (var i = 0; i < catalog.Entries.Count; i++)
        {
            var (entry, folder) = (catalog.Entries[i], folders[i]);
            session.SetPlace(entry.Name, entry.Place);
            session.Report(entry.Name, entry.Problems);
            var code = entry.Recipe is not { } recipe ? ExitCode.BadInput : session.Guard(entry.Name, () =>
            {
                merges.Add(PlanOne(session, recipe, catalog.Root, arguments.ToOptions(folder), arguments.ToMergekitSeed()));
                return ExitCode.Done;
            });
            worst = (ExitCode)Math.Max((int)worst, (int)code);
            cancellation.ThrowIfCancellationRequested();
        }

        return (merges, worst);
    }

    private static PreparedMerge PlanOne(Session session, LoadedRecipe recipe, string root, MergeOptions options, uint? mergekitSeed)
    {
        var plan = recipe.Plan(root, mergekitSeed);
        session.Report(recipe.Name, plan.Warnings);
        options = options with { Lock = CheckLock(session, recipe.Name, plan, root) };
        options = options with { Statistics = options.Statistics || plan.BytesPerPass < SmallInputs };
        return new PreparedMerge(recipe, plan, options, MemoryBudget.For(plan, options));
    }

    /// <summary>Holds the inputs of a plan, its stages included, to the lock file of a folder; null where it has none.</summary>
    /// <exception cref="InvalidInputException">An input is not what was locked.</exception>
    internal static InputLock? CheckLock(Session session, string recipe, MergePlan plan, string root)
    {
        if (InputLock.Find(root) is not { } locked)
            return null;
        var problems = WithStages(plan).SelectMany(locked.Check).Distinct().ToArray();
        if (problems.Any(p => p.Severity == Severity.Error))
            throw new InvalidInputException(problems);
        session.Report(recipe, problems);
        return locked;
    }

    /// <summary>The plans of a plan's stages, of theirs and so on, and the plan itself.</summary>
    internal static IEnumerable<MergePlan> WithStages(MergePlan plan) => plan.Stages.SelectMany(s => WithStages(s.Plan)).Append(plan);
}
