using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Methods;
using Smelt.Recipes;

namespace Smelt.Mergekit.Exporting;

/// <summary>Turns the recipe of one merge into parts of a configuration.</summary>
/// <param name="problems">Gets what has no form in mergekit.</param>
/// <param name="models">The reference to a model.</param>
internal sealed class MergeExporter(ProblemList problems, Func<Model, string, ModelReference> models)
{
    /// <summary>Slots that are no parameters of a method: what they say stands elsewhere in a configuration.</summary>
    private static readonly string[] Frame =
    [
        nameof(Recipe.Base), nameof(Recipe.Experts), nameof(Recipe.Tensors), nameof(Recipe.Layers), nameof(Recipe.Missing), nameof(Recipe.Dtype),
        nameof(Recipe.PromoteDtype), nameof(Recipe.MaxShardSize), nameof(Recipe.ChatTemplate), nameof(Recipe.MoeLayout), nameof(Recipe.NonFinite),
    ];

    /// <summary>The form of a merge; null where its method has none.</summary>
    /// <param name="recipe">The recipe, resolved.</param>
    /// <param name="pointer">Its place in the configuration.</param>
    public MergeForm? Export(Recipe recipe, string pointer)
    {
        var candidates = MethodTable.Methods.Where(m => m.Create().GetType() == recipe.GetType()).ToArray();
        var method = candidates.FirstOrDefault(m => !Fixed(m, recipe).Any()) ?? candidates.FirstOrDefault();
        if (method is null)
        {
            problems.AddAt(MergekitRules.NoForm, pointer + "/method", $"mergekit has no method {Slots.MethodId(recipe)}.", "");
            return null;
        }

        foreach (var (slot, wanted) in Fixed(method, recipe))
            problems.AddAt(MergekitRules.NoForm, $"{pointer}/{slot.Name}", $"{slot.Name} is {Text(slot.Get(recipe))}; in mergekit's {method.Name} it is always {Text(wanted)}.", slot.Name == "maskFile" ? "" : $"Set {slot.Property} to that, or Profile = Profile.Mergekit where there is one.");
        if (recipe is IRandomDrop { Seed: { IsSweep: false, Value: not 0 } })
            problems.AddAt(MergekitRules.OtherMeaning, pointer + "/seed", "seed is an option of mergekit: --random-seed; its masks are others.", "");
        foreach (var _ in recipe.Tensors.OfType<KeepRule>())
            problems.AddAt(MergekitRules.NoForm, pointer + "/tensors", "mergekit can't take single tensors from the base as they are.", "Remove Keep; a weight of 0 for all experts gives nearly the same.");
        if (recipe.Base is not null && method.Base == BaseRole.Input && recipe.Experts.All(e => e.Model != recipe.Base))
            problems.AddAt(MergekitRules.OtherMeaning, pointer + "/base", $"the base gives configuration and tokenizer only; base_model of {method.Name} would be merged, so it is left out.", "");
        return new MergeForm(method, pointer, BaseOf(recipe, method, pointer), recipe.Layers, [.. recipe.Experts.Select((e, i) => ExportExpert(e, i, recipe, method, pointer))], Shared(recipe, method, pointer));
    }

    private ModelReference? BaseOf(Recipe recipe, MethodMap method, string pointer) =>
        recipe.Base is { } model && (method.Base != BaseRole.Input || recipe.Experts.Any(e => e.Model == model)) ? models(model, pointer + "/base") : null;

    /// <summary>The slots that differ from what mergekit fixes, with its values.</summary>
    private static IEnumerable<(Slot Slot, object? Wanted)> Fixed(MethodMap method, Recipe recipe)
    {
        var preset = method.Create().Resolve();
        return Slots.Of(recipe)
            .Where(s => !Frame.Contains(s.Property) && s.Name != "seed" && method.Parameters.All(p => p.Slot != s.Property) && !Equals(s.Get(recipe), s.Get(preset)))
            .Select(s => (s, s.Get(preset)));
    }

