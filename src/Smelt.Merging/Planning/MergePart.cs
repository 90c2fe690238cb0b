using Smelt.Checkpoints;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// One merge of a plan: a method with its inputs, for some of the tensors. A plain recipe has one; a stack has one for each
/// slice, modules one for each part, and tensors that some inputs lack one for each set of inputs that have them.
/// </summary>
/// <param name="Index">The position among the parts.</param>
/// <param name="Points">The part's recipe at each point of the whole recipe's sweeps.</param>
/// <param name="Base">Its base; null for an average without one.</param>
/// <param name="Experts">Its experts in their order.</param>
/// <param name="Masks">Masks given by its recipe in place of random ones; null otherwise.</param>
/// <param name="Signs">Signs given by its recipe in place of an election; null otherwise.</param>
public sealed record MergePart(int Index, IReadOnlyList<SweepPoint> Points, PlannedInput? Base, IReadOnlyList<PlannedInput> Experts, Checkpoint? Masks, Checkpoint? Signs = null)
{
    /// <summary>The statistics of each expert's data; empty for methods that need none.</summary>
    public IReadOnlyList<PlannedInput> Statistics { get; init; } = [];

    /// <summary>The number that each expert has in the recipe, where the part is of some of them; null where it is of all.</summary>
    public IReadOnlyList<int>? Numbers { get; init; }
}

/// <summary>Layers of an output that were put together anew, as config.json has to know.</summary>
/// <param name="Prefix">What precedes the layers' numbers in tensor names.</param>
/// <param name="Donor">How many layers the donor of config.json has.</param>
/// <param name="Origins">For each layer of the output the number that it had in the model it came from.</param>
public sealed record LayerChange(string Prefix, int Donor, IReadOnlyList<int> Origins)
{
    /// <summary>The keys of config.json that may hold the number of these layers.</summary>
    public IReadOnlyList<string> Keys => ModelFamilies.KeysOf(Prefix);
}
