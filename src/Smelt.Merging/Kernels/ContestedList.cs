namespace Smelt.Merging.Kernels;

/// <summary>
/// Elements of a sub-block whose vote is zero although some voting value is not, and what their mix would be if zero votes elected the other sign:
/// positive where negative values are kept, else negative.
/// </summary>
internal unsafe struct ContestedList
{
    /// <summary>The elements, rising; there is room for all of the sub-block.</summary>
    internal ushort* Indices;

    /// <summary>For each its mix under the other sign.</summary>
    internal float* Mixes;

    /// <summary>How many there are.</summary>
    internal int Count;

    /// <summary>Adds an element.</summary>
    internal void Add(nint index, float mix)
    {
        Indices[Count] = (ushort)index;
        Mixes[Count++] = mix;
    }
}
