using Smelt.Recipes.Rules;

namespace Smelt.Mergekit.Importing;

/// <summary>Says what to do about a problem in the words of mergekit's configurations instead of those of recipes.</summary>
internal static class MergekitWords
{
    private static readonly Dictionary<string, string> Fixes = new(StringComparer.Ordinal)
    {
        [RuleTable.WeightsCancel.Id] = "Change a weight, or set normalize: false.",
        [RuleTable.DuplicateExpert.Id] = "Remove one, and add up their weights if that is meant.",
        ["SM7001"] = "Merge models of one architecture; --tensor-union merges a tensor over the models that have it, --tensor-intersection leaves it out.",
        ["SM7002"] = "Merge models of one architecture; --tensor-union merges a tensor over the models that have it, --tensor-intersection leaves it out.",
        ["SM7003"] = "Merge models of one architecture and vocabulary.",
        ["SM7004"] = "Merge models of one architecture.",
        ["SM7012"] = "Change a weight, or set normalize: false.",
        ["SM7014"] = "Repair or leave out that model.",
    };

    /// <summary>The names of methods that have another one in mergekit.</summary>
    private static readonly (string Recipe, string Mergekit)[] Methods = [("average", "linear")];

    /// <summary>The problem in the words of mergekit.</summary>
    public static Problem Of(Problem problem) => problem with
    {
        Fix = Fixes.GetValueOrDefault(problem.Id, problem.Fix),
        Message = Methods.Aggregate(problem.Message, (text, m) => text.Replace($"and {m.Recipe} divides", $"and {m.Mergekit} divides", StringComparison.Ordinal)),
    };
}
