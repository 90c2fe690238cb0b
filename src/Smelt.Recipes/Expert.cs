namespace Smelt.Recipes;

/// <summary>One model that is merged, with the values that hold for it alone.</summary>
/// <param name="Model">Where its checkpoint is found.</param>
public sealed record Expert(Model Model)
{
    /// <summary>The weight w_i of the expert, any finite number; 1 unless given.</summary>
    [Slot("the expert's weight")]
    public Scalar? Weight { get; init; }

    /// <summary>The fraction of the expert's task vector that is kept, 0 to 1; the recipe's density unless given.</summary>
    [Slot("the fraction of the expert's task vector that is kept", Min = 0, Max = 1)]
    public Scalar? Density { get; init; }

    /// <summary>The fraction of the expert's task vector that is dropped as outliers, 0 to 1; the recipe's gamma unless given.</summary>
    [Slot("the fraction of the expert's task vector that is dropped as outliers", Min = 0, Max = 1)]
    public Scalar? Gamma { get; init; }

    /// <summary>How far the expert's keep probability lies from its density at either end, 0 to 0.5; the recipe's epsilon unless given.</summary>
    [Slot("how far the expert's keep probability lies from its density at either end", Min = 0, Max = 0.5)]
    public Scalar? Epsilon { get; init; }

    /// <summary>
    /// A safetensors file, or a folder of a sharded one, with statistics of the expert's data: Fisher weights for
    /// <see cref="Fisher"/>, Gram matrices for <see cref="RegMean"/>. Needed by those methods alone.
    /// </summary>
    [Slot("a safetensors file with statistics of the expert's data, for methods that need them")]
    public Model? Statistics { get; init; }

    /// <summary>The layers of this expert that take part; those of the recipe unless given. As many as of the other inputs.</summary>
    [Slot("the layers of the expert that take part: the first, and the one after the last")]
    public LayerRange? Layers { get; init; }

    /// <summary>Rules that hold for tensors of this expert alone: <see cref="Syntax.On"/> with a weight or a density.</summary>
    [Slot("rules for tensors of this expert")]
    public Sequence<TensorRule> Tensors { get; init; } = Sequence<TensorRule>.Empty;

    /// <summary>An expert with weight 1 and the recipe's density.</summary>
    public static implicit operator Expert(Model model) => new(model);
}
