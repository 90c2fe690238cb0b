using Smelt.Recipes.Configuration;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt explain</c>: prints the page of a rule, or lists all rules by group.</summary>
internal static class ExplainCommand
{
    /// <summary>Explains a rule.</summary>
    /// <param name="rule">The rule's id, with or without its letters; null for all rules.</param>
    /// <param name="json">Whether the result is a JSON document.</param>
    /// <param name="terminal">Where it writes.</param>
    public static ExitCode Execute(string? rule, bool json, Terminal terminal) =>
        Session.Run("explain", terminal, json, session =>
        {
            if (rule is null)
            {
                session.Document = session.Document with { Rules = [.. RulePages.All.Select(p => Describe(p) with { Page = null })] };
                if (!json)
                    List(terminal);
                return ExitCode.Done;
            }

            var page = Find(rule);
            session.Document = session.Document with { Rules = [Describe(page)] };
            if (!json)
                terminal.Out.Write(page.Text);
            return ExitCode.Done;
        });

    private static RulePage Find(string rule)
    {
        var id = rule.ToUpperInvariant();
        if (id.Length > 0 && id.All(char.IsAsciiDigit))
            id = "SM" + id;
        if (RulePages.All.FirstOrDefault(p => p.Id == id) is { } page)
            return page;

        // A word of a title finds its rule, too: who asks may remember no more than that.
        var titled = RulePages.All.Where(p => p.Title.Contains(rule, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (titled.Length == 1)
            return titled[0];
        var near = titled.Length > 1 ? string.Join(", ", titled.Select(p => p.Id)) : EditDistance.Nearest(id, RulePages.All.Select(p => p.Id));
        throw new InvalidInputException(ToolRules.UnknownRule.Id, "", $"there is no rule '{rule}'; rules are SM and four digits.", near is null ? "smelt explain lists all." : $"Did you mean {near}? smelt explain lists all.");
    }

    private static void List(Terminal terminal)
    {
        foreach (var (digit, name) in RulePages.Groups)
        {
            terminal.Out.WriteLine($"SM{digit}xxx: {name}");
            foreach (var page in RulePages.All.Where(p => p.Id[2] == digit))
                terminal.Out.WriteLine($"  {page.Id}  {page.Severity,-11}  {page.Title}");
        }
    }

    private static RuleDocument Describe(RulePage page) => new(page.Id, page.Title, page.Severity, page.Group, page.Text);
}
