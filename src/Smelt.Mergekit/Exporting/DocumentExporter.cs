using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Importing;
using Smelt.Mergekit.Methods;
using Smelt.Recipes;

namespace Smelt.Mergekit.Exporting;

/// <summary>Makes a document of each recipe and of each of its stages.</summary>
/// <param name="problems">Gets what has no form in mergekit.</param>
/// <param name="pathOf">The path of a local model in the configuration.</param>
internal sealed class DocumentExporter(ProblemList problems, Func<string, string> pathOf)
{
    private readonly List<(Recipe Recipe, string Name)> _stages = [];

    /// <summary>The documents made, stages before what uses them.</summary>
    public List<MergekitDocument> Documents { get; } = [];

    /// <summary>Adds the document of a recipe, after those of its stages.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="name">The stage's name; null for the recipe that is exported.</param>
    /// <param name="pointer">The recipe's place in the configuration.</param>
    public void Add(Recipe recipe, string? name, string pointer)
    {
        var resolved = recipe.Resolve();
        foreach (var sweep in SweepExpansion.Axes(resolved).SelectMany(a => a.Slots))
            NoForm(pointer + sweep.Where, "a sweep has no form in mergekit.", "Export each of its points.");
        CheckOptions(resolved, pointer);
        var merges = new MergeExporter(problems, ModelOf);
        MergeForm[] forms = [.. Leaves(resolved, pointer).Select(l => merges.Export(l.Recipe, l.Pointer)).OfType<MergeForm>()];
        if (forms.Length == 0)
            return;
        foreach (var other in forms.Where(f => f.Method != forms[0].Method))
            NoForm(other.Pointer, $"a configuration of mergekit has one method, and this part is merged by {other.Method.Name}, an earlier one by {forms[0].Method.Name}.", "Merge the parts in stages.");
        Documents.Add(Document(resolved, name, pointer, forms));
    }

    private MergeDocument Document(Recipe recipe, string? name, string pointer, MergeForm[] forms)
    {
        var next = 0;
        var baseModel = recipe is CompositeRecipe ? recipe.Base is { } donor ? ModelOf(donor, pointer + "/base") : null : forms[0].Base;
        var (dtype, outDtype) = DtypesOf(recipe, forms[0].Method, pointer);
        var document = new MergeDocument(new Located<string>(forms[0].Method.Name))
        {
            Name = name is null ? null : new Located<string>(name),
            BaseModel = baseModel,
            Dtype = dtype,
            OutDtype = outDtype,
            ChatTemplate = recipe.ChatTemplate is { } template ? new Located<string>(template.Text) : null,
        };
        if (recipe is Modules modules)
            return document with { Modules = Sequence.From(modules.Parts.Select((p, i) => Module(p, i, forms, ref next, baseModel, pointer)).ToArray()) };
        if (recipe is Stack stack)
            return document with { Body = Slices(stack.Slices.Count, forms, ref next, baseModel) };
        return recipe.Layers is not null || recipe.Experts.Any(e => e.Layers is not null)
            ? document with { Body = Slices(1, forms, ref next, baseModel) }
            : document with { Body = new MergeBody(forms[0].Inputs, null), Parameters = forms[0].Parameters };
    }

    private MergeModule Module(Part part, int index, MergeForm[] forms, ref int next, ModelReference? baseModel, string pointer)
    {
        var at = $"{pointer}/parts/{index}";
        if (ModuleNames.FromGlob(part.Match) is not { } name)
        {
            NoForm($"{at}/match", $"the pattern '{part.Match}' is no module of mergekit.", "Modules are patterns such as **.encoder.**; ** stands for the text decoder.");
            name = part.Match;
        }

        if (part.Merge is Stack stack)
            return new MergeModule(name, Slices(stack.Slices.Count, forms, ref next, baseModel), Sequence<Parameter>.Empty);
        var form = forms[Math.Min(next++, forms.Length - 1)];
        if (form.Base != baseModel && form.Base is not null)
            NoForm($"{at}/merge/base", "modules of mergekit have no base model of their own.", "Set the same base everywhere.");
        return new MergeModule(name, new MergeBody(form.Inputs, null), form.Parameters);
    }

