using Smelt.Merging.Execution;
using Smelt.Recipes;
using Smelt.Tool.Building;

namespace Smelt.Tool.Commands;

/// <summary>What the command line of a verb that plans or merges says.</summary>
internal sealed record MergeArguments
{
    /// <summary>Where the recipes are.</summary>
    public required string Path { get; init; }

    /// <summary>The recipes wanted; empty for all.</summary>
    public IReadOnlyList<string> Recipes { get; init; } = [];

    /// <summary>The output folder; null where it is not given.</summary>
    public string? Output { get; init; }

    /// <summary>Worker threads; null for all cores.</summary>
    public int? Threads { get; init; }

    /// <summary>The memory limit as written; null for the default.</summary>
    public string? MaxMemory { get; init; }

    /// <summary>Whether existing outputs of Smelt are replaced.</summary>
    public bool Force { get; init; }

    /// <summary>Whether outputs are flushed to the disk.</summary>
    public bool Sync { get; init; } = true;

    /// <summary>Whether task vectors are measured however large the inputs are.</summary>
    public bool Statistics { get; init; }

    /// <summary>What happens to tensors that some inputs lack, for configurations of mergekit; null as they have it.</summary>
    public MissingTensors? Missing { get; init; }

    /// <summary>The seed with which mergekit draws random masks, as written; null for the recipes' own masks.</summary>
    public long? MergekitSeed { get; init; }

    /// <summary>Whether the result is a JSON document.</summary>
    public bool Json { get; init; }

    /// <summary>The seed with which mergekit draws random masks.</summary>
    /// <exception cref="InvalidInputException">It is none.</exception>
    public uint? ToMergekitSeed() => MergekitSeed switch
    {
        null => null,
        >= 0 and <= uint.MaxValue and var seed => (uint)seed,
        _ => throw new InvalidInputException(ToolRules.BadOption.Id, "--mergekit-seed", $"the seed is {MergekitSeed}; allowed: 0 to {uint.MaxValue}, as in mergekit."),
    };

    /// <summary>The build that the verb is a step of; null for none.</summary>
    public BuildStep? Step { get; init; }

    /// <summary>The options of a merge into a folder.</summary>
    /// <exception cref="InvalidInputException">An option has no usable value; all problems.</exception>
    public MergeOptions ToOptions(string folder)
    {
        var problems = new List<Problem>();
        if (Threads is < 1)
            problems.Add(ToolRules.BadOption.At("--threads", $"the number of threads is {Threads}; allowed: at least 1."));
        var memory = MaxMemory is null ? default(ByteSize?) : ByteSize.Parse(MaxMemory);
        if (memory?.InvalidText is { } text)
            problems.Add(ToolRules.BadOption.At("--max-memory", $"'{text}' is no size; allowed: a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, as in 512MiB."));
        if (Output is not null && string.IsNullOrWhiteSpace(Output))
            problems.Add(ToolRules.BadOption.At("--out", "the output folder's name is empty."));
        if (problems.Count > 0)
            throw new InvalidInputException(problems);

        var options = new MergeOptions { Output = folder, Force = Force, Durable = Sync, Statistics = Statistics };
        options = Threads is { } threads ? options with { Threads = threads } : options;
        return memory is { } limit ? options with { MaxMemory = limit.Bytes } : options;
    }
}
