using Smelt.Recipes.Rules;

namespace Smelt.Merging.Planning;

/// <summary>The rules that need the headers of checkpoints, or the machine the merge runs on.</summary>
public static class PlanRules
{
    /// <summary>
    /// Whether a merge failed for what its inputs hold, so that the same run would fail again and what it finished is of no use; else the cause is the
    /// machine's or the output's place.
    /// </summary>
    internal static bool BlameInputs(InvalidInputException invalid) =>
        !invalid.Problems.Any(p => p.Id == OutputExists.Id || p.Id == MemoryTooSmall.Id || p.Id == DiskFull.Id);

    /// <summary>Every tensor of the base is in every expert, or kept.</summary>
    public static readonly Rule MissingTensor = new("SM7001", "Tensor missing in an input", Severity.Error);

    /// <summary>Every tensor of an expert is in the base, or kept.</summary>
    public static readonly Rule ExtraTensor = new("SM7002", "Tensor unknown to the base", Severity.Error);

    /// <summary>Inputs agree on shapes.</summary>
    public static readonly Rule ShapeDiffers = new("SM7003", "Shapes differ", Severity.Error);

    /// <summary>Inputs agree on types that can't be merged.</summary>
    public static readonly Rule TypeDiffers = new("SM7004", "Types differ", Severity.Error);

    /// <summary>A tensor rule matches a tensor.</summary>
    public static readonly Rule MatchesNothing = new("SM7005", "Tensor pattern matches nothing", Severity.Warning);

    /// <summary>The output fits on the disk.</summary>
    public static readonly Rule DiskFull = new("SM7006", "Not enough free disk space", Severity.Error);

    /// <summary>The merge fits in the memory given.</summary>
    public static readonly Rule MemoryTooSmall = new("SM7007", "Memory limit too small", Severity.Error);

    /// <summary>An output is never overwritten unasked.</summary>
    public static readonly Rule OutputExists = new("SM7008", "Output exists", Severity.Error);

    /// <summary>A merge changes at least one tensor.</summary>
    public static readonly Rule NothingMerged = new("SM7009", "Nothing to merge", Severity.Error);

    /// <summary>A file with masks or signs holds those of the right names, types and shapes.</summary>
    public static readonly Rule BadMask = new("SM7010", "Mask or sign file does not fit", Severity.Error);

    /// <summary>A tied head in one input is told apart from a missing one.</summary>
    public static readonly Rule TiedHead = new("SM7011", "Head tied in some inputs", Severity.Warning);

    /// <summary>The normalised weights of a tensor do not cancel.</summary>
    public static readonly Rule WeightsCancel = new("SM7012", "Weights of a tensor sum to zero", Severity.Error);

    /// <summary>Each input is a checkpoint of its own, however it is named.</summary>
    public static readonly Rule SameFiles = new("SM7013", "Two inputs are the same checkpoint", Severity.Error);

    /// <summary>Inputs hold numbers.</summary>
    public static readonly Rule NotFinite = new("SM7014", "Input not finite", Severity.Error);

    /// <summary>An output has the manifest that was written with it.</summary>
    public static readonly Rule NoManifest = new("SM7015", "No usable manifest", Severity.Error);

    /// <summary>An output is what was written.</summary>
    public static readonly Rule OutputDiffers = new("SM7016", "Output differs from its manifest", Severity.Error);

    /// <summary>An input is what was merged.</summary>
    public static readonly Rule InputDiffers = new("SM7017", "Input differs from the manifest", Severity.Error);

    /// <summary>An output with task masks has the task that is asked for.</summary>
    public static readonly Rule NoSuchTask = new("SM7030", "Task not in the output", Severity.Error);

    /// <summary>A model has the layers that a slice takes of it.</summary>
    public static readonly Rule NoSuchLayer = new("SM7018", "Layers not in the model", Severity.Error);

    /// <summary>Every tensor belongs to a part of the modules.</summary>
    public static readonly Rule NoPart = new("SM7019", "Tensor in no part", Severity.Error);

    /// <summary>The configuration of an output with other layers says how many there are.</summary>
    public static readonly Rule LayerCountUnknown = new("SM7020", "Number of layers not found in config.json", Severity.Warning);

    /// <summary>Inputs are of one architecture.</summary>
    public static readonly Rule Architectures = new("SM7021", "Architectures differ", Severity.Warning);

    /// <summary>An input is what was locked.</summary>
    public static readonly Rule InputChanged = new("SM7023", "Input differs from the lock file", Severity.Error);

    /// <summary>A project with a lock file has every input in it.</summary>
    public static readonly Rule NotLocked = new("SM7024", "Input not in the lock file", Severity.Warning);

    /// <summary>A statistics file holds tensors of the right names, types, shapes and values.</summary>
    public static readonly Rule BadStatistics = new("SM7040", "Statistics file does not fit", Severity.Error);

    /// <summary>The Gram matrices of a layer have an invertible sum.</summary>
    public static readonly Rule NotInvertible = new("SM7042", "Gram matrices not invertible", Severity.Error);

    /// <summary>A seed of mergekit gives the masks that mergekit draws.</summary>
    public static readonly Rule MergekitMasks = new("SM7043", "Masks of mergekit not known", Severity.Warning);

    /// <summary>The code of a method of another assembly does what it promises.</summary>
    public static readonly Rule MethodFails = new("SM7044", "Method of another assembly fails", Severity.Error);

    /// <summary>The most common chat template is that of an input.</summary>
    public static readonly Rule NoChatTemplate = new("SM7045", "No input has a chat template", Severity.Warning);

    /// <summary>The experts of all inputs are laid out in one way.</summary>
    public static readonly Rule ExpertLayouts = new("SM7046", "Experts laid out in two ways", Severity.Warning);

    /// <summary>A tensor is made of a bounded number of tensors.</summary>
    public static readonly Rule TooManySources = new("SM7041", "Too many inputs for a tensor", Severity.Error);
}
