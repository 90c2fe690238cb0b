using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Analyzers;

/// <summary>The rules as diagnostics of the compiler. Their one source is <see cref="RuleTable"/>.</summary>
internal static class RecipeDescriptors
{
    private static readonly Dictionary<string, DiagnosticDescriptor> ById = RuleTable.All
        .Where(r => r.Id[2] < '5')
        .ToDictionary(r => r.Id, Create);

    /// <summary>All descriptors.</summary>
    public static ImmutableArray<DiagnosticDescriptor> All { get; } = [.. ById.Values.OrderBy(d => d.Id, StringComparer.Ordinal)];

    /// <summary>The descriptor of a rule.</summary>
    public static DiagnosticDescriptor Of(string id) => ById[id];

    /// <summary>A problem as a diagnostic.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="location">Where it is shown.</param>
    /// <param name="isExact">Whether that is the part's own expression, so that it can be replaced or removed.</param>
    public static Diagnostic Diagnose(Problem problem, Location location, bool isExact)
    {
        var properties = ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Pointer, problem.Where);
        if (isExact)
            properties = properties.Add(DiagnosticProperties.Exact, "");
        if (problem.Replacement is not null)
            properties = properties.Add(DiagnosticProperties.Replacement, problem.Replacement);

        return Diagnostic.Create(Of(problem.Id), location, properties, problem.Message + (problem.Fix.Length > 0 ? " " + problem.Fix : ""));
    }

    private static DiagnosticDescriptor Create(Rule rule) => new(
        rule.Id,
        rule.Title,
        "{0}",
        Category(rule.Id[2]),
        rule.Severity switch
        {
            Severity.Error => DiagnosticSeverity.Error,
            Severity.Warning => DiagnosticSeverity.Warning,
            _ when IsFaded(rule) => DiagnosticSeverity.Hidden,
            _ => DiagnosticSeverity.Info,
        },
        isEnabledByDefault: true,
        helpLinkUri: rule.HelpLink,
        customTags: IsFaded(rule) ? [WellKnownDiagnosticTags.Unnecessary] : []);

    /// <summary>What could be left out is faded, not underlined.</summary>
    private static bool IsFaded(Rule rule) => rule == RuleTable.OmittableWeight || rule == RuleTable.OmittableValue;

    private static string Category(char group) => group switch
    {
        '1' => "Smelt.Shape",
        '2' => "Smelt.Values",
        '3' => "Smelt.Tensors",
        '4' => "Smelt.Sweeps",
        _ => "Smelt.Style",
    };
}
