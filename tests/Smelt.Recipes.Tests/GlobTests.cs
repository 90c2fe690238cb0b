namespace Smelt.Recipes.Tests;

/// <summary>Patterns cover whole names, segment by segment.</summary>
public class GlobTests
{
    [Theory]
    [InlineData("lm_head.**", "lm_head.weight", true)]
    [InlineData("lm_head.**", "lm_head", true)]
    [InlineData("lm_head.**", "model.lm_head.weight", false)]
    [InlineData("**.mlp.**", "model.layers.3.mlp.up_proj.weight", true)]
    [InlineData("**.mlp.**", "mlp", true)]
    [InlineData("**.mlp.**", "model.xmlp.up", false)]
    [InlineData("model.layers.*.input_layernorm.weight", "model.layers.12.input_layernorm.weight", true)]
    [InlineData("model.layers.*.weight", "model.layers.1.mlp.weight", false)]
    [InlineData("model.layers.?.x", "model.layers.12.x", false)]
    [InlineData("**.{q,k}_proj.weight", "a.k_proj.weight", true)]
    [InlineData("**.{q,k}_proj.weight", "a.v_proj.weight", false)]
    [InlineData("**", "", true)]
    [InlineData("*", "a.b", false)]
    [InlineData("a*c", "abc", true)]
    [InlineData("Weight", "weight", false)]
    [InlineData("a.**", "a", true)]
    [InlineData("**.a", "a", true)]
    [InlineData("a.**.a", "a", false)]
    [InlineData("a.**.a", "a.a", true)]
    public void A_pattern_covers_the_whole_name(string pattern, string name, bool matches)
    {
        var glob = Glob.TryParse(pattern, out var error);
        Assert.Equal("", error);
        Assert.Equal(matches, glob!.IsMatch(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData(".a")]
    [InlineData("a.**b")]
    [InlineData("a.{b")]
    [InlineData("a.b}")]
    [InlineData("{a.b}")]
    [InlineData("{a{b}}")]
    [InlineData("a b")]
    [InlineData("a.[0-9]")]
    [InlineData("a.(b|c)")]
    [InlineData(@"a\.b$")]
    public void What_is_no_pattern_is_refused_with_a_reason(string pattern)
    {
        Assert.Null(Glob.TryParse(pattern, out var error));
        Assert.NotEqual("", error);
    }

    [Fact]
    public void Many_wildcards_are_matched_in_polynomial_time()
    {
        var segments = Glob.TryParse(string.Join(".", Enumerable.Repeat("**.a", 12)) + ".z", out _)!;
        Assert.False(segments.IsMatch(string.Join(".", Enumerable.Repeat("a", 60))));
        var text = Glob.TryParse(string.Concat(Enumerable.Repeat("*a", 14)) + "z", out _)!;
        Assert.False(text.IsMatch(new string('a', 60)));
    }

    [Fact]
    public void A_pattern_contains_another_where_no_name_tells_otherwise()
    {
        string[] parts = ["a", "b", "**", "*", "a*", "?", "{a,b}", "ab", "*b", "??", "{a*,}", "a*b"];
        string[] segments = ["", "a", "b", "c", "ab", "ac", "acb", "cb"];
        string[] names = [.. segments, .. segments.SelectMany(x => segments.Select(y => $"{x}.{y}")), .. segments.SelectMany(x => segments.SelectMany(y => segments.Select(z => $"{x}.{y}.{z}"))), "a.b.a.b", "c.a.b.c", "b.c.c.a"];
        var globs = parts.SelectMany(x => parts.SelectMany(y => new[] { x, $"{x}.{y}", $"{x}.{y}.**" })).Distinct().Select(p => Glob.TryParse(p, out _)!).ToArray();
        var contained = 0;
        foreach (var outer in globs)
        {
            foreach (var inner in globs)
            {
                var expected = !names.Any(n => inner.IsMatch(n) && !outer.IsMatch(n));
                Assert.True(expected == outer.Contains(inner), $"{outer} contains {inner}");
                contained += expected ? 1 : 0;
            }
        }

        Assert.InRange(contained, globs.Length + 1, (globs.Length * globs.Length) - 1);
    }

    [Fact]
    public void Patterns_too_large_to_compare_contain_nothing()
    {
        var large = Glob.TryParse(string.Join(".", Enumerable.Repeat("**.abc*d", 30)), out _)!;
        Assert.False(large.Contains(Glob.TryParse("**.b", out _)!));
        Assert.True(large.Contains(large));
    }

    [Fact]
    public void A_set_finds_what_each_pattern_finds()
    {
        string[] parts = ["a", "b", "**", "*", "a*", "?", "{a,b}", "ab"];
        string[] names = ["a", "b", "a.b", "ab", "a.a.b", "b.ab.a", "a.b.ab.b", "c"];
        var patterns = parts.SelectMany(x => parts.SelectMany(y => new[] { x, $"{x}.{y}", $"{x}.{y}.{x}" })).ToArray();
        var globs = patterns.Select(p => Glob.TryParse(p, out _)).ToArray();
        var set = new GlobSet(globs);
        var used = new HashSet<int>();
        foreach (var name in names)
        {
            var expected = Enumerable.Range(0, globs.Length).Where(i => globs[i]!.IsMatch(name)).ToArray();
            Assert.Equal(expected, set.Matching(name));
            used.UnionWith(expected);
        }

        Assert.Equal(Enumerable.Range(0, globs.Length).Where(i => !used.Contains(i)).Select(i => (i, patterns[i])), set.Unused());
        Assert.Empty(new GlobSet([null]).Matching("a"));
    }
}
