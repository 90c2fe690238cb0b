using Smelt.Recipes;
using Smelt.Recipes.Configuration;

namespace Smelt.Generators.Tests;

/// <summary>
/// Where a static member does not have, at run time, the value that its initialiser spells, the compiler must leave the
/// recipe to run time: a configuration that differs from the recipe's own code is the one fault nobody would see.
/// </summary>
public class FidelityTests
{
    /// <summary>The value of Lambda, and the members that it needs.</summary>
    public static TheoryData<string, string> Folded() => new()
    {
        { "H.F", "public static readonly float F = 0.1f;" },
        { "H.I", "public static readonly int I = 3;" },
        { "H.L", "public static readonly long L = 1L << 40;" },
        { "(double)H.I", "public static readonly int I = 3;" },
        { "(double?)H.D", "public static readonly double D = 0.3;" },
        { "H.D", "public static double D { get; } = 0.3;" },
        { "H.D", "public static double D => 0.3;" },
        { "H.D", "public static double D { get => 0.3; }" },
        { "H.S", "public static readonly Scalar S = 0.3;" },
        { "H.S", "public static Scalar S => Sweep(0.1, 0.2);" },
        { "Sweep([.. H.Some, 9])", "public static readonly int[] Some = [1, 2, 3];" },
        { "Sweep(H.Some)", "public static readonly double[] Some = { 1, 2, 3 };" },
        { "Sweep(new[] { 0.5, -0.25 })", "" },
        { "Sweep(points: [-0.0, 1e300])", "" },
        { "H.B", "public static readonly double A = 0.5; public static double B => C; public static readonly double C = A;" },
        { "1 + H.C * 2", "public const double C = 0.1;" },
        { "-(H.C)", "public const int C = 7;" },
        { "(int)H.C", "public const double C = 0.9;" },
        { "unchecked((int)3_000_000_000)", "" },
        { "default", "" },
        { "null", "" },
        { "'a'", "" },
        { "(byte)200", "" },
        { "ulong.MaxValue", "" },
        { "Math.PI", "" },
    };

    /// <summary>The value of Lambda, and members whose value at run time is not what a reader of the initialiser expects.</summary>
    public static TheoryData<string, string> LeftToRunTime() => new()
    {
        { "(int)H.D", "public static readonly double D = 0.9;" },
        { "(long)H.D", "public static readonly double D = 2.5;" },
        { "(float)H.D", "public static readonly double D = 0.1;" },
        { "(byte)H.I", "public static readonly int I = 300;" },
        { "H.D", "public static readonly double D = 0.5; static H() { D = 0.25; }" },
        { "H.D", "public static double D { get; } = 0.5; static H() { D = 0.25; }" },
        { "H.B", "public static readonly double B = A; public static readonly double A = 0.5;" },
        { "H.B", "public static double B { get; } = A; public static double A { get; } = 0.5;" },
        { "H.B", "public static readonly double B = C; public static double C => A; public static readonly double A = 0.5;" },
        { "H.B", "public static readonly double B = K.A; } internal static class K { public static readonly double A = H.C; } internal static partial class H { public static readonly double C = 0.5;" },
        { "H.D", "public static double D { get => field * 2; } = 0.25;" },
        { "H.D", "public static double D = 0.5;" },
        { "H.D", "public static double D { get; set; } = 0.5;" },
        { "H.D", "public static double D { get { return Math.Sqrt(2); } }" },
        { "H.A", "public static double A => B; public static double B => A;" },
        { "H.Not", "[System.ThreadStatic] public static readonly double Not = 0.5;" },
    };

    [Theory]
    [MemberData(nameof(Folded))]
    public void A_value_that_is_certain_is_folded_to_what_the_code_makes(string value, string members)
    {
        var (folded, executed) = FoldAndExecute(value, members);
        Assert.Equal(executed, folded);
    }

    [Theory]
    [MemberData(nameof(LeftToRunTime))]
    public void A_value_that_the_initialiser_does_not_tell_is_left_to_run_time(string value, string members)
    {
        var compilation = Compilation(value, members);
        var result = RecipeCompilation.Driver().RunGenerators(compilation).GetRunResult();
        Assert.All(result.Results, r => Assert.Null(r.Exception));
        Assert.Equal(["SM1009"], RecipeCompilation.Analyze(compilation).Select(d => d.Id));
    }

    [Fact]
    public void The_default_of_a_size_is_no_bytes_rather_than_no_size()
    {
        var diagnostic = Assert.Single(RecipeCompilation.Analyze(RecipeCompilation.Of(RecipeCompilation.Recipe(
            """new Average { Experts = [Folder("a")], MaxShardSize = default(ByteSize) }"""))));
        Assert.Equal("SM2001", diagnostic.Id);
        Assert.Equal("default(ByteSize)", RecipeCompilation.TextAt(diagnostic.Location));
    }

    private static (string? Folded, string Executed) FoldAndExecute(string value, string members)
    {
        var assembly = RecipeCompilation.Load(Compilation(value, members));
        var executed = (Recipe)assembly.GetType("Test")!.GetMethod("Define")!.Invoke(null, null)!;
        return (RecipeCompilation.Metadata(assembly, "smelt.recipe:").GetValueOrDefault("test"), ConfigurationWriter.Write("test", executed));
    }

    private static Microsoft.CodeAnalysis.CSharp.CSharpCompilation Compilation(string value, string members) => RecipeCompilation.Of(
        RecipeCompilation.Recipe($$"""new TaskArithmetic { Base = Folder("b"), Experts = [Folder("a")], Lambda = {{value}} }"""),
        "internal static partial class H { " + members + " }");
}