    private static MergeBody Slices(int count, MergeForm[] forms, ref int next, ModelReference? baseModel)
    {
        var own = forms.Skip(next).Take(count);
        next += count;
        return new MergeBody(null, Sequence.From(own.Select(f => new MergeSlice(f.Sources)
        {
            BaseModel = f.Base == baseModel ? null : f.Base,
            Parameters = f.Parameters,
        })));
    }

    private static IEnumerable<(Recipe Recipe, string Pointer)> Leaves(Recipe recipe, string pointer) => recipe switch
    {
        Stack stack => stack.Slices.SelectMany((s, i) => Leaves(s, $"{pointer}/slices/{i}")),
        Modules modules => modules.Parts.SelectMany((p, i) => Leaves(p.Merge, $"{pointer}/parts/{i}/merge")),
        _ => [(recipe, pointer)],
    };

    private ModelReference ModelOf(Model model, string pointer)
    {
        switch (model)
        {
            case FolderModel folder:
                return new ModelReference(new ModelPath(pathOf(folder.Path)));
            case HubModel hub:
                return new ModelReference(new ModelPath(hub.Id, hub.Revision == "main" ? null : hub.Revision));
            default:
                return new ModelReference(new ModelPath(StageOf((StageModel)model, pointer)));
        }
    }

    /// <summary>The name of a stage, whose document is added where it is not there yet.</summary>
    private string StageOf(StageModel model, string pointer)
    {
        var known = _stages.FindIndex(s => s.Recipe == model.Recipe);
        if (known >= 0)
            return _stages[known].Name;
        var name = model.Name ?? $"stage-{_stages.Count + 1}";
        while (_stages.Any(s => s.Name == name))
            name += "-2";
        _stages.Add((model.Recipe, name));
        Add(model.Recipe, name, pointer + "/stage");
        return name;
    }

    private static (Located<string>? Dtype, Located<string>? OutDtype) Named(DType arithmetic, DType? output) =>
        (new Located<string>(Dtypes.Name(arithmetic)), output is { } other ? new Located<string>(Dtypes.Name(other)) : null);

    /// <summary>The formats: arithmetic is fp32 as in Smelt, whatever the output's.</summary>
    private (Located<string>? Dtype, Located<string>? OutDtype) DtypesOf(Recipe recipe, MethodMap method, string pointer)
    {
        if (recipe.Dtype is { } dtype)
            return dtype is DType.F32 or DType.F64 ? Named(dtype, null) : Named(DType.F32, dtype);
        if (recipe.PromoteDtype != true || method.WritesSingle)
            Other(pointer + "/dtype", $"dtype is not given; mergekit then {(method.WritesSingle ? "writes float32" : "takes the smallest format that holds those of all inputs, not the base's")}.", "Set Dtype.");
        return (null, null);
    }

    private void CheckOptions(Recipe recipe, string pointer)
    {
        if (recipe.Missing is MissingTensors.Union or MissingTensors.Intersection)
            Other(pointer + "/missing", $"missing is an option of mergekit-pytorch: --tensor-{recipe.Missing.ToString()!.ToLowerInvariant()}.");
        if (recipe.MaxShardSize is { } size && size.Bytes != Recipe.DefaultMaxShardSize)
            Other(pointer + "/maxShardSize", "maxShardSize is an option of mergekit: --out-shard-size.");
        if (recipe.ChatTemplate is { IsJinja: true, Text.Length: < Importing.FeatureCheck.ShortestTemplate })
            NoForm(pointer + "/chatTemplate", $"mergekit takes no chat template of fewer than {Importing.FeatureCheck.ShortestTemplate} characters.", "");
        if (recipe.MoeLayout == MoeLayout.PerExpert)
            Other(pointer + "/moeLayout", "moeLayout has no form in mergekit, which always writes the experts of a mixture fused.");
        if (recipe.NonFinite == NonFinite.Propagate)
            Other(pointer + "/nonFinite", "nonFinite has no form in mergekit, which never looks for values that are not finite.");
    }

    private void NoForm(string pointer, string message, string fix) => problems.AddAt(MergekitRules.NoForm, pointer, message, fix);

    private void Other(string pointer, string message, string fix = "") => problems.AddAt(MergekitRules.OtherMeaning, pointer, message, fix);
}