    private (ModelReference Model, LayerRange? Layers, Sequence<Parameter> Parameters) ExportExpert(Expert expert, int index, Recipe recipe, MethodMap method, string pointer)
    {
        var at = $"{pointer}/experts/{index}";
        var layers = expert.Layers ?? recipe.Layers;
        if (layers is { End: null })
            problems.AddAt(MergekitRules.NoForm, at + "/layers", $"the layers {layers} have no end; layer_range of mergekit has one.", "Write the end.");
        var parameters = new List<Parameter>();
        foreach (var parameter in method.Parameters.Where(p => p.PerInput && p.Kind != ParameterKind.Ignored && !IsShared(p, recipe)))
        {
            var own = parameter.OfExpert is null ? [] : Conditions(expert.Tensors, parameter, at + "/tensors");
            var given = parameter.OfExpert?.Get(expert);
            var rest = given ?? parameter.OfRecipe(recipe.GetType())?.Get(recipe);
            Add(parameters, parameter, [.. own, .. Conditions(recipe.Tensors, parameter, pointer + "/tensors")], rest, method, pointer, isGiven: given is not null);
        }

        return (models(expert.Model, at + "/model"), layers, Sequence.From(parameters));
    }

    private Sequence<Parameter> Shared(Recipe recipe, MethodMap method, string pointer)
    {
        var parameters = new List<Parameter>();
        foreach (var parameter in method.Parameters.Where(p => p.Kind != ParameterKind.Ignored && (!p.PerInput || IsShared(p, recipe))))
            Add(parameters, parameter, Conditions(recipe.Tensors, parameter, pointer + "/tensors"), parameter.OfRecipe(recipe.GetType())!.Get(recipe), method, pointer);
        return Sequence.From(parameters);
    }

    /// <summary>Whether a parameter that each input may have is the recipe's own here, and no expert says anything else.</summary>
    private static bool IsShared(ParameterMap parameter, Recipe recipe) =>
        parameter is { PerInput: true, OfExpert: { } slot } && parameter.OfRecipe(recipe.GetType()) is not null
        && recipe.Experts.All(e => slot.Get(e) is null && e.Tensors.OfType<TensorOverride>().All(r => parameter.OfRule?.Get(r) is null));

    private Condition[] Conditions(Sequence<TensorRule> rules, ParameterMap parameter, string pointer)
    {
        if (parameter.OfRule is not { } slot)
            return [];
        var conditions = new List<Condition>();
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i] is not TensorOverride rule || slot.Get(rule) is not Scalar value)
                continue;
            var (found, filter, exact) = Importing.Filters.FromGlob(rule.Match);
            if (!found)
                problems.AddAt(MergekitRules.NoForm, $"{pointer}/{i}/on", $"the pattern '{rule.Match}' is no filter of mergekit, which are parts of tensor names.", "Use a pattern such as **.mlp.**.");
            else if (!exact)
                problems.AddAt(MergekitRules.OtherMeaning, $"{pointer}/{i}/on", $"the pattern '{rule.Match}' becomes the filter '{filter}', which holds for every name with this part.", "");
            conditions.Add(Condition(filter, value));
        }

        return [.. conditions];
    }

    /// <summary>Adds a parameter, unless it has mergekit's default everywhere and no expert names it.</summary>
    private void Add(List<Parameter> parameters, ParameterMap parameter, Condition[] conditions, object? rest, MethodMap method, string pointer, bool isGiven = false)
    {
        var preset = method.Create().Resolve();
        var isDefault = !isGiven && !parameter.Required && Equals(rest, parameter.OfRecipe(preset.GetType())?.Get(preset));
        if (rest is Rescale.Inverse)
            problems.AddAt(MergekitRules.NoForm, pointer + "/rescale", $"rescale is inverse; allowed in mergekit's {method.Name}: none, l1.", "Set Rescale = Rescale.L1.");
        if (rest is not null && !isDefault)
            conditions = [.. conditions, rest is Scalar value ? Condition(null, value) : new Condition(null, [rest is true or Rescale.L1], false, default)];
        if (conditions.Length > 0)
            parameters.Add(new Parameter(parameter.Name, Sequence.From(conditions), default));
    }

    private static Condition Condition(string? filter, Scalar value) =>
        new(filter, Sequence.From(value.Values.Select(v => (Literal)v)), value.IsGradient, default);

    private static string Text(object? value) => value switch
    {
        null => "not given",
        Enum member => Slots.CamelCase(member.ToString()),
        bool flag => flag ? "true" : "false",
        _ => value.ToString()!,
    };
}
