using Smelt.Checkpoints;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>What happens to an output tensor.</summary>
public enum TensorAction
{
    /// <summary>Merged from all inputs.</summary>
    Merge,

    /// <summary>Copied from the base as it is.</summary>
    Keep,

    /// <summary>Copied, after making sure that it is the same in all inputs: of a type that can't be merged, or passed through.</summary>
    CopyEqual,
}

/// <summary>The values of one sweep point that hold for one tensor.</summary>
/// <param name="Weights">The weight of each expert.</param>
/// <param name="Densities">The density of each expert; empty for methods that do not thin out.</param>
/// <param name="Lambda">The scale of the merged task vector; 1 for an average.</param>
/// <param name="Recipe">The recipe with the method's own values that hold for the tensor.</param>
public sealed record TensorSettings(double[] Weights, double[] Densities, double Lambda, Recipe Recipe);

/// <summary>One output tensor: where its inputs lie, what is done to it and where it goes.</summary>
public sealed record TensorPlan
{
    /// <summary>The position in the output, counted over all tensors.</summary>
    public required int Index { get; init; }

    /// <summary>The name, as in the base.</summary>
    public required string Name { get; init; }

    /// <summary>The shape, outermost dimension first.</summary>
    public required IReadOnlyList<long> Shape { get; init; }

    /// <summary>The number of elements.</summary>
    public required long ElementCount { get; init; }

    /// <summary>The type it is written in.</summary>
    public required TensorType OutputType { get; init; }

    /// <summary>What is done.</summary>
    public required TensorAction Action { get; init; }

    /// <summary>The tensor in the base; null for an average without base.</summary>
    public required CheckpointTensor? Base { get; init; }

    /// <summary>The tensor in each expert, in the order of the experts; empty where it is kept.</summary>
    public required IReadOnlyList<CheckpointTensor> Experts { get; init; }

    /// <summary>The values of each sweep point; empty where nothing is merged.</summary>
    public required IReadOnlyList<TensorSettings> Settings { get; init; }

    /// <summary>The tensor whose bytes are copied where nothing is merged, and whose type and shape the output follows.</summary>
    public CheckpointTensor Donor => Base ?? Experts[0];

    /// <summary>The bytes of a run of elements in the output: from the first up to the end.</summary>
    public (long Start, long End) ByteRange(long start, int length) => OutputType.ByteRange(start, length);
}

/// <summary>One model that takes part.</summary>
/// <param name="Reference">The model as the recipe names it.</param>
/// <param name="Checkpoint">Its opened headers.</param>
/// <param name="Commit">The commit of a hub model; null for a folder.</param>
public sealed record PlannedInput(Model Reference, Checkpoint Checkpoint, string? Commit)
{
    /// <summary>
    /// The name under which random masks know the expert: the recipe's own reference, so that the same recipe draws the
    /// same masks wherever its files lie.
    /// </summary>
    public string Identity => Reference.ToString()!;
}

/// <summary>
/// Everything a merge is going to do, known from headers alone: every tensor of every input is merged, kept, or was
/// reported as a problem.
/// </summary>
public sealed record MergePlan
{
    /// <summary>The recipe's name.</summary>
    public required string Name { get; init; }

    /// <summary>The recipe's canonical JSON.</summary>
    public required string Configuration { get; init; }

    /// <summary>The SHA-256 of <see cref="Configuration"/>.</summary>
    public required string ConfigurationHash { get; init; }

    /// <summary>The outputs: one for each point of the recipe's sweeps. They share tensors, types and layout.</summary>
    public required IReadOnlyList<SweepPoint> Points { get; init; }

    /// <summary>The base; null for an average without one.</summary>
    public required PlannedInput? Base { get; init; }

    /// <summary>The experts in the recipe's order.</summary>
    public required IReadOnlyList<PlannedInput> Experts { get; init; }

    /// <summary>The output tensors in the order of the base.</summary>
    public required IReadOnlyList<TensorPlan> Tensors { get; init; }

    /// <summary>The files of an output and the place of every tensor in them.</summary>
    public required ShardLayout Layout { get; init; }

    /// <summary>Masks given by the recipe in place of random ones; null otherwise.</summary>
    public required Checkpoint? Masks { get; init; }

    /// <summary>Bytes of tensors read in one pass over the inputs.</summary>
    public required long BytesPerPass { get; init; }

    /// <summary>How often the inputs are read.</summary>
    public required int Passes { get; init; }

    /// <summary>Bytes of weights written, all outputs together.</summary>
    public required long BytesToWrite { get; init; }

    /// <summary>The type that most merged elements are written in, named in config.json.</summary>
    public required TensorType WeightType { get; init; }

    /// <summary>What happens to NaN and infinity in an input.</summary>
    public required NonFinite NonFinite { get; init; }

    /// <summary>What is worth knowing: rules SM7xxx of severity warning and those of the checkpoints.</summary>
    public required IReadOnlyList<Problem> Warnings { get; init; }

    /// <summary>The input that gives configuration, tokenizer and tensor order: the base, else the first expert.</summary>
    public PlannedInput Donor => Base ?? Experts[0];

    /// <summary>Base and experts, each once.</summary>
    public IEnumerable<PlannedInput> Inputs => Base is null ? Experts : Experts.Prepend(Base);

    /// <summary>All weight files that are read: those of the inputs and of the masks.</summary>
    public IEnumerable<CheckpointFile> Files => Inputs.SelectMany(i => i.Checkpoint.Files).Concat(Masks?.Files ?? []);

    /// <summary>The merged tensors.</summary>
    public IEnumerable<TensorPlan> Merged => Tensors.Where(t => t.Action == TensorAction.Merge);

    /// <summary>The merged tensors that have elements, from the one at <paramref name="first"/> up to <paramref name="end"/>.</summary>
    internal IEnumerable<TensorPlan> MergedIn(int first, int end) =>
        Tensors.Skip(first).Take(end - first).Where(t => t.Action == TensorAction.Merge && t.ElementCount > 0);
}
