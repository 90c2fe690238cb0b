namespace Smelt.Recipes;

/// <summary>Which experts of a pool are merged together; see the words of <see cref="Syntax"/>.</summary>
public abstract record ExpertSubsets
{
    private protected ExpertSubsets()
    {
    }

    /// <summary>The subsets of <paramref name="experts"/> experts: a label for folder names and the experts' numbers in rising order.</summary>
    public abstract IEnumerable<(string Label, int[] Experts)> Of(int experts);

    /// <summary>The first numbers of a random order of 0 to n - 1: Fisher and Yates' shuffle driven by SplitMix64.</summary>
    private protected static int[] Draw(int experts, int count, ulong seed)
    {
        var state = seed;
        var order = Enumerable.Range(0, experts).ToArray();
        for (var i = 0; i < count; i++)
        {
            var j = i + (int)(Next(ref state) % (ulong)(experts - i));
            (order[i], order[j]) = (order[j], order[i]);
        }

        return [.. order.Take(count)];
    }

    private static ulong Next(ref ulong state)
    {
        unchecked
        {
            var z = state += 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }
}

/// <summary>All experts together, the only subset.</summary>
public sealed record AllExperts : ExpertSubsets
{
    /// <inheritdoc/>
    public override IEnumerable<(string Label, int[] Experts)> Of(int experts) => [("all", [.. Enumerable.Range(0, experts)])];
}

/// <summary>
/// Random subsets of several sizes: for each draw a random order of the experts, and for each size the first so many of it,
/// so that every smaller subset is part of the larger ones.
/// </summary>
/// <param name="Sizes">The sizes.</param>
/// <param name="Draws">How many random orders.</param>
/// <param name="Seed">The seed.</param>
public sealed record NestedSubsets(Sequence<int> Sizes, int Draws, int Seed) : ExpertSubsets
{
    /// <inheritdoc/>
    public override IEnumerable<(string Label, int[] Experts)> Of(int experts) =>
        from size in Sizes
        from draw in Enumerable.Range(0, size == experts ? 1 : Draws)
        select ($"n{size}-{draw + 1}", Draw(experts, experts, ((ulong)Seed << 32) + (ulong)draw).Take(size).OrderBy(i => i).ToArray());
}

/// <summary>Random subsets of several sizes, each drawn by itself.</summary>
/// <param name="Sizes">The sizes.</param>
/// <param name="Draws">How many subsets of each size; of all experts there is one.</param>
/// <param name="Seed">The seed.</param>
public sealed record IndependentSubsets(Sequence<int> Sizes, int Draws, int Seed) : ExpertSubsets
{
    /// <inheritdoc/>
    public override IEnumerable<(string Label, int[] Experts)> Of(int experts) =>
        from size in Sizes
        from draw in Enumerable.Range(0, size == experts ? 1 : Draws)
        select ($"n{size}-{draw + 1}", Draw(experts, size, ((ulong)Seed << 32) + ((ulong)size << 16) + (ulong)draw).OrderBy(i => i).ToArray());
}

/// <summary>Subsets that are written out.</summary>
/// <param name="Sets">The numbers of the experts of each subset, counted from 0.</param>
public sealed record ExplicitSubsets(Sequence<Sequence<int>> Sets) : ExpertSubsets
{
    /// <inheritdoc/>
    public override IEnumerable<(string Label, int[] Experts)> Of(int experts) =>
        Sets.Select(set => ("e" + string.Join("-", set.OrderBy(i => i)), set.OrderBy(i => i).ToArray()));
}
