namespace Smelt.Merging.Methods;

/// <summary>The inner products of the vectors that a method spans; what solvers need to know of them.</summary>
/// <param name="products">The lower half: pair (i, j) with j &lt;= i at i (i + 1) / 2 + j.</param>
/// <param name="count">The number of vectors.</param>
internal readonly ref struct GramMatrix(ReadOnlySpan<double> products, int count)
{
    private readonly ReadOnlySpan<double> _products = products;

    /// <summary>The number of vectors.</summary>
    public int Count { get; } = count;

    /// <summary>The inner product of two vectors.</summary>
    public double this[int i, int j] => i >= j ? _products[(i * (i + 1) / 2) + j] : this[j, i];

    /// <summary>The length of a vector.</summary>
    public double Norm(int i) => Math.Sqrt(this[i, i]);

    /// <summary>The inner product of vector <paramref name="i"/> with the combination Σ coefficients_j v_j.</summary>
    public double Dot(int i, ReadOnlySpan<double> coefficients)
    {
        var sum = 0.0;
        for (var j = 0; j < Count; j++)
            sum += this[i, j] * coefficients[j];
        return sum;
    }

    /// <summary>The length of the combination Σ coefficients_i v_i.</summary>
    public double Norm(ReadOnlySpan<double> coefficients)
    {
        var sum = 0.0;
        for (var i = 0; i < Count; i++)
            sum += coefficients[i] * Dot(i, coefficients);
        // Rounding may leave a square of nearly nothing below zero.
        return Math.Sqrt(Math.Max(sum, 0));
    }
}
