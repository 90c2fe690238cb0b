using System.Text;
using CsCheck;
using Smelt.Recipes.Configuration;
using Smelt.Tests;

namespace Smelt.Recipes.Tests;

/// <summary>Configurations are read back as they were written, and what is wrong with one is reported at once.</summary>
public class ConfigurationReaderTests
{
    [Fact]
    public void A_method_that_is_not_known_can_be_read_for_its_models_and_sweeps()
    {
        const string Text = """{"base":{"folder":"b"},"beyond":"zero","experts":[{"model":{"folder":"a"}}],"flag":true,"lambda":1,"limit":{"sweep":[1,3]},"maxShardSize":5,"method":"acme.clip","name":"x","nonFinite":"fail","tensors":[{"keep":["n"]}],"version":1}""";
        Assert.Contains(ConfigurationReader.Read(Text, "x.json").Problems, p => p.Id == "SM5004" || p.Message.Contains("the method is 'acme.clip'", StringComparison.Ordinal));
        var read = ConfigurationReader.ReadAny(Text, "x.json");
        Assert.Empty(read.Problems);
        Assert.Equal(Text.Replace("{\"model\":{\"folder\":\"a\"}}", "{\"model\":{\"folder\":\"a\"},\"weight\":1}", StringComparison.Ordinal), read.CanonicalJson);
        Assert.Equal(["limit=1", "limit=3"], SweepExpansion.Expand(read.Recipe!).Select(p => p.Label));
        Assert.Equal(Folder("b"), read.Recipe!.Base);
    }


    private static readonly Gen<Scalar> Number = Gen.OneOf(
        Gen.Double[-3, 3].Select(v => (Scalar)v),
        Gen.Double[-3, 3].Array[1, 3].Select(v => Sweep([.. v.Distinct()])),
        Gen.Double[-3, 3].Array[2].Where(v => v[0] != v[1]).Select(v => Zip("a-b", v)));

    private static readonly Gen<Scalar> Fraction = Gen.Double[0.01, 1].Select(v => (Scalar)v);

    private static readonly Gen<Expert[]> Experts = Gen.Select(Gen.Int[1, 4], Number, Fraction).Select((n, weight, density) =>
        Enumerable.Range(0, n).Select(i => new Expert(i % 2 == 0 ? Folder($"ü/{i}") : Hub($"org/m{i}", "v1")) { Weight = weight, Density = density }).ToArray());

    private static readonly Gen<Recipe> Recipes = Gen.Select(Experts, Number, Fraction, Gen.Int[0, 12]).Select((experts, number, fraction, method) =>
    {
        var common = Sequence.From(experts);
        var rules = Sequence.From<TensorRule>([On("**.mlp.**") with { Weight = number }, Keep("lm_head.**", "a.?")]);
        Sequence<Expert> plain(int most) => Sequence.From(experts.Take(most).Select(e => new Expert(e.Model)));
        return method switch
        {
            0 => (Recipe)new Average { Experts = Sequence.From(experts.Select(e => e with { Density = null })), Normalize = false, Dtype = DType.F16 },
            1 => new TaskArithmetic { Base = Folder("b"), Experts = common, Lambda = number, MaxShardSize = "1MiB" },
            2 => new Ties { Base = Folder("b"), Experts = common, Tensors = rules, Density = fraction, Profile = Profile.Mergekit },
            3 => new Slerp { Base = Folder("b"), Experts = plain(1), T = number, LinearAbove = fraction, Tensors = [On("**.mlp.**") with { T = number }] },
            4 => new MultiSlerp { Experts = Sequence.From(experts.Select(e => e with { Weight = 1, Density = null })), Epsilon = fraction },
            5 => new Karcher { Experts = plain(4), MaxIterations = 100, Tolerance = fraction },
            6 => new Sce { Base = Folder("b"), Experts = plain(4), SelectTopK = fraction, Tensors = [On("a") with { SelectTopK = fraction }] },
            7 => new RamPlus { Base = Folder("b"), Experts = plain(4), R = number, Alpha = fraction, Epsilon = fraction },
            8 => new Passthrough { Experts = plain(1), Scale = number, Tensors = [On("a") with { Scale = number }] },
            10 => new Breadcrumbs { Base = Folder("b"), Experts = Sequence.From(experts.Select(e => e with { Gamma = fraction })), Gamma = fraction, Trim = TrimScope.Row, Tensors = [On("a") with { Gamma = fraction }] },
            11 => new Della { Base = Folder("b"), Experts = Sequence.From(experts.Select(e => e with { Density = 0.5, Epsilon = 0.1 })), Rows = RowAxis.Second, Rescale = Rescale.L1, Epsilon = 0.2, Tensors = [On("a") with { Epsilon = 0.3 }] },
            9 => new DareLinear { Base = Folder("b"), Experts = common, Lambda = number, Rescale = Rescale.L1, Seed = 7 },
            _ => new DareTies { Base = Folder("b"), Experts = common, Tensors = rules, Lambda = number, TrimDensity = fraction, Seed = 7 },
        };
    });

