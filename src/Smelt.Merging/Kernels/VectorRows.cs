namespace Smelt.Merging.Kernels;

/// <summary>Chunks of several inputs side by side in fp32, <see cref="Simd.Stride"/> floats apart.</summary>
internal static unsafe class VectorRows
{
    /// <summary>
    /// Row i = the elements <paramref name="from"/> to <paramref name="from"/> + <paramref name="length"/> of input i, minus
    /// the base's where there is one; the base itself comes last. A NaN may keep the payload of an operand.
    /// </summary>
    /// <param name="base">What is subtracted; null subtracts nothing.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="count">Number of inputs.</param>
    /// <param name="from">The first element.</param>
    /// <param name="length">Number of elements, at most <see cref="Simd.Chunk"/>.</param>
    /// <param name="rows">Room for <paramref name="count"/> + 1 rows.</param>
    internal static void Load(RawBlock* @base, RawBlock* inputs, int count, nint from, nint length, float* rows)
    {
        var origin = rows + (count * Simd.Stride);
        if (@base is not null)
            Widen.ToSingle(@base->From(from), length, origin);
        for (var i = 0; i < count; i++)
        {
            var row = rows + (i * Simd.Stride);
            if (@base is null)
                Widen.ToSingle(inputs[i].From(from), length, row);
            else
                Deltas.Compute(origin, new ExpertBlock(inputs[i].From(from)), 0, 0, length, 1, row);
        }
    }
}
