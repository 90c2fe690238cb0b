using Smelt.Recipes;

namespace Smelt.Mergekit.Methods;

/// <summary>What becomes of <c>base_model</c>.</summary>
internal enum BaseRole
{
    /// <summary>The method can't do without one.</summary>
    Required,

    /// <summary>The method takes one or does without.</summary>
    Optional,

    /// <summary>It is an input like any other.</summary>
    Input,
}

/// <summary>A merge method of mergekit and its recipe.</summary>
/// <param name="Name">Its name in mergekit.</param>
/// <param name="Create">A recipe of the method with everything that mergekit fixes.</param>
/// <param name="Parameters">Its parameters.</param>
internal sealed record MethodMap(string Name, Func<Recipe> Create, params ParameterMap[] Parameters)
{
    /// <summary>Whether mergekit writes fp32 whatever the format of the data, unless <c>out_dtype</c> is given.</summary>
    public bool WritesSingle { get; init; }

    /// <summary>What becomes of the base model.</summary>
    public BaseRole Base
    {
        get
        {
            var recipe = Create();
            return recipe.NeedsBase ? BaseRole.Required
                : (recipe with { Base = Syntax.Folder("base") }).UsesBase ? BaseRole.Optional
                : BaseRole.Input;
        }
    }

    /// <summary>The parameter of a name; null where there is none.</summary>
    public ParameterMap? Find(string name) => Parameters.FirstOrDefault(p => p.Name == name);
}
