using Smelt.Tool.Sources;

namespace Smelt.Tool.Tests;

/// <summary>What is kept of the output of a build.</summary>
public class BuildDiagnosticsTests
{
    private static readonly string Root = Path.GetFullPath("project");

    [Fact]
    public void A_compiler_error_is_relative_and_without_its_project()
    {
        var problem = Assert.Single(BuildDiagnostics.Parse($"{Path.Combine(Root, "Recipes.cs")}(9,77): error SM2001: density is 1.5; allowed: 0 <= density <= 1. [{Path.Combine(Root, "Quick.csproj")}]\n", Root));
        Assert.Equal(new Problem("SM2001", Severity.Error, "Recipes.cs(9,77)", "density is 1.5; allowed: 0 <= density <= 1."), problem);
        Assert.Equal("Recipes.cs(9,77): error SM2001: density is 1.5; allowed: 0 <= density <= 1.", BuildDiagnostics.Text(problem));
    }

    [Fact]
    public void Repeated_lines_count_once_and_noise_not_at_all()
    {
        var line = "/elsewhere/A.cs(1,2): warning CS0169: The field 'A.b' is never used [/elsewhere/P.csproj::TargetFramework=net10.0]\n";
        var problem = Assert.Single(BuildDiagnostics.Parse("Build started.\n" + line + line + "    1 Warning(s)\n    0 Error(s)\n", Root));
        Assert.Equal("/elsewhere/A.cs(1,2): warning CS0169: The field 'A.b' is never used", BuildDiagnostics.Text(problem));
    }

    [Fact]
    public void Errors_of_the_build_itself_have_no_line()
    {
        var problems = BuildDiagnostics.Parse("/p/P.csproj : error NU1101: Unable to find package X. [/p/P.csproj]\nMSBUILD : error MSB1009: Project file does not exist.\n", Root);
        Assert.Equal(["/p/P.csproj: error NU1101: Unable to find package X.", "MSBUILD: error MSB1009: Project file does not exist."], problems.Select(BuildDiagnostics.Text));
    }
}
