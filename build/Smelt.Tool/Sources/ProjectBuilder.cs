using System.ComponentModel;

namespace Smelt.Tool.Sources;

/// <summary>What building a recipe project gave.</summary>
/// <param name="Assembly">The assembly.</param>
/// <param name="Warnings">The warnings of the build.</param>
internal sealed record BuiltProject(string Assembly, IReadOnlyList<Problem> Warnings);

/// <summary>A recipe project does not build; the compiler's messages say why.</summary>
internal sealed class BuildFailedException(IReadOnlyList<Problem> diagnostics) : Exception("the project does not build.")
{
    /// <summary>The errors and warnings of the build.</summary>
    public IReadOnlyList<Problem> Diagnostics { get; } = diagnostics;
}

/// <summary>Builds recipe projects with the SDK, in a process of its own.</summary>
internal static class ProjectBuilder
{
    private const string SdkFix = "Install the .NET 10 SDK, or name a built assembly or a configuration (.json).";

    private static readonly AsyncLocal<Dictionary<string, BuiltProject>?> Shared = new();

    /// <summary>From here on, what this flow of control starts builds every project once: the verbs of a pipeline share a build.</summary>
    public static void ShareBuilds() => Shared.Value = [];

    /// <summary>Whether a path is a single file of recipes, which needs no project: it names its package, <c>#:package Smelt.Recipes@VERSION</c>.</summary>
    public static bool IsFile(string path) => Path.GetExtension(path).Equals(".cs", StringComparison.OrdinalIgnoreCase);

    /// <summary>Builds a project, or a single file, in Release and finds its assembly.</summary>
    /// <exception cref="BuildFailedException">The project does not build.</exception>
    /// <exception cref="InvalidInputException">There is no SDK.</exception>
    public static BuiltProject Build(string project, CancellationToken cancellation)
    {
        if (Shared.Value?.TryGetValue(project, out var shared) == true)
            return shared;

        // With -getProperty MSBuild keeps standard output for the value and writes diagnostics to standard error; it builds
        // only because a target is named.
        string[] arguments =
        [
            "build", project, "-c", "Release", "-v", "q", "--nologo", "-tl:off", "-clp:NoSummary", "-t:Build", "-getProperty:TargetPath",
            .. IsFile(project) ? ["-p:OutputType=Library", "-p:PublishAot=false"] : Array.Empty<string>(),
        ];
        var folder = Path.GetDirectoryName(project)!;
        var result = Run(arguments, folder, cancellation);
        var diagnostics = BuildDiagnostics.Parse(result.Error + "\n" + result.Out, Environment.CurrentDirectory);
        if (result.ExitCode != 0)
            throw Failure(project, result, diagnostics);

        var assembly = result.Out.Trim();
        if (!File.Exists(assembly))
            throw new InvalidInputException(ToolRules.BuildFailed.Id, project, $"the build made no assembly at '{assembly}'.", "Set neither OutputType nor TargetFrameworks in a recipe project.");
        Shared.Value?.Add(project, new BuiltProject(assembly, []));
        return new BuiltProject(assembly, diagnostics);
    }

    private static ChildResult Run(string[] arguments, string folder, CancellationToken cancellation)
    {
        try
        {
            return ChildProcess.Run(ChildProcess.Dotnet, arguments, folder, cancellation);
        }
        catch (Win32Exception)
        {
            throw new InvalidInputException(ToolRules.NoSdk.Id, folder, "building a recipe project takes the .NET SDK, and there is no 'dotnet' on PATH.", SdkFix);
        }
    }

    private static Exception Failure(string project, ChildResult result, IReadOnlyList<Problem> diagnostics)
    {
        if (diagnostics.Any(d => d.Severity == Severity.Error))
            return new BuildFailedException(diagnostics);
        var said = (result.Error + result.Out).Trim();
        if (said.Contains("No .NET SDKs were found", StringComparison.Ordinal) || said.Contains("compatible .NET SDK was not found", StringComparison.Ordinal))
            return new InvalidInputException(ToolRules.NoSdk.Id, project, "building a recipe project takes the .NET SDK, and no suitable one is installed.", SdkFix);
        return new InvalidInputException(ToolRules.BuildFailed.Id, project, $"dotnet build ended with exit code {result.ExitCode}: {said}");
    }
}
