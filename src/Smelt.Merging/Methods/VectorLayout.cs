using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>What a method takes as one vector.</summary>
internal enum VectorExtent
{
    /// <summary>A whole tensor.</summary>
    Tensor,

    /// <summary>A run along the last dimension.</summary>
    Row,

    /// <summary>A run along the first dimension.</summary>
    Column,
}

/// <summary>How the vectors of a tensor lie in it.</summary>
/// <param name="Extent">What one vector is; a tensor of fewer than two dimensions is always one.</param>
/// <param name="Vectors">The number of vectors.</param>
/// <param name="Width">Elements between two rows of a matrix whose rows, or columns, are the vectors.</param>
internal readonly record struct VectorLayout(VectorExtent Extent, long Vectors, long Width)
{
    /// <summary>The layout of a tensor that has elements.</summary>
    public static VectorLayout Of(TensorPlan tensor, VectorExtent extent)
    {
        if (extent == VectorExtent.Tensor || tensor.Shape.Count < 2)
            return new(VectorExtent.Tensor, 1, tensor.ElementCount);
        if (extent == VectorExtent.Row)
            return new(extent, tensor.ElementCount / tensor.Shape[^1], tensor.Shape[^1]);
        var width = tensor.ElementCount / tensor.Shape[0];
        return new(extent, width, width);
    }
}
