namespace Smelt.Recipes;

/// <summary>
/// A deeper or shallower model (mergekit's slices): its layers come slice by slice, each slice merged by a recipe of its own whose
/// <see cref="Recipe.Layers"/> say which layers of its inputs take part. Written
/// <c>Stack(From(Folder("a"), 0..16), From(Folder("b"), 8..24))</c>, or with a merge as a slice:
/// <c>Stack(From(a, 0..8), new Slerp { Base = a, Experts = [b], T = 0.5, Layers = 8..16 })</c>.
/// </summary>
/// <remarks>
/// Tensors outside the layers come from the first slice's recipe where they stand before the layers (embeddings), and from
/// the last slice's where they follow them (final norm, head). The configuration's number of layers, and lists with an entry
/// for each layer, follow.
/// </remarks>
[Method("stack", "layers of several merges, one slice after another")]
public sealed record Stack : CompositeRecipe
{
    /// <summary>The slices from the bottom to the top, at least one, each a recipe with <see cref="Recipe.Layers"/>.</summary>
    [Slot("the slices from the bottom to the top, each a recipe with layers", Required = true)]
    public Sequence<Recipe> Slices { get; init; } = Sequence<Recipe>.Empty;

    /// <inheritdoc/>
    public override IReadOnlyList<Recipe> Inner => Slices;

    /// <inheritdoc/>
    public override Recipe Resolve() => (Stack)base.Resolve() with { Slices = Sequence.From(Slices.Select(ResolveInner)) };
}
