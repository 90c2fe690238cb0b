using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Reading;
using Smelt.Recipes;
using Smelt.Recipes.Rules;

namespace Smelt.Mergekit.Importing;

/// <summary>
/// Turns configurations of mergekit into recipes that do the same. All problems come at once, each with file, line and
/// column, before anything is read but the configuration.
/// </summary>
public static class MergekitImporter
{
    /// <summary>The rules on the number of models, which <see cref="ParameterCheck"/> checks in the words of mergekit.</summary>
    private static readonly string[] CountRules = [RuleTable.NoExpert.Id, RuleTable.ExpertCount.Id, RuleTable.NoBase.Id, RuleTable.BaseAmongExperts.Id];

    /// <summary>Imports a file.</summary>
    /// <param name="utf8">The file's text.</param>
    /// <param name="file">Its path: for the places of problems, and for the name of a recipe without one.</param>
    /// <param name="folders">Where relative paths of models start, in the order in which they are tried.</param>
    /// <param name="root">Where relative paths of the recipes start; null for the first of <paramref name="folders"/> that has a model.</param>
    public static Import Import(byte[] utf8, string file, IReadOnlyList<string> folders, string? root = null)
    {
        var read = MergekitReader.Read(utf8, file);
        return Import(read.Documents, read.Problems, file, new ModelFinder(folders, root ?? RootOf(read.Documents, folders)));
    }

    /// <summary>Imports documents.</summary>
    /// <param name="documents">The documents.</param>
    /// <param name="problems">What was found when they were read.</param>
    /// <param name="file">The file's path.</param>
    /// <param name="finder">Finds models.</param>
    public static Import Import(IReadOnlyList<MergekitDocument> documents, IReadOnlyList<Problem> problems, string file, ModelFinder finder)
    {
        var list = new ProblemList(file);
        list.AddRead(problems);
        foreach (var mixture in documents.OfType<MixtureDocument>())
            list.Add(MergekitRules.NotSupported, mixture.Place, "building a mixture of experts of dense models is not supported yet.", "Use mergekit-moe.");
        var stages = new StageGraph([.. documents.OfType<MergeDocument>()], NameOf(file), list);
        var recipes = new List<ImportedRecipe>();
        foreach (var stage in stages.Ordered)
        {
            if (new DocumentImporter(stage, recipes, finder, file, list).Import() is { } recipe)
                recipes.Add(recipe);
        }

        foreach (var recipe in recipes.Where(r => !r.IsStage))
            Validate(recipe, list);
        return new Import(list.HasErrors ? [] : recipes, [.. list.All.Distinct()], finder.Root);
    }

    /// <summary>
    /// Checks a recipe by the rules that hold for all recipes. What follows from a problem that was already found in the words
    /// of mergekit is left out: at the same place, or of the number of models.
    /// </summary>
    private static void Validate(ImportedRecipe recipe, ProblemList list)
    {
        var known = list.All.Where(p => p.Severity == Severity.Error).Select(p => p.Where).ToHashSet();
        list.AddRange(RecipeValidator.Validate(recipe.Name, recipe.Recipe)
            .Where(p => p.Severity > Severity.Information)
            .Where(p => !CountRules.Contains(p.Id) || !(list.IsIncomplete || list.All.Any(o => o.Id == MergekitRules.InputCount.Id)))
            .Select(recipe.Locate)
            .Where(p => !known.Contains(p.Where)));
    }

    private static string RootOf(IEnumerable<MergekitDocument> documents, IReadOnlyList<string> folders)
    {
        var paths = documents.OfType<MergeDocument>().SelectMany(StageGraph.ModelsOf).Select(m => m.Model.Path).Where(p => !Path.IsPathRooted(p)).ToArray();
        return folders.FirstOrDefault(f => paths.Any(p => Path.Exists(Path.Combine(f, p)))) ?? folders[0];
    }

    /// <summary>A recipe name made of a file's: other characters than letters, digits, '.', '_' and '-' become '-'.</summary>
    public static string NameOf(string file)
    {
        var name = new string([.. Path.GetFileNameWithoutExtension(file).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-')]).Trim('.');
        return name.Length == 0 ? "merge" : name[..Math.Min(name.Length, 100)].TrimEnd('.');
    }
}
