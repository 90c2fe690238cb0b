using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>Reports what a document asks for that recipes have no form for.</summary>
/// <param name="document">The document.</param>
/// <param name="finder">Finds adapters.</param>
/// <param name="problems">Gets what does not fit.</param>
internal sealed class FeatureCheck(MergeDocument document, ModelFinder finder, ProblemList problems)
{
    /// <summary>A chat template that is written out has at least this many characters, in mergekit.</summary>
    public const int ShortestTemplate = 20;

    /// <summary>Where the document says whose vocabulary the output has; null where it does not.</summary>
    public Place? VocabularyPlace => document.Tokenizer?.Place ?? document.TokenizerSource?.Place;

    /// <summary>
    /// Whether the vocabulary that is asked for is the donor's (the base, or else the first model) wherever all models have the
    /// same one: that of the donor or of all together, no token set by hand, no row added. Whether they have is known once their
    /// files are found.
    /// </summary>
    private bool TakesOneVocabulary
    {
        get
        {
            if (document.Tokenizer is { Tokens.Count: > 0 } or { PadToMultipleOf: not null })
                return false;
            var source = document.Tokenizer is { } block ? block.Source : document.TokenizerSource;
            return source?.Model is not { } model || (model.Model == Donor?.Model && model.Adapter is null);
        }
    }

    private ModelReference? Donor => document.BaseModel ?? StageGraph.ModelsOf(document).FirstOrDefault();

    /// <summary>Adds the problems.</summary>
    public void Check()
    {
        foreach (var reference in StageGraph.ModelsOf(document).Distinct())
            CheckModel(reference);
        if (VocabularyPlace is { } tokenizer && !TakesOneVocabulary)
            problems.Add(MergekitRules.NotSupported, tokenizer, $"merging vocabularies is not supported yet; without it, the output has the vocabulary and the tokenizer files of {Donor}.", "Where all models have the same vocabulary, remove the setting.");
        if (document.ChatTemplate is { } template)
            CheckTemplate(template);
    }

    private void CheckModel(ModelReference reference)
    {
        if (reference.Adapter is { } adapter)
        {
            if (finder.Model(adapter) is FolderModel && finder.Find(adapter.Path) is null)
                problems.Add(MergekitRules.ModelNotFound, reference.Place, $"there is no adapter folder '{adapter.Path}'; looked in {finder.Searched}.");
            problems.Add(MergekitRules.NotSupported, reference.Place, $"models with adapters, as {reference}, are not supported yet.", "Merge the adapter into its model first.");
        }

        if (reference.Architecture is not null)
            problems.Add(MergekitRules.NoEffect, reference.Place, "override_architecture does nothing: tensors are merged by their names, whatever the architecture.", "Remove it.");
        if (reference.Model.Revision is not null && finder.Find(reference.Model.Path) is not null)
            problems.Add(MergekitRules.NoEffect, reference.Place, $"the revision of {reference} does nothing: the path is a folder here, in mergekit too.", "Remove the revision, or name the hub model only.");
    }

    private void CheckTemplate(Located<string> template)
    {
        if (!ChatTemplate.Names.Contains(template.Value) && !(template.Value.Length >= ShortestTemplate && template.Value.Contains('{', StringComparison.Ordinal)))
            problems.Add(MergekitRules.ChatTemplate, template.Place, $"there is no chat template '{template.Value}'; known: {string.Join(", ", ChatTemplate.Names)}, or a template of at least {ShortestTemplate} characters with '{{'.", ProblemList.DidYouMean(template.Value, ChatTemplate.Names));
    }
}
