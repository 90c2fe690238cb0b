using Smelt.Mergekit.Importing;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Tool.Sources;

/// <summary>A recipe that can be planned.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Recipe">The recipe.</param>
/// <param name="Configuration">Its canonical JSON.</param>
/// <param name="Hash">The SHA-256 of <paramref name="Configuration"/>.</param>
internal sealed record LoadedRecipe(string Name, Recipe Recipe, string Configuration, string Hash)
{
    /// <summary>What it was imported from; null for a recipe of C# or JSON.</summary>
    public ImportedRecipe? Imported { get; init; }

    /// <summary>Plans the recipe.</summary>
    /// <param name="root">The folder that relative paths start from.</param>
    /// <param name="mergekitSeed">The seed of mergekit's random masks; null for the recipe's own.</param>
    /// <exception cref="InvalidInputException">The inputs can't be merged; all problems.</exception>
    public MergePlan Plan(string root, uint? mergekitSeed = null) => Located(() =>
    {
        if (Imported?.CheckModels() is { Count: > 0 } missing)
            throw new InvalidInputException(missing);
        var plan = Planner.Plan(Name, Recipe, Configuration, root);
        if (Imported?.CheckTensors([.. plan.Merged.Select(t => t.Name)]) is { Count: > 0 } without)
            throw new InvalidInputException(without);
        if (Imported is not null && Vocabularies(plan, Imported).ToArray() is { Length: > 0 } different)
            throw new InvalidInputException(different);
        if (mergekitSeed is { } seed)
            plan = plan.WithMergekitSeed(new MergekitSeed(seed) { Arithmetic = Arithmetic() });
        return Imported is { } imported ? plan with { Warnings = [.. plan.Warnings.Select(imported.Locate)] } : plan;
    });

    /// <summary>The problems of models whose vocabularies differ where the file expects them to be the same, those of stages included.</summary>
    private static IEnumerable<Problem> Vocabularies(MergePlan plan, ImportedRecipe imported)
    {
        foreach (var stage in imported.Stages.Append(imported).Where(r => r.SharesVocabulary))
        {
            if ((ReferenceEquals(stage, imported) ? plan : Find(plan, stage.Name)) is { } own && VocabularyCheck.Difference(own) is { } why)
                yield return stage.VocabulariesDiffer(why);
        }

        static MergePlan? Find(MergePlan plan, string name) =>
            plan.Stages.Select(s => s.Plan.Name == name ? s.Plan : Find(s.Plan, name)).FirstOrDefault(p => p is not null);
    }

    private Dictionary<string, DType?> Arithmetic() =>
        Imported is null ? [] : Imported.Stages.Append(Imported).ToDictionary(r => r.Name, r => r.Arithmetic);

    /// <summary>Does some work on the recipe; problems of an imported one get the places of its file.</summary>
    public T Located<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (InvalidInputException invalid) when (Imported is not null)
        {
            throw new InvalidInputException([.. invalid.Problems.Select(Imported.Locate)]);
        }
    }
}
