using Microsoft.CodeAnalysis;

namespace Smelt.Generators.Tests;

/// <summary>Each rule is reported once, on the expression that breaks it; a sound recipe has nothing to report.</summary>
public class AnalyzerTests
{
    private const string NoRecipe = """public sealed partial class NoRecipe : IRecipe { public static Recipe Define() => new Average { Experts = [Folder("n")] }; }""";

    /// <summary>Rule, source of Define's expression with the place between marks, and a part of the message.</summary>
    public static TheoryData<string, string, string> Breaches() => new()
    {
        { "SM1001", """«new Average { }»""", "lists no expert" },
        { "SM1002", """new Average { Experts = [Folder("a"), «Folder("./a")»] }""", "already listed as expert 0" },
        { "SM1003", """new Ties { Base = Folder("b"), Experts = [Folder("a"), «Folder("b")»] }""", "is the base itself" },
        { "SM1004", """«new Ties { Experts = [Folder("a")] }»""", "none is given" },
        { "SM1010", """new Average { Experts = [«Hub("no such id")»] }""", "is no hub id" },
        { "SM1011", """new Slerp { Base = Folder("b"), Experts = «[Folder("a"), Folder("c")]», T = 0.5 }""", "slerp has 2 experts; allowed: exactly 1 besides the base" },
        { "SM1011", """new ModelStock { Base = Folder("b"), Experts = «[Folder("a")]» }""", "allowed: at least 2 besides the base" },
        { "SM2009", """«new NearSwap { Base = Folder("b"), Experts = [Folder("a")] }»""", "t is not given" },
        { "SM2009", """«new Ties { Base = Folder("b"), Experts = [Folder("a")], Cut = Cut.Deviation }»""", "the cut Deviation needs it" },
        { "SM2009", """«new Ties { Base = Folder("b"), Experts = [Folder("a")], Election = Election.SignFile }»""", "the election SignFile needs it" },
        { "SM2005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Deviations = «2» }""", "only the cut Deviation" },
        { "SM2005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], SignFile = «"signs.safetensors"» }""", "only the election SignFile" },
        { "SM2005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Cut = Cut.Deviation, Deviations = 2, Density = «0.5» }""", "goes by standard deviations" },
        { "SM2005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Combine = Combine.GeometricMedian, Normalize = «true» }""", "is a mean already" },
        { "SM2008", """new Ties { Base = Folder("b"), Experts = [Folder("a"), Folder("c")], Stock = true, Disjoint = «false» }""", "made of the deltas that agree" },
        { "SM2008", """new DareTies { Base = Folder("b"), Experts = [Folder("a")], Combine = «Combine.GeometricMedian» }""", "which dare_ties has not" },
        { "SM2005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Combine = Combine.Median, Normalize = «true» }""", "a median is not divided" },
        { "SM2008", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Combine = Combine.Median, Disjoint = «true» }""", "the median of all deltas" },
        { "SM2008", """new Ties { Base = Folder("b"), Experts = [Folder("a"), Folder("c")], Combine = Combine.Median, Stock = «true» }""", "combine Median takes all" },
        { "SM2005", """new DareTies { Base = Folder("b"), Experts = [Folder("a")], Drop = Drop.Smallest, Seed = «3» }""", "goes by magnitudes" },
        { "SM2005", """new DareLinear { Base = Folder("b"), Experts = [Folder("a")], Drop = Drop.Smallest, MaskFile = «"masks.safetensors"» }""", "goes by magnitudes" },
        { "SM2005", """new DareLinear { Base = Folder("b"), Experts = [Folder("a")], OnWeights = true, WriteBack = «true» }""", "as it is stored" },
        { "SM2008", """new DareLinear { Base = Folder("b"), Experts = [Folder("a")], OnWeights = true, Rescale = «Rescale.L1» }""", "onWeights thins whole weights" },
        { "SM1011", """new Ties { Base = Folder("b"), Experts = «[Folder("a")]», Stock = true }""", "ties has 1 experts; allowed: at least 2 besides the base" },
        { "SM2001", """new Ties { Base = Folder("b"), Experts = [Folder("a"), new(Folder("c")) { Density = «1.5» }] }""", "density is 1.5; allowed: 0 <= density <= 1" },
        { "SM2001", """new DareTies { Base = Folder("b"), Experts = [Folder("a")], Seed = «0.5» }""", "a whole number" },
        { "SM2001", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Density = Sweep(0.5, «-0.1») }""", "density is -0.1" },
        { "SM2002", """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = «double.NaN» }""", "lambda is NaN" },
        { "SM2004", """new Average { Experts = «[new(Folder("a")) { Weight = 1 }, new(Folder("b")) { Weight = -1 }]» }""", "sum to 0" },
        { "SM2005", """new Average { Experts = [new(Folder("a")) { Density = «0.5» }] }""", "has no effect" },
        { "SM2005", """new Karcher { Experts = [new(Folder("a")) { Weight = «0.5» }] }""", "karcher has no weight" },
        { "SM2005", """new NuSlerp { Experts = [Folder("a"), Folder("b")], ColumnWise = «true» }""", "flatten takes each tensor as one vector" },
        { "SM2005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("x") with { T = «0.5» }] }""", "ties has no t" },
        { "SM2009", """«new Masked { Base = Folder("b"), Experts = [Folder("a")] }»""", "maskFile is not given" },
        { "SM1013", """new Emr { Base = Folder("b"), Experts = [Folder("a")], Missing = «MissingTensors.Union» }""", "missing is Union" },
        { "SM1013", """new Modules { Parts = [Part("**", «new Emr { Base = Folder("b"), Experts = [Folder("a")] }»)] }""", "writes masks" },
        { "SM2005", """new Consensus { Base = Folder("b"), Experts = [Folder("a")], ZeroVote = «ZeroVote.Positive» }""", "there is no election" },
        { "SM1013", """new Pcb { Base = Folder("b"), Experts = [Folder("a")], Missing = «MissingTensors.Union» }""", "statistics of whole experts" },
        { "SM2006", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Density = «0» }""", "drops the whole task vector" },
        { "SM2017", """new Average { Experts = [Folder("a")], ChatTemplate = «"chatlm"» }""", "Did you mean 'chatml'?" },
        { "SM2007", """new Average { Experts = [Folder("a")], MaxShardSize = «"5 apples"» }""", "is no size" },
        { "SM2008", """new Average { Experts = [Folder("a")], Dtype = «(DType)9» }""", "allowed: BF16, F16, F32, F64" },
        { "SM1012", """new Stack { Slices = [new Average { Experts = [Folder("a")], Layers = 0..4, Dtype = «DType.BF16» }] }""", "dtype holds for the whole output" },
        { "SM1012", """new Modules { Parts = [Part("**", new Average { Experts = [Folder("a")] })], Tensors = «[Keep("x")]» }""", "rules for tensors belong to the parts" },
        { "SM1013", """«Stack()»""", "has no slices" },
        { "SM1013", """Stack(From(Folder("a"), 0..4), «Stack(From(Folder("b"), 4..8))»)""", "can't stand in a stack" },
        { "SM1013", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Missing = «MissingTensors.Union» }""", "trim is Model" },
        { "SM1014", """new Average { Experts = [From(«new Average { Experts = [new(Folder("a")) { Weight = Sweep(1, 2) }] }»)] }""", "this one sweeps" },
        { "SM1015", """new Average { Experts = [From(«Test.Define()»)] }""", "Test is a stage of itself" },
        { "SM2010", """Stack(From(Folder("a"), «16..8»))""", "the layers are 16..8" },
        { "SM2010", """Stack(From(Folder("a"), «^4..»))""", "counted from 0" },
        { "SM2010", """Stack(«new Average { Experts = [Folder("a")] }»)""", "does not say which layers" },
        { "SM2011", """new Karcher { Experts = [Folder("a")], Tolerance = «Gradient(0.1, 0.2)» }""", "takes no gradient" },
        { "SM2011", """new Average { Experts = [Folder("a"), new(Folder("b")) { Weight = «Gradient()» }] }""", "has no values" },
        { "SM2001", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Density = Gradient(0.5, «1.5») }""", "density is 1.5" },
        { "SM2012", """new Average { Experts = [new(Folder("a")) { Layers = 0..2 }, new(Folder("b")) { Layers = «1..2» }] }""", "bring 2 and 1 layers" },
        { "SM2005", """new Average { Experts = [Folder("a")], Dtype = DType.BF16, PromoteDtype = «true» }""", "dtype is given" },
        { "SM2008", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Trim = «TrimScope.Row» }""", "no threshold for each row" },
        { "SM2008", """new Breadcrumbs { Base = Folder("b"), Experts = [Folder("a")], Rescale = «Rescale.Inverse» }""", "undoes a random drop" },
        { "SM2005", """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Gamma = «0.5» }] }""", "ties has no gamma" },
        { "SM2005", """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [On("x") with { Gamma = «0.5» }] }] }""", "ties has no gamma" },
        { "SM2005", """new Ram { Base = Folder("b"), Experts = [new(Folder("a")) { Epsilon = «0.5» }] }""", "ram has no epsilon of single experts" },
        { "SM2008", """new Della { Base = Folder("b"), Experts = [Folder("a")], Rows = «RowAxis.Second» }""", "along the last dimension" },
        { "SM2016", """new Della { Base = Folder("b"), Experts = [new(Folder("a")) { Density = «0.9» }] }""", "0.75 to 1.05" },
        { "SM2016", """new DellaLinear { Base = Folder("b"), Experts = [Folder("a"), new(Folder("c")) { Epsilon = «0.4» }], Density = 0.3, Epsilon = 0.2 }""", "-0.1 to 0.7" },
        { "SM2016", """new Della { Base = Folder("b"), Experts = [Folder("a"), Folder("c")], Density = «Sweep(0.5, 0.9)» }""", "0.75 to 1.05" },
        { "SM2001", """new NearSwap { Base = Folder("b"), Experts = [Folder("a")], T = 1, Tensors = [On("x") with { T = «-1» }] }""", "t is -1" },
        { "SM3001", """new Average { Experts = [Folder("a")], Tensors = [Keep("fine.**", «"a**b"»)] }""", "must be a whole segment" },
        { "SM3002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("x") with { Weight = 1 }, On(«"x"») with { Weight = 2 }] }""", "already stands in rule 0" },
        { "SM3002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("**") with { Weight = 1, Density = 0.5 }, On(«"lm_head.**"») with { Weight = 2 }] }""", "matches only tensors that '**' of rule 0 matches" },
        { "SM3002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("**") with { Weight = 1 }, On("lm_head.**") with { Weight = «2», Density = 0.5 }] }""", "sets weight of all these tensors" },
        { "SM3002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On(«"a.b"») with { Weight = 1 }, Keep("a.*")] }""", "Keep takes them from the base" },
        { "SM3002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [Keep(«"a.b.{c,d}"», "a.**")] }""", "kept already" },
        { "SM3002", """new Modules { Parts = [Part("a.**", new Passthrough { Experts = [Folder("a")] }), Part(«"a.b"», new Passthrough { Experts = [Folder("c")] })] }""", "'a.**' of an earlier part" },
        { "SM3005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("**.up_proj.**") with { Weight = 1 }, On(«"model.layers.0.**"») with { Weight = 2 }] }""", "such as model.layers.0.mlp.up_proj.weight" },
        { "SM3006", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On(«"**.self_atn.**"») with { Weight = 2 }] }""", "Did you mean 'self_attn'?" },
        { "SM3006", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [Keep("lm_head.**", «"**.{q_proj,embed_token}.*"»)] }""", "Did you mean 'embed_tokens'?" },
        { "SM3007", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("lm_head.**") with { Weight = «Gradient(0, 1)» }] }""", "outside of them" },
        { "SM3007", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("model.norm.weight") with { Density = «Gradient(0.5, 1)» }] }""", "no segment of the pattern can be the number of a layer" },
        { "SM2015", """new Average { Experts = «[new(Folder("a")) { Weight = 0.6 }, Folder("c")]», Normalize = false }""", "the weights 0.6, 1 sum to 1.6" },
        { "SM1018", """new Average { Experts = [«From<NoRecipe>()»] }""", "the stage NoRecipe is no recipe" },
        { "SM0001", """new Average { Experts = [Folder("a"), new(Folder("c")) { Weight = «1» }] }""", "all weights are 1" },
        { "SM0002", """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = «1.0» }""", "lambda is 1 unless given" },
        { "SM0002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Trim = «TrimScope.Model» }""", "trim is Model unless given" },
        { "SM0003", """new Average { Experts = [Hub(«"gpt2"»)] }""", "the old name of openai-community/gpt2" },
        { "SM0004", """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = «Sweep(1, 3, 2)» }""", "goes up and down" },
        { "SM0006", """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = «Sweep(2)» }""", "has one value, 2" },
        { "SM0007", """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = «Gradient(2, 2.0)» }""", "is 2 everywhere" },
        { "SM3003", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [«On("x")»] }""", "sets nothing" },
        { "SM3004", """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [On("x") with { Lambda = «2» }] }] }""", "not one expert's" },
        { "SM3004", """new Slerp { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [On("x") with { T = «0.5» }] }], T = 1 }""", "not one expert's" },
        { "SM2004", """new MultiSlerp { Experts = «[new(Folder("a")) { Weight = 1 }, new(Folder("b")) { Weight = -1 }]» }""", "sum to 0" },
        { "SM4001", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = «Sweep()» }""", "has no points" },
        { "SM4002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Sweep(1, 2, «1») }""", "the point 1 twice" },
        { "SM4002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Zip("s", 1, «1»), Density = Zip("s", 0.5, 0.5) }""", "the point lambda=1, density=0.5 twice" },
        { "SM2001", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Zip("s", 1, 2), Density = Zip("s", 0.5, «1.5») }""", "density is 1.5" },
        { "SM4004", """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Zip("s", 1, 2) }], Lambda = «Zip("s", 1, 2, 3)» }""", "lambda has 3 values on the axis 's', and experts.0.weight has 2" },
        { "SM4005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Zip(«"s"», 1, 2) }""", "the only number on the axis 's'" },
        { "SM4006", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Zip(«"a/b"», 1, 2) }""", "allowed: 1 to 40 letters" },
    };

    [Theory]
    [MemberData(nameof(Breaches))]
    public void A_breach_is_reported_on_its_expression(string id, string marked, string message)
    {
        var expression = marked.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal);
        var place = marked[(marked.IndexOf('«', StringComparison.Ordinal) + 1)..marked.IndexOf('»', StringComparison.Ordinal)];
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe(expression), NoRecipe)));
        Assert.Equal(id, diagnostic.Id);
        Assert.Contains(message, diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Equal(place, RecipeCompilation.TextAt(diagnostic.Location));
        Assert.EndsWith($"docs/rules/{id}.md", diagnostic.Descriptor.HelpLinkUri, StringComparison.Ordinal);
    }

    [Fact]
    public void A_grid_too_large_is_reported()
    {
        var points = string.Join(", ", Enumerable.Range(0, 40));
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe(
            $$"""new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Sweep({{points}}) }], Lambda = Sweep({{points}}) }"""))));
        Assert.Equal("SM4003", diagnostic.Id);
        Assert.Contains("1600 points", diagnostic.GetMessage(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SM1005", """[Recipe("a/b")] public static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""", "\"a/b\"")]
    [InlineData("SM1007", """[Recipe("a")] public static class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""", "T")]
    [InlineData("SM1007", """[Recipe("a")] public partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""", "T")]
    [InlineData("SM1008", """[Recipe("a")] public static partial class T { public static string Define() => ""; }""", "T")]
    [InlineData("SM1006", """[Recipe("a")] public static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; } [Recipe("A")] public static partial class U { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""", "\"A\"")]
    public void The_shape_of_the_class_is_checked(string id, string source, string place)
    {
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(RecipeCompilation.Of(source)));
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(place, RecipeCompilation.TextAt(diagnostic.Location));
    }

    [Theory]
    [MemberData(nameof(FoldingTests.Constructs), MemberType = typeof(FoldingTests))]
    public void A_sound_recipe_has_nothing_to_report(string expression)
    {
        if (!expression.Contains("Handles", StringComparison.Ordinal))
            Assert.DoesNotContain(RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe(expression))), d => !IsStyle(d.Id));
    }

    /// <summary>What each rule must not report: the nearest thing that is right.</summary>
    public static TheoryData<string, string> Sound() => new()
    {
        { "SM1001 SM1002 SM1003 SM1004", """new Average { Base = Folder("a"), Experts = [Folder("a"), Folder("c"), new(Hub("c/d")) { Weight = 2 }] }""" },
        { "SM1002", """new Average { Experts = [new(Folder("a")) { Layers = 0..2 }, new(Folder("a")) { Layers = 1..3 }] }""" },
        { "SM1010", """new Average { Experts = [Hub("o.r-g_1/na.me"), Hub("gpt", "v1.0"), Folder("/absolute/path"), Folder("..")] }""" },
        { "SM1011", """new ModelStock { Base = Folder("b"), Experts = [Folder("a"), Folder("c")] }""" },
        { "SM1012", """new Stack { Slices = [new Average { Experts = [Folder("a")], Layers = 0..4, Missing = MissingTensors.Union }], Dtype = DType.BF16, NonFinite = NonFinite.Propagate }""" },
        { "SM1013", """new Modules { Parts = [Part("**", Stack(From(Folder("a"), 0..4)))] }""" },
        { "SM1013", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Missing = MissingTensors.Union, Trim = TrimScope.Tensor }""" },
        { "SM1014", """new Average { Experts = [new(From(new Average { Experts = [Folder("a"), Folder("c")] })) { Weight = Sweep(1, 2) }, Folder("d")] }""" },
        { "SM1015 SM1018", """new Average { Experts = [From<Stage>(), From(Stage.Define(), "again")] }""" },
        { "SM2001", """new DareTies { Base = Folder("b"), Experts = [Folder("a")], Density = 1e-300, TrimDensity = 1, Seed = 9007199254740991 }""" },
        { "SM2002", """new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = double.MaxValue }""" },
        { "SM2004", """new Average { Experts = [new(Folder("a")) { Weight = 1 }, new(Folder("b")) { Weight = -1 }], Normalize = null, Tensors = [] } with { Experts = [new(Folder("a")) { Weight = 2 }, new(Folder("b")) { Weight = -1 }] }""" },
        { "SM2004", """new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = 1 }, new(Folder("c")) { Weight = -1 }] }""" },
        { "SM2005", """new NuSlerp { Experts = [Folder("a"), Folder("b")], ColumnWise = true, Flatten = false }""" },
        { "SM2006 SM2007 SM2008", """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = 0 }], Density = 0.1, MaxShardSize = "1.5GiB", Dtype = DType.F64 }""" },
        { "SM2009", """new NearSwap { Base = Folder("b"), Experts = [Folder("a")], T = 0 }""" },
        { "SM2005 SM2008", """new DareTies { Base = Folder("b"), Experts = [Folder("a")], Drop = Drop.Smallest, OnWeights = true, Rescale = Rescale.None, Combine = Combine.Median, Seed = null }""" },
        { "SM2005 SM2008", """new DareLinear { Base = Folder("b"), Experts = [Folder("a")], Drop = Drop.Random, OnWeights = true, WriteBack = false, MaskFile = "masks.safetensors" }""" },
        { "SM2010 SM2012", """Stack(From(Folder("a"), 0..1), new Average { Experts = [new(Folder("a")) { Layers = 3..5 }, new(Folder("b")) { Layers = 1..3 }] })""" },
        { "SM2011", """new Average { Experts = [Folder("a"), new(Folder("b")) { Weight = Gradient(0, 1, 0) }] }""" },
        { "SM2015", """new Average { Experts = [new(Folder("a")) { Weight = 0.333 }, new(Folder("b")) { Weight = 0.667 }], Normalize = false }""" },
        { "SM2015", """new Average { Experts = [new(Folder("a")) { Weight = 3 }, new(Folder("b")) { Weight = 4 }] }""" },
        { "SM2016", """new Della { Base = Folder("b"), Experts = [Folder("a"), new(Folder("c")) { Density = 1 }], Density = 0.85, Epsilon = 0.15 }""" },
        { "SM2017", """new Average { Experts = [Folder("a"), Folder("c")], ChatTemplate = "mistral" }""" },
        { "SM2017", """new Average { Experts = [Folder("a"), Folder("c")], ChatTemplate = "{{ x }}" }""" },
        { "SM2017 SM1012", """new Stack { Slices = [From(Folder("a"), 0..4)], ChatTemplate = ChatTemplate.Auto }""" },
        { "SM2013 SM2014", """new DareTies { Base = Hub("a/b"), Experts = [Folder("a")] }""" },
        { "SM3001 SM3003 SM3004", """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Tensors = [On("**.?.{x,y*}") with { Weight = 0.5 }] }], Tensors = [Keep("*")] }""" },
        { "SM3002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("lm_head.**") with { Weight = 2 }, On("x.**") with { Weight = 1 }, On("**") with { Weight = 3 }] }""" },
        { "SM3002", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("**.mlp.**") with { Weight = 2 }, On("**.mlp.**") with { Density = 0.1 }, Keep("lm_head.**")] }""" },
        { "SM3005", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("**.mlp.**") with { Weight = 2 }, On("**.self_attn.**") with { Weight = 1 }, On("model.layers.0.**") with { Density = 0.1 }] }""" },
        { "SM3006", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [Keep("**.norm3.**", "**.my_own_thing.**", "**.gate_proj1.**", "**.self_*.**")] }""" },
        { "SM3007", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("model.layers.*.mlp.up_proj.weight") with { Weight = Gradient(0, 1) }, On("lm_head.**") with { Weight = 0.5 }] }""" },
        { "SM4001 SM4002 SM4003", """new TaskArithmetic { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Sweep(1, 2) }], Lambda = Sweep(1, 2) }""" },
        { "SM4004 SM4005 SM4006", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Zip("Ax-is_1", 1, 1, 2), Density = Zip("Ax-is_1", 0.1, 0.2, 0.2) }""" },
        { "SM0001", """new Average { Experts = [new(Folder("a")) { Weight = 1 }, new(Folder("c")) { Weight = 2 }] }""" },
        { "SM0002", """new DareTies { Base = Folder("b"), Experts = [Folder("a")], Seed = 0, Density = 1, Profile = Profile.Paper, Lambda = 0.9 }""" },
        { "SM0003", """new Average { Experts = [Hub("openai-community/gpt2"), Folder("gpt2")] }""" },
        { "SM0004", """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Zip("w", 1, 3, 2) }], Lambda = Sweep(3, 2, 1), Density = Zip("w", 0.1, 0.2, 0.3) }""" },
        { "SM0005", """new Average { Base = Folder("a"), Experts = [Folder("A"), Hub("a"), Hub("a", "v1")] }""" },
        { "SM0006 SM0007", """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Gradient(1, 1, 0) }], Lambda = Sweep(1, 2) }""" },
    };

    [Theory]
    [MemberData(nameof(Sound))]
    public void The_nearest_right_thing_has_nothing_to_report(string ids, string expression)
    {
        const string Stage = """[Recipe("stage")] public sealed partial class Stage : IRecipe { public static Recipe Define() => new Average { Experts = [Folder("n"), Folder("m")] }; }""";
        var compilation = RecipeCompilation.Of(RecipeCompilation.Recipe(expression), Stage);
        Assert.DoesNotContain(compilation.GetDiagnostics(), d => d.Severity == DiagnosticSeverity.Error);
        Assert.DoesNotContain(RecipeCompilation.Analyze(compilation), d => !IsStyle(d.Id) || ids.Contains(d.Id, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_rule_of_recipes_has_a_test_for_a_hit_and_one_for_no_hit()
    {
        string[] elsewhere = ["SM1005", "SM1006", "SM1007", "SM1008", "SM1009", "SM1016", "SM1017", "SM1019", "SM2013", "SM2014", "SM3010", "SM3011", "SM3012", "SM3013", "SM3014", "SM4003", "SM0005"];
        var hit = Breaches().Select(row => (string)row[0]).Concat(elsewhere).ToHashSet();
        var missed = string.Join(" ", Sound().Select(row => (string)row[0]));
        foreach (var rule in Recipes.Rules.RuleTable.All.Where(r => r.Id[2] != '5'))
        {
            Assert.Contains(rule.Id, hit);
            Assert.True(missed.Contains(rule.Id, StringComparison.Ordinal) || elsewhere.Contains(rule.Id), rule.Id);
        }
    }

    [Fact]
    public void A_reproducible_recipe_names_seeds_and_commits()
    {
        const string Source = """[Recipe("a", Reproducible = true)] public static partial class T { public static Recipe Define() => new Stack { Slices = [new DareTies { Base = Hub("a/b", «"main"»), Experts = [Hub("c/d", "0123456789abcdef0123456789abcdef01234567")], Layers = 0..2 }] }; }""";
        var diagnostics = RecipeCompilation.Analyze(RecipeCompilation.Of(Source.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal)));
        Assert.Equal(["SM2013", "SM2014"], diagnostics.Select(d => d.Id));
        Assert.StartsWith("new DareTies", RecipeCompilation.TextAt(diagnostics[0].Location), StringComparison.Ordinal);
        Assert.Equal("\"main\"", RecipeCompilation.TextAt(diagnostics[1].Location));
        Assert.Empty(RecipeCompilation.Metadata(RecipeCompilation.Load(RecipeCompilation.Of(Source.Replace("«\"main\"»", "\"x\"", StringComparison.Ordinal))), "smelt.recipe"));
        Assert.Empty(RecipeCompilation.Analyze(RecipeCompilation.Of(Source.Replace("«\"main\"»", "\"0000000000000000000000000000000000000000\"", StringComparison.Ordinal).Replace("Layers", "Seed = 1, Layers", StringComparison.Ordinal))));
    }

    [Fact]
    public void A_model_written_out_several_times_is_reported_at_each()
    {
        var diagnostics = RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe(
            """Stack(From(Folder("a"), 0..2), From(Hub("b/c"), 0..2), From( Folder( "a"), 1..3))""")));
        Assert.Equal(["SM0005", "SM0005"], diagnostics.Select(d => d.Id));
        Assert.Equal(["Folder(\"a\")", "Folder( \"a\")"], diagnostics.Select(d => RecipeCompilation.TextAt(d.Location)));
    }

    private static bool IsStyle(string id) => id.StartsWith("SM0", StringComparison.Ordinal);

    [Fact]
    public void All_problems_are_reported_at_once()
    {
        var diagnostics = RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe(
            """new Ties { Experts = [new(Folder("a")) { Density = 2 }, Folder("a")], Lambda = double.NaN, Tensors = [Keep("..")] }""")));
        Assert.Equal(["SM1002", "SM1004", "SM2001", "SM2002", "SM3001"], diagnostics.Select(d => d.Id).Order());
        Assert.All(diagnostics, d => Assert.Equal(DiagnosticSeverity.Error, d.Severity));
    }

    /// <summary>Rule, source of an experiment's Define with the place between marks, and a part of the message.</summary>
    public static TheoryData<string, string, string> ExperimentBreaches() => new()
    {
        { "SM1016", """new() { Pools = [Pool("p", Folder("b"), Folder("x"), Folder("y"))], Arms = [Arm("a", new Average())], Subsets = «Nested([2, 4])» }""", "a subset has 4 experts" },
        { "SM1016", """new() { Pools = [Pool("p", Folder("b"), Folder("x"))], Arms = [Arm("a", new Average { Experts = «[Folder("z")]» })] }""", "come from the pools" },
        { "SM1017", """new() { Pools = [Pool("p", Folder("b"), Folder("x"))], Arms = [Arm("a", new Average()), Arm(«"A"», new Average())] }""", "used twice among the arms" },
        { "SM1002", """new() { Pools = [Pool("p", Folder("b"), Folder("x"), «Folder("x")»)], Arms = [Arm("a", new Average())] }""", "already listed" },
        { "SM2001", """new() { Pools = [Pool("p", Folder("b"), Folder("x"))], Arms = [Arm("a", new Ties { Density = «1.5» })] }""", "density is 1.5" },
    };

    [Theory]
    [MemberData(nameof(ExperimentBreaches))]
    public void A_breach_of_an_experiment_is_reported_on_its_expression(string id, string marked, string message)
    {
        string Source(string expression) => $$"""[Experiment("e")] public static class E { public static Experiment Define() => {{expression}}; }""";
        var place = marked[(marked.IndexOf('«', StringComparison.Ordinal) + 1)..marked.IndexOf('»', StringComparison.Ordinal)];
        var source = marked.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal);
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(RecipeCompilation.Of(Source(source))));
        Assert.Equal(id, diagnostic.Id);
        Assert.Contains(message, diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Equal(place, RecipeCompilation.TextAt(diagnostic.Location));
    }

    [Fact]
    public void An_experiment_folds_to_what_its_code_makes()
    {
        const string source = """
            [Experiment("grid")]
            public static class Grid
            {
                private static readonly Scalar Lambdas = Sweep(0, 0.5);
                public static Experiment Define() => new()
                {
                    Pools = [Pool("p", Folder("b"), Folder("x"), new(Folder("y")) { Weight = 2 }, Folder("z"))],
                    Arms = [Arm("mean", new Average()), Arm("sum", new TaskArithmetic { Lambda = Lambdas })],
                    Subsets = Nested([2, 3], draws: 2),
                };
            }

            [Experiment("late")]
            public static class Late
            {
                public static Experiment Define() => new() { Pools = [Pool(Environment.MachineName, Folder("b"), Folder("x"))], Arms = [Arm("mean", new Average())] };
            }
            """;
        var compilation = RecipeCompilation.Of(source);
        Assert.Equal("SM1009", Assert.Single(RecipeCompilation.Analyze(compilation)).Id);
        var assembly = RecipeCompilation.Load(compilation);
        var made = (Smelt.Recipes.Experiment)assembly.GetType("Grid")!.GetMethod("Define")!.Invoke(null, null)!;
        Assert.Equal(Smelt.Recipes.Configuration.ConfigurationWriter.Write("grid", made), RecipeCompilation.Metadata(assembly, "smelt.experiment:")["grid"]);
        Assert.Equal("Late", RecipeCompilation.Metadata(assembly, "smelt.experiment-dynamic:")["late"]);
    }

    private const string Locked = """
        smelt-lock 1
        layout 1
        tensor BF16 64x8 model.embed_tokens.weight
        tensor BF16 8x8 model.layers.0.mlp.up_proj.weight
        tensor BF16 8x8 model.layers.1.mlp.up_proj.weight
        model folder b
        layout 1
        model folder a
        layout 1
        layout 2
        tensor BF16 65x8 model.embed_tokens.weight
        tensor BF16 8x8 model.layers.0.mlp.up_proj.weight
        model folder c
        layout 2

        """;

    [Theory]
    [InlineData("SM3010", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On(«"**.up_porj.**"») with { Density = 0.3 }] }""", "Did you mean '**.up_proj.**'?")]
    [InlineData("SM3010", """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [Keep("**.embed_tokens.*", «"lm_head.**"»)] }""", "matches none of the 3 tensors of folder b")]
    [InlineData("SM3012", """new Average { Base = Folder("b"), Experts = [Folder("a"), «Folder("c")»], Tensors = [Keep("**.embed_tokens.*")] }""", "lacks 1 tensors of folder b: model.layers.1")]
    [InlineData("SM3011", """new Average { Experts = [Folder("c"), «Folder("a")»] }""", "in the shape [64, 8]")]
    [InlineData("SM3013", """Stack(From(Folder("a"), 0..2), From(«Folder("c")», 0..2))""", "folder c has 1")]
    public void A_recipe_is_checked_against_the_lock_file_while_it_is_typed(string id, string marked, string message)
    {
        var place = marked[(marked.IndexOf('«', StringComparison.Ordinal) + 1)..marked.IndexOf('»', StringComparison.Ordinal)];
        var compilation = RecipeCompilation.Of(RecipeCompilation.Recipe(marked.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal)));
        Assert.Empty(RecipeCompilation.Analyze(compilation));
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(compilation, Locked));
        Assert.Equal(id, diagnostic.Id);
        Assert.Contains(message, diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Equal(place, RecipeCompilation.TextAt(diagnostic.Location));
    }

    [Theory]
    [InlineData("""new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [On("**.up_proj.**") with { Density = 0.3 }] }""")]
    [InlineData("""new Average { Experts = [Folder("unknown"), Folder("c")], Tensors = [Keep("**.embed_tokens.*")] }""")]
    [InlineData("""new Average { Experts = [Folder("b"), Folder("c")], Tensors = [Keep("**.embed_tokens.*")], Missing = MissingTensors.Union }""")]
    [InlineData("""Stack(From(Folder("a"), 1..), From(Folder("c"), 0..1))""")]
    public void What_the_lock_file_allows_is_not_reported(string expression) =>
        Assert.Empty(RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe(expression)), Locked));

    [Fact]
    public void A_lock_file_that_is_none_is_reported_once()
    {
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe("""new Average { Experts = [Folder("a")] }""")), "smelt-lock 1\n<<<<<<<"));
        Assert.Equal("SM3014", diagnostic.Id);
        Assert.Contains("line 2", diagnostic.GetMessage(), StringComparison.Ordinal);
    }
}
