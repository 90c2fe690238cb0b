using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Smelt.Generators.Tests;

/// <summary>Whatever stands in the source, neither generator nor analyzer fails: a user sees the compiler's own errors alone.</summary>
public class RobustnessTests
{
    private const string Handles = "internal static class Handles { public static readonly Expert[] More = [Folder(\"x\")]; }";

    private static readonly string Rich = RecipeCompilation.Recipe(
        """new Ties { Base = Folder("b"), Experts = [new(Folder("a")) { Weight = Sweep(1, 2) }, .. Handles.More], Tensors = [On("**") with { Weight = 1 }, Keep("k.**")], Dtype = DType.BF16, MaxShardSize = "5GB" } with { Lambda = -2.5 }""");

    /// <summary>Values of the wrong type, nulls, texts without meaning.</summary>
    public static TheoryData<string> Odd() =>
    [
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = "x" }""",
        """new Ties { Base = 5, Experts = [Folder("a")] }""",
        """new Ties { Base = new Average(), Experts = [Folder("a")] }""",
        """new Ties { Base = new InvalidInputException(null, null) }""",
        """new Ties { Base = Folder(5), Experts = [1, "x", new Average(), null] }""",
        """new Ties { Experts = 5 }""",
        """new Ties { Experts = null! }""",
        """new Ties { Experts = default! }""",
        """new Ties { Tensors = null!, Base = Folder("b"), Experts = [Folder("a")] }""",
        """new Ties { Base = Folder("b"), Experts = [null!] }""",
        """new Ties { Base = Folder("b"), Experts = [new(null!)] }""",
        """new Ties { Base = Folder("b"), Experts = [(Model)null!] }""",
        """new Ties { Base = Folder(null!), Experts = [Hub(null!), Hub("a/b", null!)] }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [null!, On(null!), Keep(null!), Keep([null!]), new KeepRule(null!)] }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Sweep(null!) }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], MaxShardSize = (string)null! }""",
        """new Ties { Base = Folder("\ud800"), Experts = [Folder("a")] }""",
        """new Ties { Base = Folder("b\0"), Experts = [Folder("a\udc00\ud800")] }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Tensors = [Keep("\ud800")] }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Unknown = 1, Lambda = }""",
        """new Ties { Base = Folder("b"), Base = Folder("c"), Experts = [Folder("a")] }""",
        """new Recipe { }""",
        """new Ties()""",
        """new()""",
        """null!""",
        """default""",
        """throw null!""",
        """new Ties { Base = Nowhere.Base, Experts = [.. Nowhere.All, .. 5, .. null] }""",
        """new Ties { Experts = { Folder("a") } }""",
        """new Ties { Base = { } }""",
        """new Ties with { }""",
        """5 with { Lambda = 1 }""",
        """(Recipe)"x" """,
        """new Ties { Base = Folder("b"), Experts = [Folder("a")] } with { Density = (Scalar?)Profile.Paper, Profile = (Profile)0.5, Trim = 0 }""",
        """new Ties { Base = Folder("b"), Experts = new Expert[] { Folder("a") }, Tensors = new[,] { { 1 } } }""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], MaxShardSize = new ByteSize() }""",
        """new Ties { Base = Folder(id: "b"), Experts = [Hub(revision: "v", id: "a/b")] }""",
        """new Ties(1, 2) { Base = Folder(), Experts = [new(), new(1, 2)] }""",
        """Test.Define()""",
        """new Ties { Base = Folder("b"), Experts = [Folder("a")], Lambda = Handles }""",
    ];

    [Theory]
    [MemberData(nameof(Odd))]
    public void Odd_values_never_break_generator_or_analyzer(string expression)
    {
        AssertSound(RecipeCompilation.Recipe(expression));
        AssertSound(RecipeCompilation.Recipe($"H.R with {{ Dtype = null }}") + $"static class H {{ public static readonly Ties R = {expression}; }}");
    }

    [Theory]
    [InlineData("""[Recipe] public static partial class T { public static Recipe Define() => new Average(); }""")]
    [InlineData("""[Recipe(null!)] public static partial class T { public static Recipe Define() => new Average(); }""")]
    [InlineData("""[Recipe(5)] public static partial class T { public static Recipe Define() => new Average(); }""")]
    [InlineData("""[Recipe("\ud800")] public static partial class T { public static Recipe Define() => new Average(); }""")]
    [InlineData("""[Recipe("a"), Recipe("b")] public static partial class T { public static Recipe Define() => new Average(); }""")]
    [InlineData("""[Recipe("a")] static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; } [Recipe("b")] static partial class T { }""")]
    [InlineData("""[Recipe("a")] static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; } [Recipe("b")] static partial class t { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""[Recipe("a")] file static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""[Recipe("a")] static partial class T<X> { public static Recipe Define() => new Average { Experts = [Folder("a")] }; } [Recipe("b")] static partial class T_1 { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""[Recipe("a")] static partial class Configuration { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""[Recipe("a")] static partial class @class { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""[Recipe("a")] static partial class Größe { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""[Recipe("a")] static partial class T { public static partial Recipe Define(); public static partial Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""[Recipe("a")] static partial class T { public static extern Recipe Define(); }""")]
    [InlineData("""[Recipe("a")] static partial class T { public static Recipe Define => new Average(); }""")]
    [InlineData("""[Recipe("a")] static partial class T { public static Recipe Define() { } }""")]
    [InlineData("""[Recipe("a")] static partial class T { public static Recipe Define() { return; } }""")]
    [InlineData("""[Recipe("a")] static partial class T { public static Recipe Define() { } => }""")]
    [InlineData("""[Recipe("a")] partial record T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""[Recipe("a")] struct T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; }""")]
    [InlineData("""namespace @namespace.Smelt { namespace System { [Recipe("a")] static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; } } }""")]
    [InlineData("""partial interface I { partial struct S { partial record struct R { partial record C { [Recipe("a")] internal static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; } } } } }""")]
    [InlineData("""partial class O<@in> where @in : class { [Recipe("a")] internal static partial class T { public static Recipe Define() => new Average { Experts = [Folder("a")] }; } }""")]
    public void Odd_declarations_never_break_generator_or_analyzer(string source) => AssertSound(source);

    [Fact]
    public void A_list_that_doubles_at_each_step_is_given_up_soon()
    {
        var members = string.Concat(Enumerable.Range(0, 20).Select(i => $"public static Expert[] A{i} => [.. A{i + 1}, .. A{i + 1}];"));
        AssertSound(RecipeCompilation.Recipe("new Average { Experts = [.. H.A0] }") + "static class H { " + members + "public static Expert[] A20 => [Folder(\"a\")]; }");
    }

    [Fact]
    public void Deep_nesting_is_given_up_soon()
    {
        var expression = "new Average { Experts = [Folder(\"a\")] }" + string.Concat(Enumerable.Repeat(" with { Normalize = true }", 300));
        AssertSound(RecipeCompilation.Recipe(expression));
    }

    [Fact]
    public void A_source_cut_anywhere_never_breaks_generator_or_analyzer()
    {
        for (var length = 0; length < Rich.Length; length++)
            AssertSound(Rich[..length]);
    }

    [Fact]
    public void A_source_without_one_of_its_tokens_never_breaks_generator_or_analyzer()
    {
        foreach (var token in CSharpSyntaxTree.ParseText(Rich).GetRoot().DescendantTokens())
            AssertSound(Rich.Remove(token.SpanStart, token.Span.Length));
    }

    /// <summary>No exception, no diagnostic of an exception, and no error in a generated file that the user's own files don't have.</summary>
    private static void AssertSound(string source)
    {
        var compilation = RecipeCompilation.Of(source, Handles);
        var driver = RecipeCompilation.Driver().RunGeneratorsAndUpdateCompilation(compilation, out var updated, out var diagnostics);
        Assert.Empty(diagnostics);
        Assert.All(driver.GetRunResult().Results, r => Assert.Null(r.Exception));
        Assert.DoesNotContain(RecipeCompilation.Analyze(compilation), d => d.Id.StartsWith("AD", StringComparison.Ordinal));

        var before = compilation.GetDiagnostics().Count(d => d.Severity == DiagnosticSeverity.Error);
        var after = updated.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).ToArray();
        Assert.True(after.Length <= before, string.Join("\n", after.Select(d => d.ToString())));
    }
}
