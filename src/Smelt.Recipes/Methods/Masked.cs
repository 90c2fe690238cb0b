namespace Smelt.Recipes;

/// <summary>
/// One expert's task vector behind a mask: out = b + lambda * mask * (x - b). It is what <c>smelt apply</c> runs on an output with
/// task masks (<see cref="TallMasks"/>, Wang et al. 2024; <see cref="Emr"/>, Huang et al. 2024).
/// </summary>
[Method("masked", "a task vector behind a mask")]
public sealed record Masked : TaskVectorRecipe
{
    /// <summary>
    /// A safetensors file with the mask: U8 tensors of the merged tensors' names, either one byte an element, 0 for dropped,
    /// or one bit, the lowest bit first. A delta without an entry is kept whole. It must be given.
    /// </summary>
    [Slot("a safetensors file with the mask: U8 tensors of the same names, a byte or a bit an element", Required = true)]
    public string? MaskFile { get; init; }

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override int MostExperts => 1;
}
