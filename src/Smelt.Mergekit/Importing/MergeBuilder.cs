using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Methods;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>Builds the recipes of one document's method.</summary>
/// <param name="method">The method.</param>
/// <param name="problems">Gets what does not fit.</param>
/// <param name="places">Gets the places of the recipe's parts.</param>
/// <param name="settings">Reads parameters.</param>
/// <param name="models">The model that a reference names.</param>
internal sealed class MergeBuilder(MethodMap method, ProblemList problems, PlaceMap places, Settings settings, Func<ModelReference, string, Model> models)
{
    private readonly ParameterCheck _check = new(method, problems);

    /// <summary>Parameters that every tensor must have a filter for.</summary>
    public List<Coverage> Coverages { get; } = [];

    /// <summary>The recipe of one merge.</summary>
    /// <param name="unit">What is merged.</param>
    /// <param name="pointer">The recipe's place in the configuration.</param>
    public Recipe Build(MergeUnit unit, string pointer)
    {
        places.Add(pointer, unit.Place);
        _check.Check(unit);
        var recipe = method.Create();
        var inputs = ExpertsOf(unit);
        var baseInput = unit.Inputs.FirstOrDefault(unit.IsBase);
        if (unit.Base is { } baseModel && (!unit.IsSlice || (baseInput is not null && method.Base != BaseRole.Input)))
        {
            places.Add(pointer + "/base", baseModel.Place);
            recipe = recipe with { Base = models(baseModel, pointer + "/base") };
        }

        var layers = baseInput?.Layers ?? (inputs.Select(i => i.Layers).Distinct().Count() == 1 ? inputs[0].Layers : null);
        if (layers is not null)
        {
            places.Add(pointer + "/layers", (baseInput ?? inputs[0]).LayersPlace);
            recipe = recipe with { Layers = layers };
        }

        var perExpert = method.Parameters.Where(p => p.OfExpert is not null && (p.OfRecipe(recipe.GetType()) is null || inputs.Any(i => i.Parameters.Any(g => g.Name == p.Name)))).ToArray();
        places.Add(pointer + "/experts", inputs.Count > 0 ? inputs[0].Model.Place : unit.Place);
        recipe = recipe with { Experts = Sequence.From(inputs.Select((input, i) => BuildExpert(input, layers, unit, perExpert, $"{pointer}/experts/{i}"))) };
        return Fill(recipe, unit, inputs, perExpert, pointer);
    }

    /// <summary>The inputs that are merged: without the base where it is one, with it where it is an input like any other.</summary>
    private IReadOnlyList<UnitInput> ExpertsOf(MergeUnit unit)
    {
        if (method.Base != BaseRole.Input)
            return [.. unit.Inputs.Where(i => !unit.IsBase(i))];
        return unit.Base is { } added && !unit.IsSlice && !unit.Inputs.Any(unit.IsBase)
            ? [.. unit.Inputs, new UnitInput(added, Sequence<Parameter>.Empty)]
            : unit.Inputs;
    }

    private Expert BuildExpert(UnitInput input, LayerRange? layers, MergeUnit unit, ParameterMap[] parameters, string pointer)
    {
        places.Add(pointer, input.Model.Place);
        var expert = new Expert(models(input.Model, pointer + "/model"));
        if (input.Layers is not null && input.Layers != layers)
        {
            places.Add(pointer + "/layers", input.LayersPlace);
            expert = expert with { Layers = input.Layers };
        }

        var rules = new RuleList();
        foreach (var parameter in parameters)
        {
            if (Find(parameter, [input.Parameters, .. unit.Levels], input.Model, unit, input.Model.Place) is not { } setting)
                continue;
            rules.Add(parameter.OfRule!, setting.Conditions);
            places.Add($"{pointer}/{parameter.OfExpert!.Name}", setting.Place);
            if (setting.Rest is { } rest)
                expert = (Expert)parameter.OfExpert.With(expert, rest);
        }

        return expert with { Tensors = rules.Build(pointer + "/tensors", places) };
    }

