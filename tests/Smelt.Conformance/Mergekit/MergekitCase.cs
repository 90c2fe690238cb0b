using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Importing;
using Smelt.Mergekit.Reading;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Conformance.Mergekit;

/// <summary>Imports the configuration of a case as a user's is, and tells what it asks for.</summary>
internal static class MergekitCase
{
    /// <summary>The recipe of a case, and where its relative paths start.</summary>
    /// <exception cref="InvalidInputException">The configuration is refused.</exception>
    /// <param name="golden">The case.</param>
    /// <param name="seeded">Whether random masks come of the seed instead of the case's file.</param>
    public static (Recipe Recipe, string Root, MergekitSeed? Seed) Import(GoldenCase golden, bool seeded)
    {
        var file = Path.Combine(golden.Folder, "case.yml");
        var import = MergekitImporter.Import(File.ReadAllBytes(file), file, golden.Roots);
        if (import.HasErrors)
            throw new InvalidInputException(import.Problems);
        var imported = import.Recipes[^1];
        var arguments = Arguments(golden);
        if (arguments.Contains("--tensor-union"))
            imported = imported.WithMissing(MissingTensors.Union);
        if (arguments.Contains("--tensor-intersection"))
            imported = imported.WithMissing(MissingTensors.Intersection);
        var recipe = imported.Recipe;
        if (seeded)
            return (recipe, import.Root, new MergekitSeed(golden.Json["random_seed"]!.GetValue<uint>()) { Arithmetic = import.Recipes.ToDictionary(r => r.Name, r => r.Arithmetic) });
        if (golden.Json["masks"]?.GetValue<string>() is { } masks && Slots.Of(recipe.GetType()).FirstOrDefault(s => s.Name == "maskFile") is { } slot)
            recipe = (Recipe)slot.With(recipe, golden.OwnFile(masks));
        return (recipe, import.Root, null);
    }

    /// <summary>What a case asks for, in words that the lists of skips and deviations know.</summary>
    public static IEnumerable<string> Features(GoldenCase golden)
    {
        if (golden.OwnFile("case.yml") is not { } file)
            return [];
        var documents = MergekitReader.Read(File.ReadAllBytes(file), file).Documents.OfType<MergeDocument>().ToArray();
        var features = Arguments(golden).Where(a => a is "--unsafe-truncate-embeddings").ToList();
        if (documents.Any(d => d.Tokenizer is not null || d.TokenizerSource is not null))
            features.Add("tokenizer");
        if (documents.SelectMany(Inputs).Any(m => m.Adapter is not null))
            features.Add("adapter");
        if (features.Count == 0 && documents.Length == 1 && documents[0].Body.Models is not null)
            features.AddRange(InputFeatures(golden, documents[0]));
        return features;
    }

    /// <summary>What shows in the inputs only: formats that mergekit promotes.</summary>
    private static IEnumerable<string> InputFeatures(GoldenCase golden, MergeDocument document)
    {
        var inputs = Inputs(document).Select(m => SafetensorsFile.ReadAll(golden.Resolve(m.Model.Path))).ToArray();
        if (document.Dtype is null && document.OutDtype is null && inputs.SelectMany(i => i.Values).Where(t => t.IsFloat).Select(t => t.Dtype).Distinct().Count() > 1)
            yield return "promoted-dtype";
    }

    private static IEnumerable<ModelReference> Inputs(MergeDocument document) =>
        (document.Body.Models ?? []).Select(m => m.Model).Concat(document.BaseModel is { } model ? [model] : []).Distinct();

    private static string[] Arguments(GoldenCase golden) => golden.Text("command").Split(' ');
}
