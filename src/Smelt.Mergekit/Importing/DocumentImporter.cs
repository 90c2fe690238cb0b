using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Methods;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>Imports one document.</summary>
/// <param name="stage">The document and its name.</param>
/// <param name="earlier">The recipes of the stages before it.</param>
/// <param name="finder">Finds models.</param>
/// <param name="file">The file.</param>
/// <param name="problems">Gets what does not fit.</param>
internal sealed class DocumentImporter(Stage stage, IReadOnlyList<ImportedRecipe> earlier, ModelFinder finder, string file, ProblemList problems)
{
    private readonly PlaceMap _places = new();
    private readonly List<ModelReference> _models = [];
    private readonly List<Coverage> _coverages = [];

    private MergeDocument Document => stage.Document;

    /// <summary>The recipe of the document, where it has problems, as much of it as can be made; null where its method is not known.</summary>
    public ImportedRecipe? Import()
    {
        var features = new FeatureCheck(Document, finder, problems);
        features.Check();
        if (MethodTable.Find(Document.Method.Value) is not { } method)
        {
            ReportMethod();
            return null;
        }

        return new ImportedRecipe(stage.Name, Build(method), file, _places, finder, stage.IsUsed) 
        {
            Arithmetic = Dtypes.Read(Document.Dtype, new ProblemList(file)),
            Stages = [.. StageGraph.ModelsOf(Document).Select(StageOf).OfType<ImportedRecipe>().SelectMany(s => s.Stages.Append(s)).Distinct()],
            Vocabulary = features.VocabularyPlace,
            Coverages = _coverages,
            Models = _models,
        };
    }

    private Recipe Build(MethodMap method)
    {
        var isFlat = StageGraph.ModelsOf(Document).Any(m => StageOf(m) is null && finder.IsFile(m.Model));
        if (isFlat && (Document.Body.Slices ?? (object?)Document.Modules) is not null)
            problems.Add(MergekitRules.Layers, Document.Place, "single files of weights have neither layers nor modules.", "List them under models.");
        var builder = new MergeBuilder(method, problems, _places, new Settings(problems, isFlat), ModelOf);
        Recipe recipe;
        if (Document.Modules is { } modules)
            recipe = new Modules { Parts = Sequence.From(Ordered(modules).Select((m, i) => new Part(ModuleNames.ToGlob(m.Name), BuildBody(builder, m.Body, [m.Parameters, Document.Parameters], ModuleNames.ToGlob(m.Name), $"/parts/{i}/merge", m.Place)))) };
        else
            recipe = BuildBody(builder, Document.Body, [Document.Parameters], Filters.AllTensors, "", Document.Place);
        _coverages.AddRange(builder.Coverages);
        var dtype = DtypeOf(method);
        if (Document.ChatTemplate is { } template)
            _places.Add("/chatTemplate", template.Place);
        return recipe with
        {
            Dtype = dtype,
            PromoteDtype = dtype is null ? true : null,
            Base = recipe is CompositeRecipe ? DonorOf(recipe) : recipe.Base,
            MoeLayout = StageGraph.ModelsOf(Document).Any(m => StageOf(m) is null && finder.IsMixture(m.Model)) ? MoeLayout.Fused : null,
            ChatTemplate = Document.ChatTemplate is { } asked ? (ChatTemplate)asked.Value : null,
        };
    }

    /// <summary>Where models are made of parts, the base model gives what no part merges, such as the tokenizer.</summary>
    private Model? DonorOf(Recipe recipe) => Document.BaseModel is { } donor ? ModelOf(donor, "/base") : recipe.Base;

    /// <summary>The modules, with the one that takes what the others leave at the end.</summary>
    private static IEnumerable<MergeModule> Ordered(Sequence<MergeModule> modules) =>
        modules.OrderBy(m => ModuleNames.ToGlob(m.Name) == Filters.AllTensors);

    private Recipe BuildBody(MergeBuilder builder, MergeBody body, Sequence<Parameter>[] levels, string match, string pointer, Place place)
    {
        if (body.Slices is not { } slices)
        {
            var inputs = (body.Models ?? []).Select(m => new UnitInput(m.Model, m.Parameters)).ToArray();
            return builder.Build(new MergeUnit(inputs, Document.BaseModel, levels, new UnitScope(match, false), place), pointer);
        }

        _places.Add(pointer + "/slices", place);
        return new Stack { Slices = Sequence.From(slices.Select((s, i) => BuildSlice(builder, s, [s.Parameters, .. levels], match, $"{pointer}/slices/{i}"))) };
    }

    private Recipe BuildSlice(MergeBuilder builder, MergeSlice slice, Sequence<Parameter>[] levels, string match, string pointer)
    {
        if (slice.ResidualWeight is { } residual)
            problems.Add(MergekitRules.NoEffect, residual.Place, "residual_weight does nothing: mergekit reads it and never uses it.", "Remove it.");
        foreach (var source in slice.Sources.Where(s => s.End <= s.Start))
            problems.Add(MergekitRules.Layers, source.RangePlace, $"layer_range [{source.Start}, {source.End}] has no layers; allowed: a first layer, counted from 0, and a later one that is not included.");
        var counts = slice.Sources.Select(s => s.End - s.Start).ToArray();
        if (counts.Distinct().Count() > 1)
            problems.Add(MergekitRules.Layers, slice.Sources.First(s => s.End - s.Start != counts[0]).RangePlace, $"the sources of this slice cover {string.Join(" and ", counts)} layers; they must cover as many each.");
        var inputs = slice.Sources.Select(s => new UnitInput(s.Model, s.Parameters, new LayerRange(s.Start, s.End), s.RangePlace)).ToArray();
        return builder.Build(new MergeUnit(inputs, slice.BaseModel ?? Document.BaseModel, levels, new UnitScope(match, true), slice.Place), pointer);
    }

    private Model ModelOf(ModelReference reference, string pointer)
    {
        _places.Add(pointer, reference.Place);
        if (StageOf(reference) is { } other)
        {
            _places.AddAll(pointer + "/stage", other.Places);
            _models.AddRange(other.Models);
            return Syntax.From(other.Recipe, other.Name);
        }

        if (!_models.Contains(reference))
            _models.Add(reference);
        return finder.Model(reference.Model);
    }

    private ImportedRecipe? StageOf(ModelReference reference) => earlier.FirstOrDefault(e => e.Name == reference.Model.Path && e.IsStage);

    private DType? DtypeOf(MethodMap method)
    {
        var (asked, output) = (Dtypes.Read(Document.Dtype, problems), Dtypes.Read(Document.OutDtype, problems));
        return output ?? (method.WritesSingle && asked != DType.F64 ? DType.F32 : asked);
    }

    private void ReportMethod()
    {
        var known = MethodTable.Methods.Select(m => m.Name).ToArray();
        problems.Add(MergekitRules.UnknownMethod, Document.Method.Place, $"there is no merge method '{Document.Method.Value}'; known: {string.Join(", ", known)}.", ProblemList.DidYouMean(Document.Method.Value, known));
    }
}
