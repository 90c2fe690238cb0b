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
/// <param name="Scope">Which tensors it makes.</param>
/// <param name="Place">Where it stands.</param>
internal sealed record MergeUnit(IReadOnlyList<UnitInput> Inputs, ModelReference? Base, IReadOnlyList<Sequence<Parameter>> Levels, UnitScope Scope, Place Place)
{
    /// <summary>Whether it is a slice, whose base is one of its sources.</summary>
    public bool IsSlice => Scope.LayersOnly;

    /// <summary>Whether an input is the base.</summary>
    public bool IsBase(UnitInput input) => Base is not null && input.Model == Base;
}

/// <summary>The tensors that one merge makes.</summary>
/// <param name="Match">The pattern of their names.</param>
/// <param name="LayersOnly">Whether they are layers above all, as those of a slice.</param>
internal sealed record UnitScope(string Match, bool LayersOnly);