    /// <summary>Sets what is one for the whole merge, and rules for the tensors in which it differs.</summary>
    private Recipe Fill(Recipe recipe, MergeUnit unit, IReadOnlyList<UnitInput> inputs, ParameterMap[] perExpert, string pointer)
    {
        var rules = new RuleList();
        foreach (var parameter in method.Parameters.Where(p => p.Kind != ParameterKind.Ignored && !perExpert.Contains(p)))
        {
            if ((parameter is { PerInput: true, OfExpert: null } ? OfAll(parameter, inputs, unit) : Find(parameter, unit.Levels, null, unit, unit.Place)) is not { } setting)
                continue;
            var slot = parameter.OfRecipe(recipe.GetType())!;
            places.Add($"{pointer}/{slot.Name}", setting.Place);
            if (parameter.OfRule is { } rule)
                rules.Add(rule, setting.Conditions);
            else if (setting.Conditions.Count > 0 || setting.Rest is { IsGradient: true })
                setting = OneValue(parameter, setting);

            // Where filters alone give the value, none is ever taken from here.
            var value = setting.Rest ?? (parameter.Required ? setting.Conditions[0].Value : null);
            if (parameter.Kind is ParameterKind.Flag or ParameterKind.RescaleFlag)
                recipe = SetFlag(recipe, slot, parameter, value, setting.Place);
            else if (value is not null)
                recipe = (Recipe)slot.With(recipe, value);
        }

        return recipe with { Tensors = rules.Build(pointer + "/tensors", places) };
    }

    /// <summary>The setting that all inputs have, of a parameter that the recipe has one value for.</summary>
    private Setting? OfAll(ParameterMap parameter, IReadOnlyList<UnitInput> inputs, MergeUnit unit)
    {
        var all = inputs.Select(i => Find(parameter, [i.Parameters, .. unit.Levels], i.Model, unit, i.Model.Place)).ToArray();
        if (all.FirstOrDefault(s => s is null != (all[0] is null) || (s is not null && !s.IsSame(all[0]!))) is { } other)
            problems.Add(MergekitRules.OneValue, other.Place, $"{parameter.Name} differs between models; it is one value for the whole merge here.", "Give all models the same value.");
        return all.FirstOrDefault();
    }

    private Setting? Find(ParameterMap parameter, IEnumerable<Sequence<Parameter>> levels, ModelReference? model, MergeUnit unit, Place place)
    {
        var setting = settings.Find(parameter, levels);
        if (setting is null && parameter.Required)
            problems.Add(MergekitRules.MissingParameter, place, $"{method.Name} needs a {parameter.Name}{(model is null ? "" : " for " + model)}, and none is given.", $"Set {parameter.Name} in the parameters of {(model is null ? "the configuration" : "the model, or in those of the configuration")}.");
        else if (setting is { Rest: null, Conditions.Count: > 0 } && parameter.Required)
            Coverages.Add(new Coverage(parameter.Name, model, [.. setting.Conditions.Select(c => c.Glob)], unit.Scope, setting.Place));
        return setting is { Rest: null, Conditions.Count: 0 } ? null : setting;
    }

    /// <summary>A setting that is one value for all tensors after all, or a problem.</summary>
    private Setting OneValue(ParameterMap parameter, Setting setting)
    {
        var values = setting.Conditions.Select(c => c.Value).Concat(setting.Rest is { } rest ? [rest] : []).SelectMany(v => v.Values).Distinct().ToArray();
        if (values.Length > 1 || setting.Rest is null)
            problems.Add(MergekitRules.OneValue, setting.Place, $"{parameter.Name} differs between tensors; it is one value for the whole merge here.", "Give a single value without filters.");
        return setting with { Conditions = [], Rest = values[0] };
    }

    private Recipe SetFlag(Recipe recipe, Slot slot, ParameterMap parameter, Scalar? value, Place place)
    {
        if (settings.Flag(value, place, parameter.Name) is not { } flag)
            return recipe;
        return (Recipe)slot.With(recipe, parameter.Kind == ParameterKind.Flag ? flag : flag ? Rescale.L1 : Rescale.None);
    }
}
