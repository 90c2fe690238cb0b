using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>An input of one merge.</summary>
/// <param name="Model">The model.</param>
/// <param name="Parameters">The parameters that hold for it alone.</param>
/// <param name="Layers">Its layers that take part; null for all.</param>
/// <param name="LayersPlace">Where the layers stand.</param>
internal sealed record UnitInput(ModelReference Model, Sequence<Parameter> Parameters, LayerRange? Layers = null, Place LayersPlace = default);

/// <summary>What is merged by one recipe: whole models, a slice, or a module.</summary>
/// <param name="Inputs">The inputs in the order listed.</param>
/// <param name="Base">The base model that holds here; null for none.</param>
/// <param name="Levels">The parameters around it, the innermost first.</param>
/// <param name="IsSlice">Whether it is a slice, whose base is one of its sources.</param>
/// <param name="Place">Where it stands.</param>
internal sealed record MergeUnit(IReadOnlyList<UnitInput> Inputs, ModelReference? Base, IReadOnlyList<Sequence<Parameter>> Levels, bool IsSlice, Place Place)
{
    /// <summary>Whether an input is the base.</summary>
    public bool IsBase(UnitInput input) => Base is not null && input.Model == Base;
}
