using System.Text;
using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Importing;
using Smelt.Mergekit.Reading;
using Smelt.Mergekit.Writing;
using Smelt.Tests;

namespace Smelt.Mergekit.Tests;

/// <summary>YAML is read as Python reads it, and nothing that is no configuration goes unnoticed.</summary>
public class ReaderTests
{
    [Fact]
    public void Anchors_merge_keys_quotes_and_comments_are_those_of_YAML()
    {
        var document = Document("""
            merge_method: "linear"   # a comment
            models:
              - &first {model: 'a', parameters: &own {weight: 1_0.5, normalize: yes}}
              - {<<: *first, model: b}
              - model: c
                parameters: {<<: [*own], normalize: off}
            """);
        Assert.Equal(["a", "b", "c"], document.Body.Models!.Select(m => m.Model.ToString()));
        Assert.Equal(["10.5", "true"], document.Body.Models![1].Parameters.Select(p => p.Conditions[0].Values[0].ToString()));
        Assert.Equal(["false", "10.5"], document.Body.Models![2].Parameters.Select(p => p.Conditions[0].Values[0].ToString()));
    }

    [Theory]
    [InlineData("0.5", "0.5")]
    [InlineData("1e-4", "0.0001")]
    [InlineData("'0.25'", "0.25")]
    [InlineData("-.5", "-0.5")]
    [InlineData("on", "true")]
    [InlineData("'on'", "'on'")]
    [InlineData(".nan", "'.nan'")]
    [InlineData("1e999", "'1e999'")]
    public void Scalars_are_numbers_words_or_texts(string yaml, string expected) =>
        Assert.Equal(expected, Document($"merge_method: linear\nmodels: [{{model: a, parameters: {{weight: {yaml}}}}}]").Body.Models![0].Parameters[0].Conditions[0].Values[0].ToString());

    [Theory]
    [InlineData("a", "a", null, null, null)]
    [InlineData("org/a@main", "org/a", "main", null, null)]
    [InlineData("org/a@v1+org/b@v2", "org/a", "v1", "org/b", "v2")]
    [InlineData("./x+/y/z", "./x", null, "/y/z", null)]
    public void References_name_a_model_and_an_adapter(string text, string path, string? revision, string? adapter, string? adapterRevision)
    {
        var expected = new ModelReference(new ModelPath(path, revision), adapter is null ? null : new ModelPath(adapter, adapterRevision));
        Assert.Equal(expected, ModelReference.TryParse(text, default, out _));
        Assert.Equal(expected, Document($"merge_method: karcher\nmodels: [{{model: \"{text}\"}}]").Body.Models![0].Model);
    }

    [Theory]
    [InlineData("a+b+c")]
    [InlineData("a@b@c")]
    [InlineData("+a")]
    [InlineData("a@")]
    [InlineData("")]
    public void Other_texts_are_no_references(string text) => Assert.Null(ModelReference.TryParse(text, default, out _));

    [Theory]
    [InlineData("a: [1, 2", "SM9001")]
    [InlineData("a: 1\na: 2", "SM9001")]
    [InlineData("a: *b", "SM9001")]
    [InlineData("&a [*a]", "SM9001")]
    [InlineData("? [1]\n: 2", "SM9001")]
    [InlineData("<<: 3", "SM9001")]
    [InlineData("", "SM9001")]
    [InlineData("- a", "SM9003")]
    [InlineData("just text", "SM9003")]
    public void What_is_no_mapping_is_refused(string text, string rule) =>
        Assert.Equal(rule, Assert.Single(MergekitReader.Read(text, "x.yml").Problems).Id);

    [Fact]
    public void Depth_and_size_are_bounded()
    {
        Assert.Contains("32 levels", Assert.Single(MergekitReader.Read(string.Concat(Enumerable.Repeat("[", 100_000)), "x.yml").Problems).Message, StringComparison.Ordinal);
        var bomb = new StringBuilder("a: &a {k: v}\n");
        for (var i = 'b'; i < 'z'; i++)
            bomb.Append(i).Append(": &").Append(i).Append(" [").Append(string.Join(", ", Enumerable.Repeat("*" + (char)(i - 1), 100))).Append("]\n");
        Assert.All(MergekitReader.Read(bomb.ToString(), "x.yml").Problems, p => Assert.Contains(p.Id, (string[])["SM9002", "SM9004"]));
    }

    [Fact]
    public void Bytes_that_are_no_UTF8_are_refused() =>
        Assert.Equal("SM9001", Assert.Single(MergekitReader.Read([0x61, 0xFF, 0xFE], "x.yml").Problems).Id);

    [Fact]
    public void A_mixture_of_experts_is_read_and_written()
    {
        var read = MergekitReader.Read(File.ReadAllText(Path.Combine(GoldenFolder.ProjectDirectory, "data", "real", "moe.yml")), "x.yml");
        var mixture = Assert.IsType<MixtureDocument>(Assert.Single(read.Documents));
        Assert.Equal(("hidden", 2, 2), (mixture.GateMode!.Value, mixture.ExpertsPerToken!.Value, mixture.Experts.Count));
        Assert.Equal(["poem"], mixture.Experts[1].NegativePrompts);
    }

    [Fact]
    public void Every_rule_has_its_page()
    {
        foreach (var rule in MergekitRules.All)
            Assert.Equal($"# {rule.Id}: {rule.Title}", File.ReadLines(Path.Combine(GoldenFolder.Repository, "docs", "rules", rule.Id + ".md")).First());
    }

    [Fact]
    public void Damaged_configurations_get_a_verdict()
    {
        byte[][] samples = [.. Directory.GetFiles(Path.Combine(GoldenFolder.ProjectDirectory, "data", "real")).Select(File.ReadAllBytes), .. Enumerable.Range(0, 20).Select(i => Encoding.UTF8.GetBytes(MergekitWriter.Write([new DocumentMaker(i).Anything()])))];
        Fuzz.Run(samples, bytes => MergekitImporter.Import(bytes, "x.yml", ["/nowhere"]), bytesPerByte: 4000);
    }

    private static MergeDocument Document(string text)
    {
        var read = MergekitReader.Read(text, "x.yml");
        Assert.True(read.Problems.Count == 0, string.Join("\n", read.Problems));
        return Assert.IsType<MergeDocument>(Assert.Single(read.Documents));
    }
}
