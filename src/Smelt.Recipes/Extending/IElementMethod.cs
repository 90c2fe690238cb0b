namespace Smelt.Recipes;

/// <summary>
/// The arithmetic of a merge method of your own, element by element. A record that derives from <see cref="Recipe"/> (the result is
/// the merged weights) or <see cref="TaskVectorRecipe"/> (the result is the mix of task vectors: base + lambda * mix is
/// written), is marked with [Method] and implements this is a method: recipes name it as they name Smelt's own.
/// </summary>
/// <remarks>
/// It is called on the recipe of one tensor: every slot has its value there, sweeps, gradients and rules for tensors applied. Calls come from
/// several threads, in any order, so the result of one may depend on its arguments and the slots alone.
/// </remarks>
public interface IElementMethod
{
    /// <summary>The number of sums over each tensor that the arithmetic needs before it can merge one; 0, which saves a pass, unless overridden.</summary>
    /// <param name="experts">The number of experts.</param>
    int Sums(int experts) => 0;

    /// <summary>
    /// Adds the terms of some elements to the sums, for each element in turn. They are added in a fixed order: the same for every number
    /// of threads and layout of files.
    /// </summary>
    /// <param name="elements">The elements.</param>
    /// <param name="sums">The sums so far, <see cref="Sums"/> of them.</param>
    void Measure(in TensorElements elements, Span<double> sums)
    {
    }

    /// <summary>Merges some elements.</summary>
    /// <param name="elements">The elements.</param>
    /// <param name="result">Where the results go, one for each element.</param>
    void Merge(in TensorElements elements, Span<float> result);
}

/// <summary>Neighbouring elements of a tensor in all inputs, as fp32, at most 4,096 at a time; blocks of 65,536 begin at multiples of that.</summary>
public readonly ref struct TensorElements
{
    private readonly ReadOnlySpan<float> _experts;

    /// <summary>Elements of a tensor.</summary>
    /// <param name="tensor">The tensor's name in the output.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="start">The flat index of the first element.</param>
    /// <param name="baseValues">The base's elements; empty for methods without a base.</param>
    /// <param name="experts">The experts' elements, one expert after another.</param>
    /// <param name="weights">The weight of each expert.</param>
    /// <param name="sums">The sums over the whole tensor.</param>
    /// <param name="length">The number of elements.</param>
    public TensorElements(string tensor, IReadOnlyList<long> shape, long start, int length, ReadOnlySpan<float> baseValues, ReadOnlySpan<float> experts, ReadOnlySpan<double> weights, ReadOnlySpan<double> sums)
    {
        (Tensor, Shape, Start, Length) = (tensor, shape, start, length);
        Base = baseValues;
        _experts = experts;
        Weights = weights;
        Sums = sums;
    }

    /// <summary>The tensor's name in the output.</summary>
    public string Tensor { get; }

    /// <summary>The tensor's shape, outermost dimension first.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The number of elements of the whole tensor.</summary>
    public long TensorLength
    {
        get
        {
            var length = 1L;
            foreach (var dimension in Shape)
                length *= dimension;
            return length;
        }
    }

    /// <summary>The flat index, in row-major order, of the first element.</summary>
    public long Start { get; }

    /// <summary>The number of elements.</summary>
    public int Length { get; }

    /// <summary>The base's elements; empty for methods that do not use the base.</summary>
    public ReadOnlySpan<float> Base { get; }

    /// <summary>The weight of each expert for this tensor; 1 for methods without weights.</summary>
    public ReadOnlySpan<double> Weights { get; }

    /// <summary>What <see cref="IElementMethod.Measure"/> made of the whole tensor; empty while it measures.</summary>
    public ReadOnlySpan<double> Sums { get; }

    /// <summary>An expert's elements.</summary>
    /// <param name="index">The expert's position in the recipe.</param>
    public ReadOnlySpan<float> Expert(int index) => _experts.Slice(index * Length, Length);
}
