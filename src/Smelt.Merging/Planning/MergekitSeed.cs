using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// A seed as mergekit takes it: random masks are then those that mergekit 0.1.5 draws on a CPU with <c>--random-seed</c>, in place
/// of those of the recipe's own seed. It is no part of the recipe; the manifest holds it.
/// </summary>
/// <param name="Value">The seed.</param>
public sealed record MergekitSeed(uint Value)
{
    /// <summary>
    /// The format of mergekit's arithmetic, its <c>dtype</c>, by the name of the recipe or stage, null for the smallest that holds
    /// those of all inputs; what is not listed computes in the format of its output. Mergekit rounds densities to it.
    /// </summary>
    public IReadOnlyDictionary<string, DType?> Arithmetic { get; init; } = new Dictionary<string, DType?>();
}