    [Fact]
    public void What_was_written_reads_back_the_same() => Recipes.Where(r => SweepExpansion.CountPoints(r) <= SweepExpansion.MaxPoints).Sample(recipe =>
    {
        var text = ConfigurationWriter.Write("test", recipe);
        var read = ConfigurationReader.Read(text, "test.json");
        Assert.False(read.HasErrors, string.Join("\n", read.Problems));
        Assert.Equal(text, read.CanonicalJson);
        Assert.Equal(CanonicalJson.Sha256(text), read.Sha256);
    });

    public static TheoryData<string, string> Broken() => new()
    {
        { "", "SM5001" },
        { "[", "SM5001" },
        { "{\"version\":1,}", "SM5001" },
        { "\"text\"", "SM5003" },
        { "{}", "SM5004 SM5004 SM5004" },
        { """{"version":2,"name":"a","method":"average","experts":[{"model":{"folder":"x"}}]}""", "SM5005" },
        { """{"version":1,"name":"a","method":"tie","experts":[]}""", "SM5007" },
        { """{"version":1,"name":"a b","method":"average","experts":[{"model":{"folder":"x"}}]}""", "SM1005" },
        { """{"version":1,"name":"a","method":"average","experts":[]}""", "SM1001" },
        { """{"version":1,"name":"a","method":"average","experts":[{"model":{"folder":"x"}},{"model":{"folder":"x"}}]}""", "SM1002" },
        { """{"version":1,"name":"a","method":"ties","experts":[{"model":{"folder":"x"}}]}""", "SM1004" },
        { """{"version":1,"name":"a","method":"slerp","base":{"folder":"b"},"experts":[{"model":{"folder":"x"}},{"model":{"folder":"y"}}]}""", "SM1011 SM2009" },
        { """{"version":1,"name":"a","method":"passthrough","scale":1,"experts":[{"model":{"folder":"x"}},{"model":{"folder":"y"}}]}""", "SM1011" },
        { """{"version":1,"name":"a","method":"average","expert":[],"experts":[{"model":{"folder":"x"}}]}""", "SM5002" },
        { """{"version":1,"name":"a","method":"average","experts":[{"model":{"folder":"x","path":"y"},"wieght":1}]}""", "SM5002 SM5002" },
        { """{"version":1,"name":"a","method":"average","experts":[{"weight":1}]}""", "SM1001 SM5004" },
        { """{"version":1,"name":"a","method":"average","experts":[{"model":{"folder":"x"},"weight":"1"}]}""", "SM5003" },
        { """{"version":1,"name":"a","method":"average","experts":[{"model":{"folder":"x"},"weight":1e999}]}""", "SM2002" },
        { """{"version":1,"name":"a","method":"average","experts":[{"model":{"folder":"x"},"weight":{"sweep":[1,1]}}]}""", "SM4002" },
        { """{"version":1,"name":"a","method":"average","experts":[{"model":{"folder":"x"},"weight":{"sweep":[]}}]}""", "SM4001" },
        { """{"version":1,"name":"a","method":"average","experts":[{"model":{"folder":"x"},"weight":{"zip":[1,2]}}]}""", "SM5004" },
        { """{"version":1,"name":"a","method":"average","experts":[{"model":{"folder":"x"},"weight":{"zip":[1,2],"axis":"a","sweep":[1]}},{"model":{"folder":"y"},"weight":{"zip":[1],"axis":"a"}}]}""", "SM4004 SM5002" },
        { """{"version":1,"name":"a","name":"b","method":"average","experts":[{"model":{"folder":"x"}}]}""", "SM5006" },
        { """{"version":1,"name":"a","method":"average","dtype":"bf61","experts":[{"model":{"folder":"x"}}]}""", "SM2008" },
        { """{"version":1,"name":"a","method":"average","maxShardSize":"5 apples","experts":[{"model":{"folder":"x"}}]}""", "SM2007" },
        { """{"version":1,"name":"a","method":"average","tensors":[{"on":"a..b","weight":1},{"on":"x"}],"experts":[{"model":{"folder":"x"}}]}""", "SM3001 SM3003" },
        { """{"version":1,"name":"a","method":"ties","base":{"folder":"b"},"density":1.5,"lambda":null,"seed":1,"experts":[{"model":{"hub":"a/b/c"}}]}""", "SM1010 SM2001 SM5002 SM5003" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void All_that_is_wrong_is_reported_at_once(string text, string ids)
    {
        var read = ConfigurationReader.Read(text, "test.json");
        Assert.True(read.HasErrors);
        Assert.Equal(ids, string.Join(" ", read.Problems.Select(p => p.Id).Order(StringComparer.Ordinal)));
        Assert.All(read.Problems, p => Assert.StartsWith("test.json", p.Where, StringComparison.Ordinal));
    }

    [Fact]
    public void A_problem_names_pointer_line_value_and_suggestion()
    {
        var read = ConfigurationReader.Read("{\n\"version\": 1,\n\"name\": \"a\",\n\"method\": \"ties\",\n\"lamda\": 0.5,\n\"base\": {\"folder\": \"b\"},\n\"experts\": [\n{\"model\": {\"folder\": \"x\"},\n\"density\": 7}]}", "a.json");
        Assert.Equal(2, read.Problems.Count);
        Assert.Equal("a.json, /lamda (line 5)", read.Problems[0].Where);
        Assert.Equal("Did you mean 'lambda'?", read.Problems[0].Fix);
        Assert.Equal("a.json, /experts/0/density (line 9)", read.Problems[1].Where);
        Assert.Contains("density is 7; allowed: 0 <= density <= 1", read.Problems[1].Message, StringComparison.Ordinal);
    }

    /// <summary>Rules that hold constants alone are read without their places; one that holds more among them still has its own.</summary>
    [Theory]
    [InlineData("{\"on\":\"b\",\"on\":\"c\",\"weight\":1}", "SM5006 /tensors/1/on")]
    [InlineData("{\"on\":\"b\",\"weight\":1,\"weight\":2}", "SM5006 /tensors/1/weight")]
    [InlineData("{\"on\":\"b\",\"wieght\":1}", "SM3003 /tensors/1|SM5002 /tensors/1/wieght")]
    [InlineData("{\"on\":\"b\",\"weight\":\"1\"}", "SM3003 /tensors/1|SM5003 /tensors/1/weight")]
    [InlineData("{\"on\":\"b\",\"weight\":1e999}", "SM2002 /tensors/1/weight|SM3003 /tensors/1")]
    [InlineData("{\"on\":1,\"weight\":1}", "SM5003 /tensors/1/on")]
    [InlineData("{\"weight\":1}", "SM5004 /tensors/1")]
    [InlineData("{\"on\":\"b\"}", "SM3003 /tensors/1")]
    [InlineData("7", "SM5003 /tensors/1")]
    public void A_rule_that_is_wrong_among_plain_ones_is_reported_in_its_place(string rule, string expected)
    {
        var read = ConfigurationReader.Read($"{{\"version\":1,\"name\":\"a\",\"method\":\"average\",\"experts\":[{{\"model\":{{\"folder\":\"x\"}}}}],\"tensors\":[{{\"on\":\"a\",\"weight\":1}},{rule},{{\"\\u006fn\":\"d\",\"weight\":2}}]}}", "a.json");
        Assert.Equal(expected, string.Join("|", read.Problems.Select(p => $"{p.Id} {p.Where.Split(' ')[1]}").Order(StringComparer.Ordinal)));
        if (read.Recipe is { } recipe)
            Assert.Equal(new[] { On("a") with { Weight = 1 }, On("d") with { Weight = 2 } }, recipe.Tensors.Where(t => t is TensorOverride { Match: "a" or "d" }));
    }

    [Fact]
    public void Mutations_never_break_the_reader()
    {
        var text = Encoding.UTF8.GetBytes(ConfigurationWriter.Write("test", new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [Keep("x.**")], Lambda = Sweep(1, 2) }));
        Gen.Select(Gen.Int[0, text.Length - 1], Gen.Byte, Gen.Int[0, 2]).Sample((position, value, kind) =>
        {
            byte[] mutated = kind switch
            {
                0 => [.. text[..position], value, .. text[(position + 1)..]],
                1 => [.. text[..position], .. text[(position + 1)..]],
                _ => [.. text[..position], value, .. text[position..]],
            };
            ConfigurationReader.Read(mutated, "test.json");
        }, iter: 10_000);
    }

    [Fact]
    public void The_published_schema_is_that_of_the_code()
    {
        var path = Path.Combine(GoldenFolder.Repository, "docs", "configuration.schema.json");
        if (Environment.GetEnvironmentVariable("SMELT_UPDATE") == "1" && Environment.GetEnvironmentVariable("CI") != "true")
            File.WriteAllText(path, ConfigurationSchema.Write());
        Assert.True(File.Exists(path) && File.ReadAllText(path) == ConfigurationSchema.Write(), "docs/configuration.schema.json is out of date: run this test with SMELT_UPDATE=1.");
    }
}
