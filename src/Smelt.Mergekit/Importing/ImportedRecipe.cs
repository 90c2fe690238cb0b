using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>A recipe that was imported.</summary>
/// <param name="Name">Its name: that of the document, else of the file.</param>
/// <param name="Recipe">The recipe; its models' relative paths start at the root given for the import.</param>
/// <param name="File">The file that it comes from.</param>
/// <param name="Places">Where its parts stand in the file.</param>
/// <param name="Finder">Finds the models.</param>
/// <param name="IsStage">Whether another document of the file uses its output, so that it is merged on the way to that one.</param>
public sealed record ImportedRecipe(string Name, Recipe Recipe, string File, PlaceMap Places, ModelFinder Finder, bool IsStage)
{
    /// <summary>The format of mergekit's arithmetic; null for the smallest that holds those of all inputs.</summary>
    public DType? Arithmetic { get; init; }

    /// <summary>The stages whose outputs it uses, directly or not.</summary>
    public IReadOnlyList<ImportedRecipe> Stages { get; init; } = [];

    /// <summary>
    /// Where the document asks for the vocabulary that all models are expected to share; null where it does not.
    /// </summary>
    internal Place? Vocabulary { get; init; }

    /// <summary>Whether all models have to have one vocabulary.</summary>
    public bool SharesVocabulary => Vocabulary is not null;

    /// <summary>The problem of models that do not share their vocabulary.</summary>
    /// <param name="why">In what they differ.</param>
    public Problem VocabulariesDiffer(string why) => MergekitRules.NotSupported.At(
        Vocabulary!.Value.In(File),
        $"merging different vocabularies is not supported yet: {why}.",
        "Remove the setting where rows of the embeddings belong together all the same; the output has the tokenizer files of the base.");

    /// <summary>What is said where the recipe leaves its file: it has no form for the vocabulary.</summary>
    public Problem? VocabularyIsImplied => Vocabulary is not { } place ? null : MergekitRules.NoEffect.At(
        place.In(File),
        "a recipe has no setting for the vocabulary: its output has the tokenizer of the base, and that all models share it is checked only where the file itself is run.");

    /// <summary>Parameters that are given by filters alone and have no default.</summary>
    internal IReadOnlyList<Coverage> Coverages { get; init; } = [];

    /// <summary>The local models named by the recipe, its stages included, and where.</summary>
    internal IReadOnlyList<ModelReference> Models { get; init; } = [];

    /// <summary>The recipe with another answer to tensors that some inputs lack, in all its merges; stages stay as they are.</summary>
    public ImportedRecipe WithMissing(MissingTensors missing) => this with { Recipe = WithMissing(Recipe, missing) };

    private static Recipe WithMissing(Recipe recipe, MissingTensors missing) => recipe switch
    {
        Stack stack => stack with { Slices = Sequence.From(stack.Slices.Select(s => WithMissing(s, missing))) },
        Modules modules => modules with { Parts = Sequence.From(modules.Parts.Select(p => p with { Merge = WithMissing(p.Merge, missing) })) },
        _ => recipe with { Missing = missing },
    };

    /// <summary>A problem of the recipe, of its plan or its merge, with the place in the file and in the words of mergekit.</summary>
    public Problem Locate(Problem problem)
    {
        var located = Places.Locate(problem, File);
        if (ReferenceEquals(located, problem) && Models.FirstOrDefault(m => IsAbout(problem, m)) is { } model)
            located = problem with { Where = $"{model.Place.In(File)}, {problem.Where}" };
        return MergekitWords.Of(located);
    }

    /// <summary>The problems of models that are named by a path and are not there; the recipe could not be planned.</summary>
    public IReadOnlyList<Problem> CheckModels()
    {
        var problems = new ProblemList(File);
        foreach (var model in Models.Where(m => Finder.Model(m.Model) is FolderModel && Finder.Find(m.Model.Path) is null))
            problems.Add(MergekitRules.ModelNotFound, model.Place, $"there is no folder or file '{model.Model.Path}'; looked in {Finder.Searched}.", "Check the path; relative ones start at the current folder, then at the configuration's.");
        return problems.All;
    }

    /// <summary>The problems of parameters that have no value for some tensors.</summary>
    /// <param name="tensors">The names of the tensors that are merged.</param>
    public IReadOnlyList<Problem> CheckTensors(IReadOnlyCollection<string> tensors)
    {
        var problems = new ProblemList(File);
        foreach (var coverage in Coverages)
            coverage.Check(tensors, problems);
        return problems.All;
    }

    private bool IsAbout(Problem problem, ModelReference model) =>
        Finder.Find(model.Model.Path) is { } path
        && problem.Where.StartsWith(path, StringComparison.Ordinal)
        && (problem.Where.Length == path.Length || problem.Where[path.Length] is '/' or '\\' or ',');
}

/// <summary>What importing a file gave.</summary>
/// <param name="Recipes">The recipes of its documents, each after the stages that it uses; none where there are errors.</param>
/// <param name="Problems">Everything that is wrong, and every setting that does nothing.</param>
/// <param name="Root">Where relative paths of the recipes' models start.</param>
public sealed record Import(IReadOnlyList<ImportedRecipe> Recipes, IReadOnlyList<Problem> Problems, string Root)
{
    /// <summary>Whether the file can't be run.</summary>
    public bool HasErrors => Problems.Any(p => p.Severity == Severity.Error);
}
