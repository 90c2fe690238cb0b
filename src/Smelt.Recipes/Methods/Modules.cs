namespace Smelt.Recipes;

/// <summary>
/// Different merges for different tensors of one model (mergekit's modules), such as the encoder and the decoder of a multi-part model: each
/// tensor is merged by the first part whose glob matches its name.
/// </summary>
[Method("modules", "a merge of its own for each part of a model")]
public sealed record Modules : CompositeRecipe
{
    /// <summary>The parts in order, at least one; <c>Part("**", ...)</c> at the end takes what is left.</summary>
    [Slot("the parts in order: the first whose glob matches merges a tensor", Required = true)]
    public Sequence<Part> Parts { get; init; } = Sequence<Part>.Empty;

    /// <inheritdoc/>
    public override IReadOnlyList<Recipe> Inner => [.. Parts.Select(p => p.Merge)];

    /// <inheritdoc/>
    public override Recipe Resolve() => (Modules)base.Resolve() with
    {
        Parts = Sequence.From(Parts.Select(p => p with { Merge = ResolveInner(p.Merge) })),
    };
}

/// <summary>A part of a model and the merge that makes it; see <see cref="Syntax.Part"/>.</summary>
/// <param name="Match">The glob over tensor names, see <see cref="Glob"/>.</param>
/// <param name="Merge">The recipe for the tensors that it matches.</param>
public sealed record Part(string Match, Recipe Merge);
