using System.Text.Json;
using Smelt.Checkpoints;

namespace Smelt.Merging.Planning;

/// <summary>Compares the architectures that inputs name in config.json: tensors of one name may mean different things.</summary>
internal static class ArchitectureCheck
{
    /// <summary>The largest config.json that is looked at.</summary>
    private const long MaxLength = 16 << 20;

    /// <summary>Reports each input of another architecture than the first.</summary>
    public static void Check(IEnumerable<PlannedInput> inputs, List<Problem> problems)
    {
        PlannedInput? first = null;
        string? wanted = null;
        foreach (var input in inputs)
        {
            if (Read(input.Checkpoint) is not { } architecture)
                continue;
            if (first is null)
                (first, wanted) = (input, architecture);
            else if (architecture != wanted)
                problems.Add(PlanRules.Architectures.At(input.Checkpoint.Path, $"the architectures differ: {input.Reference} is {architecture}, {first.Reference} is {wanted}.", "Merge models of one architecture, unless their tensors mean the same."));
        }
    }

    /// <summary>The architecture that a model names; null where it names none that can be read.</summary>
    private static string? Read(Checkpoint checkpoint)
    {
        if (checkpoint.ConfigPath is not { } path || new FileInfo(path).Length > MaxLength)
            return null;
        try
        {
            using var config = JsonDocument.Parse(InputFile.ReadAllBytes(path), new JsonDocumentOptions { AllowTrailingCommas = true });
            return config.RootElement.ValueKind == JsonValueKind.Object
                && config.RootElement.TryGetProperty("architectures", out var list)
                && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() == 1 && list[0].ValueKind == JsonValueKind.String
                ? list[0].GetString()
                : null;
        }
        catch (JsonException)
        {
            // A config.json that can't be read is reported where it is needed.
            return null;
        }
    }
}
