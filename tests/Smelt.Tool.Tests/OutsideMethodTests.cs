using System.Reflection;
using Smelt.Recipes;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Tests;

/// <summary>Merge methods that other assemblies bring.</summary>
public sealed class OutsideMethodTests : IDisposable
{
    private static readonly string Sample = Metadata("SampleMethod");

    private readonly Workspace _work = new();
    private readonly Captured _captured = new();

    public OutsideMethodTests()
    {
        _work.Model("base", 0, 0, 0, 0);
        _work.Model("a", 1, 1, 1, -9);
        _work.Model("b", 0, 2, 0, 2);
    }

    public void Dispose() => _work.Dispose();

    private static string Metadata(string key) =>
        typeof(OutsideMethodTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;

    /// <summary>The sample's assembly in the folder of the models.</summary>
    private string Copy()
    {
        File.Copy(Sample, _work["Smelt.SampleMethod.dll"]);
        return _work["Smelt.SampleMethod.dll"];
    }

    private void Done(params string[] arguments) => Assert.True(_captured.Run(arguments) == ExitCode.Done, _captured.Error);

    [Fact]
    public void Its_recipes_are_folded_checked_merged_and_verified_like_all_others()
    {
        var assembly = Copy();
        Assert.Equal(["sample.clip"], AssemblyRecipes.Read(assembly).Methods);
        var declared = AssemblyRecipes.Read(assembly).Recipes.Single(r => r.Name == "clipped");
        Assert.Equal("""{"base":{"folder":"base"},"beyond":"zero","experts":[{"model":{"folder":"a"},"weight":0.5},{"model":{"folder":"b"},"weight":1}],"lambda":1,"limit":{"sweep":[1,3]},"maxShardSize":5000000000,"method":"sample.clip","name":"clipped","nonFinite":"fail","version":1}""", declared.Configuration);

        Done("run", assembly, "--recipe", "clipped", "--out", _work["out"], "--no-sync");

        // The means of |d| are 3 and 1; what is larger is dropped at limit 1, and nothing is at limit 3.
        Assert.Equal([0.5f, 0.5f, 0.5f, 0], Workspace.Values(_work["out/limit=1"], 4));
        Assert.Equal([0.5f, 2.5f, 0.5f, -2.5f], Workspace.Values(_work["out/limit=3"], 4));
        Done("verify", _work["out"], "--inputs", "--root", _work.Folder);

        // A recipe that is evaluated takes the same way, its defaults filled in.
        Done("run", assembly, "--recipe", "computed", "--out", _work["computed"], "--no-sync");
        Assert.Equal([0.5f, 2.5f, 0.5f, 0.5f * -6 + 2], Workspace.Values(_work["computed"], 4));
    }

    [Fact]
    public void A_project_outside_of_the_repository_brings_its_own_and_is_loaded_only_where_a_recipe_names_it()
    {
        _work.Write("P/P.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
              <ItemGroup>
                <Reference Include="{typeof(Recipe).Assembly.Location}" />
                <Analyzer Include="{Metadata("Generators")}" />
                <Using Include="Smelt.Recipes" /><Using Include="Smelt.Recipes.Syntax" Static="true" />
              </ItemGroup>
            </Project>
            """);
        _work.Write("P/Method.cs", """
            [Method("outside.shift", "weights moved by a constant")]
            public sealed record Shift : Recipe, IElementMethod
            {
                [Slot("by how much", Required = true)]
                public Scalar? By { get; init; }

                public override bool NeedsBase => false;

                public override int MostExperts => 1;

                public void Merge(in TensorElements elements, Span<float> result)
                {
                    for (var e = 0; e < elements.Length; e++)
                        result[e] = elements.Expert(0)[e] + (float)By!.Value;
                }
            }

            internal static class Mark
            {
                [System.Runtime.CompilerServices.ModuleInitializer]
                internal static void Loaded() => File.WriteAllText(Environment.GetEnvironmentVariable("SMELT_TEST_MARK")!, "");
            }
            """);
        _work.Write("P/Recipes.cs", """
            [Recipe("named")]
            public static partial class Named { public static Recipe Define() => new Shift { Experts = [Folder("../a")], By = 0.5 }; }

            [Recipe("unnamed")]
            public static partial class Unnamed { public static Recipe Define() => new Average { Experts = [Folder("../a"), Folder("../b")] }; }
            """);
        Environment.SetEnvironmentVariable("SMELT_TEST_MARK", _work["loaded"]);
        Done("run", _work["P"], "--recipe", "unnamed", "--out", _work["unnamed"], "--no-sync");
        Assert.False(File.Exists(_work["loaded"]));
        Done("run", _work["P"], "--recipe", "named", "--out", _work["named"], "--no-sync");
        Assert.True(File.Exists(_work["loaded"]));
        Assert.Equal([1.5f, 1.5f, 1.5f, -8.5f], Workspace.Values(_work["named"], 4));

        // What the compiler says of it, and a second method by the same name.
        _work.Write("P/Recipes.cs", """
            [Recipe("named")]
            public static partial class Named { public static Recipe Define() => new Shift { Experts = [Folder("../a"), Folder("../b")] }; }

            [Method("ties", "taken")]
            public sealed record Taken : Recipe, IElementMethod
            {
                public override bool NeedsBase => false;

                public void Merge(in TensorElements elements, Span<float> result) => result.Clear();
            }
            """);
        Assert.Equal(ExitCode.BadInput, _captured.Run("run", _work["P"], "--out", _work["none"]));
        Assert.Contains("SM1011", _captured.Error, StringComparison.Ordinal);
        Assert.Contains("SM2009: by is not given", _captured.Error, StringComparison.Ordinal);
        Assert.Contains("SM1019: the method id 'ties' is one of Smelt's own", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_whose_method_nothing_brings_says_so()
    {
        var file = _work.Write("x.json", """{"version": 1, "name": "x", "method": "nobody.has", "experts": [{"model": {"folder": "a"}}]}""");
        Assert.Equal(ExitCode.BadInput, _captured.Run("check", file, "--no-inputs"));
        Assert.Contains("the method is 'nobody.has'", _captured.Error, StringComparison.Ordinal);
        Assert.Contains("is known where its recipe's project or assembly is run", _captured.Error, StringComparison.Ordinal);
    }
}
