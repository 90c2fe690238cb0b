namespace Smelt.Tool.Tests;

/// <summary>Recipe projects, built by the SDK in a child process.</summary>
public sealed class ProjectSourceTests : IDisposable
{
    private const string Project = """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>""";

    private readonly Workspace _work = new();
    private readonly Captured _captured = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_project_is_built_and_its_recipes_listed()
    {
        _work.Write("P/P.csproj", Project);
        _work.Write("P/Recipes.cs", "[assembly: System.Reflection.AssemblyMetadata(\"smelt.recipe:constant\", \"\"\"" + Fixture.Constant.Json + "\"\"\")]\nclass C { int unused; }\n");
        _work.Model("P/one", 1);
        _work.Model("P/two", 2);

        Assert.Equal(ExitCode.Done, _captured.Run("check", _work["P"]));
        Assert.Equal("constant: ok", _captured.Out.TrimEnd());
        Assert.Matches(@"(?m)^\S*Recipes\.cs\(2,15\): warning CS0169: The field 'C\.unused' is never used$", _captured.Error.ReplaceLineEndings("\n"));
        Assert.EndsWith("1 warning", _captured.Error.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_project_that_does_not_build_shows_the_compilers_errors_alone()
    {
        _work.Write("P/P.csproj", Project);
        _work.Write("P/Recipes.cs", "class C { int F() => \"text\"; }\n");

        Assert.Equal(ExitCode.BadInput, _captured.Run("run", _work["P/P.csproj"], "--json"));
        Assert.Matches(@"^\S*Recipes\.cs\(1,22\): error CS0029: [^\[\]]*\n1 error\n$", _captured.Error.ReplaceLineEndings("\n"));
        Assert.Equal("CS0029", _captured.Json.GetProperty("problems")[0].GetProperty("id").GetString());
    }
}
