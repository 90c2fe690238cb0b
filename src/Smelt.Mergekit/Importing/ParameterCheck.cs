using System.Globalization;
using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Methods;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>Checks that a method gets the models and the parameters that it has.</summary>
/// <param name="method">The method.</param>
/// <param name="problems">Gets what does not fit.</param>
internal sealed class ParameterCheck(MethodMap method, ProblemList problems)
{
    private readonly HashSet<Parameter> _checked = new(ReferenceEqualityComparer.Instance);

    /// <summary>Checks one merge. Parameters that several merges share are checked once.</summary>
    public void Check(MergeUnit unit)
    {
        CheckModels(unit);
        foreach (var parameter in unit.Levels.SelectMany(l => l))
            CheckParameter(parameter, ofInput: false);
        foreach (var input in unit.Inputs)
        {
            foreach (var parameter in input.Parameters)
            {
                if (method.Base != BaseRole.Input && unit.IsBase(input) && method.Find(parameter.Name) is { PerInput: true })
                    NoEffect(parameter, "the model is the base, whose task vector is zero");
                else
                    CheckParameter(parameter, ofInput: true);
            }
        }
    }

    /// <summary>Checks the number of models, where all could be read.</summary>
    private void CheckModels(MergeUnit unit)
    {
        if (problems.IsIncomplete)
            return;
        var recipe = method.Create();
        var others = unit.Inputs.Count(i => method.Base == BaseRole.Input || !unit.IsBase(i));
        var isListed = unit.Inputs.Any(unit.IsBase);
        var where = unit.IsSlice ? "the sources of this slice" : "the models";
        if (unit.Inputs.Count(unit.IsBase) > 1)
            problems.Add(MergekitRules.InputCount, unit.Inputs.Last(unit.IsBase).Model.Place, $"{unit.Base} stands twice among {where}.", "Remove one.");
        if (method.Base == BaseRole.Required && unit.Base is null)
            problems.Add(MergekitRules.InputCount, unit.Place, $"{method.Name} needs base_model{(recipe.MostExperts == 1 ? " to be one of its two models" : "")}, and it is not given.", "Set base_model.");
        else if (method.Base == BaseRole.Required && unit.IsSlice && !isListed)
            problems.Add(MergekitRules.InputCount, unit.Place, $"base_model {unit.Base} is not among {where}, so its layers are not known.", "List it as a source, with a layer_range.");
        if (method.Base == BaseRole.Input && unit.Base is not null && !isListed && !unit.IsSlice)
            others++;
        if (others == 0)
            problems.Add(MergekitRules.InputCount, unit.Place, $"{where} are none{(unit.Inputs.Count > 0 ? " besides base_model" : "")}; {method.Name} takes {Allowed(recipe)}.");
        else if ((others < recipe.FewestExperts || others > recipe.MostExperts) && (method.Base != BaseRole.Required || unit.Base is not null))
            problems.Add(MergekitRules.InputCount, unit.Place, $"{method.Name} takes {Allowed(recipe)}; there {(others == 1 ? "is" : "are")} {others}.");
    }

    private string Allowed(Recipe recipe)
    {
        var count = recipe.FewestExperts == recipe.MostExperts || recipe.MostExperts == 1
            ? recipe.MostExperts == 1 ? "one model" : recipe.MostExperts.ToString(CultureInfo.InvariantCulture) + " models"
            : recipe.FewestExperts == 1 ? "one model or more" : $"{recipe.FewestExperts} models or more";
        return count + (method.Base switch
        {
            BaseRole.Required => " besides base_model",
            BaseRole.Optional => ", base_model not counted",
            _ => ", base_model counted",
        });
    }

    private void CheckParameter(Parameter parameter, bool ofInput)
    {
        if (!_checked.Add(parameter))
            return;
        var map = method.Find(parameter.Name);
        if (map is null && MethodTable.ParameterNames.Contains(parameter.Name))
            NoEffect(parameter, $"{method.Name} has no parameter '{parameter.Name}'");
        else if (map is null)
        {
            string[] known = [.. method.Parameters.Select(p => p.Name)];
            var suggestion = ProblemList.DidYouMean(parameter.Name, known);
            problems.Add(
                MergekitRules.UnknownParameter,
                parameter.Place,
                $"{method.Name} has no parameter '{parameter.Name}'; {(known.Length == 0 ? "it has none" : "it has: " + string.Join(", ", known))}.",
                suggestion.Length > 0 ? suggestion : ProblemList.DidYouMean(parameter.Name, MethodTable.ParameterNames));
        }
        else if (map.Kind == ParameterKind.Ignored)
            NoEffect(parameter, map.Reason);
        else if (ofInput && !map.PerInput)
            NoEffect(parameter, "it is one value for the whole merge and is not read here", "Move it to the parameters of the slice or of the configuration.");
    }

    private void NoEffect(Parameter parameter, string why, string fix = "Remove it.") =>
        problems.Add(MergekitRules.NoEffect, parameter.Place, $"{parameter.Name} does nothing: {why}.", fix);
}
