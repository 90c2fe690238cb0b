using Smelt.Tool.Commands;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Tests;

/// <summary>Recipes in an assembly: constant ones from metadata, the others through a child process.</summary>
public sealed class AssemblySourceTests : IDisposable
{
    private static readonly string Fixture = typeof(Fixture.Evaluated).Assembly.Location;

    private readonly Workspace _work = new();
    private readonly Captured _captured = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Constant_recipes_are_read_from_metadata()
    {
        var read = AssemblyRecipes.Read(Fixture);
        Assert.Equal("Smelt.Tool.Fixture", read.AssemblyName);
        var constant = read.Recipes.Single(r => r.Name == "constant");
        Assert.Equal(Tool.Fixture.Constant.Json, constant.Configuration);
        Assert.Equal(64, constant.Hash!.Length);
        Assert.Equal("Smelt.Tool.Fixture.Throwing", read.Recipes.Single(r => r.Name == "throwing").EvaluatedType);
        Assert.DoesNotContain(read.Recipes, r => r.Name.Contains("another", StringComparison.Ordinal));
    }

    [Fact]
    public void A_constant_recipe_is_listed_with_the_hash_it_was_compiled_with()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("check", Fixture, "--recipe", "constant", "--no-inputs", "--json"));
        Assert.Equal(AssemblyRecipes.Read(Fixture).Recipes.Single(r => r.Name == "constant").Hash, _captured.Json.GetProperty("recipes")[0].GetProperty("sha256").GetString());
    }

    [Fact]
    public void A_recipe_that_is_not_constant_is_evaluated()
    {
        Assert.Equal(ExitCode.Done, _captured.Run("check", Fixture, "--recipe", "evaluated", "--no-inputs", "--json"));
        var recipe = Assert.Single(_captured.Json.GetProperty("recipes").EnumerateArray());
        Assert.Equal(["lambda=0.5", "lambda=1"], recipe.GetProperty("outputs").EnumerateArray().Select(o => o.GetString()));
        Assert.Equal(2, recipe.GetProperty("experts").GetInt32());
    }

    [Theory]
    [InlineData("changed", "SM8007", "when it was compiled")]
    [InlineData("throwing", "SM8006", "Define threw InvalidOperationException: no models here")]
    [InlineData("exiting", "SM8006", "exit code 7")]
    [InlineData("missing", "SM8006", "no static method Define")]
    [InlineData("breaking-rules", "SM1003", "base")]
    public void What_is_wrong_with_a_recipe_is_one_clear_message(string recipe, string rule, string part)
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("check", Fixture, "--recipe", recipe, "--no-inputs"));
        var line = _captured.Error.Split('\n').Single(l => l.Contains(rule, StringComparison.Ordinal));
        Assert.StartsWith($"{recipe}: error {rule} at ", line, StringComparison.Ordinal);
        Assert.Contains(part, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recipe_that_fails_does_not_stop_the_others()
    {
        Assert.Equal(ExitCode.BadInput, _captured.Run("check", Fixture, "--recipe", "throwing", "--recipe", "constant", "--no-inputs"));
        Assert.Equal(["constant: ok", "throwing: has errors"], _captured.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Order());
    }

    [Fact]
    public void Models_are_found_from_the_project_of_an_assembly_and_every_recipe_gets_its_folder()
    {
        // As after a plain build: the assembly lies below its project, and the models beside the project.
        var assembly = _work["project/bin/Release/Smelt.Tool.Fixture.dll"];
        _work.Write("project/Smelt.Tool.Fixture.csproj", "");
        Directory.CreateDirectory(Path.GetDirectoryName(assembly)!);
        File.Copy(Fixture, assembly);
        foreach (var model in new[] { "one", "two", "base", "expert0", "expert1" })
            _work.Model("project/" + model, 1, 2, 3 + model.Length);

        Assert.Equal(ExitCode.Done, _captured.Run("run", assembly, "--recipe", "constant", "--recipe", "evaluated", "--out", _work["merged"]));
        Assert.Equal([1, 2, 6], Workspace.Values(_work["merged/constant"], 3));
        Assert.True(File.Exists(_work["merged/evaluated/lambda=0.5/model.safetensors"]));
        Assert.True(File.Exists(_work["merged/evaluated/lambda=1/smelt.json"]));
    }

    [Fact]
    public void All_outputs_are_looked_at_before_the_first_is_made()
    {
        var assembly = _work["Smelt.Tool.Fixture.dll"];
        File.Copy(Fixture, assembly);
        foreach (var model in new[] { "one", "two", "base", "expert0", "expert1" })
            _work.Model(model, 1, 2, 3 + model.Length);
        _work.Write("merged/evaluated/precious.txt", "kept");

        Assert.Equal(ExitCode.BadInput, _captured.Run("run", assembly, "--recipe", "constant", "--recipe", "evaluated", "--out", _work["merged"]));
        Assert.Contains("evaluated: error SM7008", _captured.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["merged/constant"]));
        Assert.Equal("kept", File.ReadAllText(_work["merged/evaluated/precious.txt"]));
    }

    [Fact]
    public void After_a_stop_the_recipes_that_are_left_are_named_with_their_folder()
    {
        var assembly = _work["Smelt.Tool.Fixture.dll"];
        File.Copy(Fixture, assembly);
        foreach (var model in new[] { "one", "two", "base", "expert0", "expert1" })
            _work.Model(model, 1, 2, 3 + model.Length);
        var arguments = new MergeArguments { Path = assembly, Recipes = ["constant", "evaluated"], Output = _work["merged"] };
        Session.Run("run", _captured.Terminal, json: false, session =>
        {
            var (merges, worst) = PreparedMerge.Prepare(session, arguments, CancellationToken.None);
            Assert.Null(RunCommand.HowToGoOn(arguments, [], merges));
            Assert.Equal(
                $"finished: constant; for the rest: --recipe evaluated --out {_work["merged/evaluated"]}",
                RunCommand.HowToGoOn(arguments, [merges[0]], [merges[1]]));
            return worst;
        });
        Assert.Empty(_captured.Error);
    }
}
