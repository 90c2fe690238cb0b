using System.Reflection;
using Smelt.Recipes.Rules;
using Smelt.Tests;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Tests;

/// <summary>Every rule of every assembly has its page, and the tool explains it.</summary>
public class ExplainTests
{
    private static readonly Rule[] Rules =
        [.. new[] { typeof(RuleTable), typeof(Checkpoints.CheckpointRules), typeof(Merging.Planning.PlanRules), typeof(Mergekit.MergekitRules), typeof(ToolRules), typeof(Targets.TargetRules) }
            .SelectMany(t => t.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)).Select(f => f.GetValue(null)).OfType<Rule>()];

    [Fact]
    public void Every_rule_has_a_page_that_says_the_same_and_every_page_a_rule()
    {
        Assert.Equal(
            Rules.OrderBy(r => r.Id, StringComparer.Ordinal).Select(r => (r.Id, r.Title, r.Severity.ToString().ToLowerInvariant())),
            RulePages.All.OrderBy(p => p.Id, StringComparer.Ordinal).Select(p => (p.Id, p.Title, p.Severity)));
        Assert.All(Rules, r => Assert.Equal($"docs/rules/{r.Id}.md", r.HelpLink));
    }

    [Theory]
    [InlineData("SM2001")]
    [InlineData("sm2001")]
    [InlineData("2001")]
    [InlineData("out of range")]
    public void A_rule_is_explained_by_its_page(string rule)
    {
        var captured = new Captured();
        Assert.Equal(ExitCode.Done, captured.Run("explain", rule));
        Assert.Equal(File.ReadAllText(Path.Combine(GoldenFolder.Repository, "docs", "rules", "SM2001.md")).ReplaceLineEndings("\n"), captured.Out);
    }

    [Fact]
    public void All_rules_are_listed_by_group()
    {
        var captured = new Captured();
        Assert.Equal(ExitCode.Done, captured.Run("explain"));
        var lines = captured.Out.ReplaceLineEndings("\n").Split('\n');
        Assert.Equal("SM1xxx: shape", lines[0]);
        Assert.All(Rules, r => Assert.Single(lines, l => l.StartsWith($"  {r.Id}  ", StringComparison.Ordinal) && l.EndsWith(r.Title, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_json_document_has_the_page()
    {
        var captured = new Captured();
        Assert.Equal(ExitCode.Done, captured.Run("explain", "SM7001", "--json"));
        var rule = Assert.Single(captured.Json.GetProperty("rules").EnumerateArray());
        Assert.Equal(("SM7001", "error", "plans and outputs"), (rule.GetProperty("id").GetString(), rule.GetProperty("severity").GetString(), rule.GetProperty("group").GetString()));
        Assert.StartsWith("# SM7001: Tensor missing in an input\n", rule.GetProperty("page").GetString(), StringComparison.Ordinal);

        captured = new Captured();
        Assert.Equal(ExitCode.Done, captured.Run("explain", "--json"));
        Assert.Equal(Rules.Length, captured.Json.GetProperty("rules").GetArrayLength());
    }

    [Theory]
    [InlineData("SM20011", "Did you mean SM2001?")]
    [InlineData("weights", "Did you mean SM2004, ")]
    [InlineData("", "smelt explain lists all.")]
    [InlineData("entirely unlike a rule", "smelt explain lists all.")]
    public void An_unknown_rule_is_bad_input_with_what_was_meant(string rule, string hint)
    {
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("explain", rule));
        Assert.Contains("SM8020", captured.Error, StringComparison.Ordinal);
        Assert.Contains(hint, captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_index_of_the_pages_lists_every_rule()
    {
        var index = "# Rules\n\nEvery message of Smelt names its rule; `smelt explain SM2001` prints its page. The first digit is the group. Rules of recipes\n(SM0xxx to SM4xxx) are checked while you type.\n";
        foreach (var (digit, name) in RulePages.Groups)
            index += $"\n## SM{digit}xxx: {name}\n\n" + string.Concat(RulePages.All.Where(p => p.Id[2] == digit).Select(p => $"- [{p.Id}]({p.Id}.md): {p.Title} ({p.Severity})\n"));
        var path = Path.Combine(GoldenFolder.Repository, "docs", "rules", "README.md");
        if (Environment.GetEnvironmentVariable("SMELT_UPDATE") == "1" && Environment.GetEnvironmentVariable("CI") != "true")
            File.WriteAllText(path, index);
        Assert.True(File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("\n") == index, "docs/rules/README.md is out of date: run this test with SMELT_UPDATE=1.");
    }
}
