using System.Reflection;

namespace Smelt.Tool.Sources;

/// <summary>The page of a rule, docs/rules/SMxxxx.md.</summary>
/// <param name="Id">The rule's id.</param>
/// <param name="Title">The rule in a few words.</param>
/// <param name="Severity">How serious a breach is: <c>error</c>, <c>warning</c> or <c>information</c>.</param>
/// <param name="Group">What the rule is about.</param>
/// <param name="Text">The whole page.</param>
internal sealed record RulePage(string Id, string Title, string Severity, string Group, string Text);

/// <summary>The pages of all rules, which the tool carries with it.</summary>
internal static class RulePages
{
    private const string Folder = "rules/";

    /// <summary>The groups of rules by the first digit of their ids, in the order in which they are listed.</summary>
    public static IReadOnlyList<(char Digit, string Name)> Groups { get; } =
    [
        ('1', "shape"),
        ('2', "values"),
        ('3', "tensors"),
        ('4', "sweeps"),
        ('0', "style"),
        ('5', "configuration files"),
        ('6', "models on disk"),
        ('7', "plans and outputs"),
        ('8', "the tool and its sources"),
        ('9', "mergekit files"),
    ];

    /// <summary>All pages, group by group.</summary>
    public static IReadOnlyList<RulePage> All { get; } =
        [.. typeof(RulePages).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal))
            .Select(n => Read(n[Folder.Length..], n))
            .OrderBy(p => Groups.ToList().FindIndex(g => g.Digit == p.Id[2])).ThenBy(p => p.Id, StringComparer.Ordinal)];

    private static RulePage Read(string id, string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd().ReplaceLineEndings("\n");
        var lines = text.Split('\n');
        var severity = lines.First(l => l.StartsWith("Severity: ", StringComparison.Ordinal))["Severity: ".Length..];
        return new RulePage(id, lines[0][$"# {id}: ".Length..], severity, Groups.First(g => g.Digit == id[2]).Name, text);
    }
}
