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

    private static DiagnosticDescriptor Create(Rule rule) => new(
        rule.Id,
        rule.Title,
        "{0}",
        Category(rule.Id[2]),
        rule.Severity switch
        {
            Severity.Error => DiagnosticSeverity.Error,
            Severity.Warning => DiagnosticSeverity.Warning,
            _ => DiagnosticSeverity.Info,
        },
        isEnabledByDefault: true,
        helpLinkUri: rule.HelpLink,
        customTags: rule.Id == RuleTable.DuplicateRecipe.Id ? [WellKnownDiagnosticTags.CompilationEnd] : []);

    private static string Category(char group) => group switch
    {
        '1' => "Smelt.Shape",
        '2' => "Smelt.Values",
        '3' => "Smelt.Tensors",
        _ => "Smelt.Sweeps",
    };
}
