using System.Text.RegularExpressions;
using Smelt.Tests;

namespace Smelt.Tool.Tests;

/// <summary>Every test that the pages name is there.</summary>
public partial class ReliabilityPageTests
{
    [Theory]
    [InlineData("reliability.md")]
    [InlineData("deviations.md")]
    public void Every_test_named_on_the_page_exists(string page)
    {
        var sources = Directory.GetFiles(Path.Combine(GoldenFolder.Repository, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .ToLookup(f => Path.GetFileNameWithoutExtension(f), File.ReadAllText);
        var named = Name().Matches(File.ReadAllText(Path.Combine(GoldenFolder.Repository, "docs", page)));
        Assert.NotEmpty(named);
        Assert.All(named, test => Assert.Contains(sources[test.Groups[1].Value], text => Regex.IsMatch(text, $@"public (void|async Task) {test.Groups[2].Value}\(")));
    }

    [GeneratedRegex("`(\\w+Tests)\\.(\\w+)`")]
    private static partial Regex Name();
}
