using System.Diagnostics;
using System.Reflection;

namespace Smelt.Sdk.Tests;

/// <summary>What a command printed, and its exit code.</summary>
/// <param name="Code">The exit code.</param>
/// <param name="Text">Standard output and error.</param>
public sealed record Outcome(int Code, string Text);

/// <summary>
/// The packages, packed once into a folder that is the only source of the projects under test, with a cache of its own, so
/// that they are what a user gets.
/// </summary>
public sealed class Packages : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Packs them.</summary>
    public Packages()
    {
        // Spaces and letters beyond ASCII: all that follows happens below it.
        Root = Directory.CreateTempSubdirectory("smelt sdk é ").FullName;
        Repository = Path.GetFullPath(Path.Combine(Metadata("ProjectDirectory"), "..", ".."));
        foreach (var project in new[] { "Smelt.Recipes", "Smelt.Sdk", "Smelt.Templates" })
        {
            var packed = Run(Repository, "dotnet", "pack", Path.Combine("src", project), "-c", Metadata("Configuration"), "-o", Feed, "-v", "q", "--nologo");
            Assert.True(packed.Code == 0, packed.Text);
        }

        File.WriteAllText(Path.Combine(Root, "nuget.config"), $"<configuration><packageSources><clear /><add key=\"feed\" value=\"{Feed}\" /></packageSources></configuration>");
        var installed = Run(Root, "dotnet", "new", "install", Directory.GetFiles(Feed, "Smelt.Templates.*.nupkg").Single(), "--debug:custom-hive", Hive);
        Assert.True(installed.Code == 0, installed.Text);
    }

    /// <summary>A folder for the projects under test.</summary>
    public string Root { get; }

    /// <summary>This repository.</summary>
    public string Repository { get; }

    /// <summary>The folder of the packages.</summary>
    public string Feed => Path.Combine(Root, "feed");

    /// <summary>Where the templates are installed.</summary>
    public string Hive => Path.Combine(Root, "hive");

    /// <summary>The version of the packages.</summary>
    public string Version => Path.GetFileNameWithoutExtension(Directory.GetFiles(Feed, "Smelt.Sdk.*.nupkg").Single())["Smelt.Sdk.".Length..];

    /// <summary>Makes a project of a template.</summary>
    public string Create(string template, string name)
    {
        var created = Run(Root, "dotnet", "new", template, "-o", name, "--debug:custom-hive", Hive);
        Assert.True(created.Code == 0, created.Text);
        return Path.Combine(Root, name);
    }

    /// <summary>Runs dotnet build in a folder.</summary>
    public Outcome Build(string folder, params string[] arguments) => Run(folder, "dotnet", ["build", "--nologo", "-v", "n", .. arguments]);

    /// <summary>Runs a command.</summary>
    public Outcome Run(string folder, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        if (folder != Repository)
            start.Environment["NUGET_PACKAGES"] = Path.Combine(Root, "packages");

        // What the build that runs these tests says of itself is not for the builds under test.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || k.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{command} {string.Join(' ', arguments)} did not end");
        }

        return new Outcome(process.ExitCode, output.Result + error.Result);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static string Metadata(string key) =>
        typeof(Packages).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == key).Value!;
}
