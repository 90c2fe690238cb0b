namespace Smelt.Recipes;

/// <summary>
/// A recipe made of other recipes, each of which merges some of the output's tensors. It has no experts of its own; number
/// format, shard size and what happens to values that are not finite are said once, here and not in the inner recipes.
/// </summary>
public abstract record CompositeRecipe : Recipe
{
    /// <summary>The inner recipes in their order.</summary>
    public abstract IReadOnlyList<Recipe> Inner { get; }

    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override int FewestExperts => 0;

    /// <inheritdoc/>
    public override int MostExperts => 0;

    /// <summary>An inner recipe with its defaults written out, but for what this one says for all.</summary>
    private protected static Recipe ResolveInner(Recipe inner) => inner.Resolve() with { MaxShardSize = null, NonFinite = null };
}
