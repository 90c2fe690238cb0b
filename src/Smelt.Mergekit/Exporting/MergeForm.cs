using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Methods;
using Smelt.Recipes;

namespace Smelt.Mergekit.Exporting;

/// <summary>One merge in the parts of a configuration.</summary>
/// <param name="Method">The method.</param>
/// <param name="Pointer">The place of its recipe.</param>
/// <param name="Base">The base model; null for none.</param>
/// <param name="BaseLayers">The base's layers; null for all.</param>
/// <param name="Experts">The models, their layers and parameters.</param>
/// <param name="Parameters">The parameters of the whole merge.</param>
internal sealed record MergeForm(
    MethodMap Method,
    string Pointer,
    ModelReference? Base,
    LayerRange? BaseLayers,
    IReadOnlyList<(ModelReference Model, LayerRange? Layers, Sequence<Parameter> Parameters)> Experts,
    Sequence<Parameter> Parameters)
{
    /// <summary>The merge as whole models; the base need not be among them.</summary>
    public Sequence<MergeInput> Inputs => Sequence.From(Experts.Select(e => new MergeInput(e.Model, e.Parameters)));

    /// <summary>The merge as sources of a slice; the base is the first of them.</summary>
    public Sequence<SliceSource> Sources => Sequence.From(
        (Base is { } model && BaseLayers is { } layers && Method.Base != BaseRole.Input ? [Source(model, layers, Sequence<Parameter>.Empty)] : Enumerable.Empty<SliceSource>())
            .Concat(Experts.Select(e => Source(e.Model, e.Layers, e.Parameters))));

    private static SliceSource Source(ModelReference model, LayerRange? layers, Sequence<Parameter> parameters) =>
        new(model, layers?.First ?? 0, layers?.End ?? 0, parameters);
}
