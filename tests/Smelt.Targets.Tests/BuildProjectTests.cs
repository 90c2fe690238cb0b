using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Smelt.Tests;

namespace Smelt.Targets.Tests;

/// <summary>The build project of docs/targets.md with a recipe project, run as a user runs it.</summary>
public sealed class BuildProjectTests : IDisposable
{
    private static readonly string Binaries = AppContext.BaseDirectory;

    private readonly Run _run = new();

    public BuildProjectTests()
    {
        var page = File.ReadAllText(Path.Combine(GoldenFolder.Repository, "docs", "targets.md")).ReplaceLineEndings("\n");
        Write("build/Build.cs", page.Split("<!-- build -->\n```csharp\n")[1].Split("```")[0]);
        Write("build/build.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable></PropertyGroup>
              <ItemGroup><Reference Include="{Binaries}Smelt.Targets.dll" /><Reference Include="{Binaries}Smelt.Recipes.dll" /></ItemGroup>
            </Project>
            """);
        Write("recipes/recipes.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
              <ItemGroup><Reference Include="{Binaries}Smelt.Recipes.dll" /></ItemGroup>
            </Project>
            """);
        Recipe("one", "two");
        Model("one", 1, 2);
        Model("two", 3, 4);
    }

    public void Dispose() => _run.Dispose();

    [Fact]
    public void It_merges_and_reports_and_does_again_only_what_has_changed()
    {
        var first = Build("--author Ada");
        Assert.True(first.ExitCode == 0, first.Output);
        Assert.Equal(["by Ada", Path.Combine("out", "mean", "model.safetensors")], File.ReadAllLines(Path.Combine(_run.Folder, "report.txt")));
        Assert.DoesNotContain('\u001b', first.Output);
        Assert.Matches(@"(?m)^target +outcome +time$[^$]*^Build +done .*\nCheck +done .*\nPlan +done .*\nMerge +done .*\nReport +done .*\ntotal ", first.Output);

        var second = Build("--author Ada", "--no-build");
        Assert.Matches(@"(?m)^Merge +up to date\nReport +up to date\n", second.Output);

        Model("two", 5, 6);
        var changedModel = Build("Merge --author Ada", "--no-build");
        Assert.Matches(@"(?m)^Merge +done ", changedModel.Output);

        Recipe("one", "one-and-only");
        var broken = Build("", "--no-build");
        Assert.Equal(1, broken.ExitCode);
        Assert.Contains("one-and-only", broken.Output, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^Check +failed: smelt check: dotnet exec ended with exit code 2 .*\nPlan +not run\nMerge +not run\nReport +not run\n", broken.Output);
    }

    private (int ExitCode, string Output) Build(string arguments, params string[] options)
    {
        var start = new ProcessStartInfo("dotnet", ["run", "--project", "build", .. options, "--", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--tool", Path.Combine(Binaries, "smelt.dll")])
        {
            WorkingDirectory = _run.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output.ReplaceLineEndings("\n"));
    }

    /// <summary>Writes a recipe as the generator leaves it in the assembly.</summary>
    private void Recipe(params string[] models)
    {
        var experts = string.Join(",", models.Select(m => $$$"""{"model":{"folder":"{{{m}}}"}}"""));
        Write("recipes/Recipes.cs", $"[assembly: System.Reflection.AssemblyMetadata(\"smelt.recipe:mean\", \"\"\"{{\"version\":1,\"name\":\"mean\",\"method\":\"average\",\"experts\":[{experts}]}}\"\"\")]\n");
    }

    private void Model(string name, params float[] values)
    {
        var data = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        var header = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { ["w"] = new { dtype = "F32", shape = new[] { values.Length }, data_offsets = new[] { 0, data.Length } } });
        Write($"recipes/{name}/config.json", """{"model_type":"test"}""");
        File.WriteAllBytes(Path.Combine(_run.Folder, "recipes", name, "model.safetensors"), [.. BitConverter.GetBytes((long)header.Length), .. header, .. data]);
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_run.Folder, name))!);
        File.WriteAllText(Path.Combine(_run.Folder, name), text);
    }
}
