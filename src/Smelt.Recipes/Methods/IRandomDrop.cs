namespace Smelt.Recipes;

/// <summary>A recipe that drops elements of task vectors at random.</summary>
public interface IRandomDrop
{
    /// <summary>The seed of the random masks, a whole number from 0 to 2^53 - 1; 0 unless given.</summary>
    Scalar? Seed { get; }

    /// <summary>
    /// A safetensors file with masks to use instead of random ones, for conformance tests: U8 tensors named
    /// <c>EXPERT/TENSOR</c> (EXPERT: index from 0), 1 = kept. A delta without an entry is kept whole.
    /// None unless given.
    /// </summary>
    string? MaskFile { get; }
}

/// <summary>A recipe of DARE: drop at random and rescale (Yu et al. 2024).</summary>
public interface IDare : IRandomDrop
{
    /// <summary>
    /// Whether each expert is rewritten as base + thinned delta, rounded to fp32, before its delta is taken again (MergeLM
    /// does); false unless given.
    /// </summary>
    bool? WriteBack { get; }

    /// <summary>Which elements are dropped; <see cref="Recipes.Drop.Random"/> unless given.</summary>
    Drop? Drop { get; }

    /// <summary>
    /// Whether elements of the experts' whole weights are dropped and rescaled, instead of those of their task vectors, which
    /// are taken of what is left (MergeLM's 'finetuned_weight'); false unless given.
    /// </summary>
    bool? OnWeights { get; }
}
