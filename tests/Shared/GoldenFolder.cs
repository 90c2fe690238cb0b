using System.Reflection;

namespace Smelt.Tests;

/// <summary>Finds reference data of other programs.</summary>
internal static class GoldenFolder
{
    /// <summary>The folder of the test project.</summary>
    public static string ProjectDirectory { get; } =
        typeof(GoldenFolder).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "ProjectDirectory").Value!;

    /// <summary>The folder of the repository.</summary>
    public static string Repository { get; } = Path.GetFullPath(Path.Combine(ProjectDirectory, "..", ".."));

    /// <summary>
    /// The folder of one kind of goldens: below SMELT_GOLDENS; else below <c>shared/goldens</c> beside the repository; else
    /// the part that the test project carries.
    /// </summary>
    /// <param name="kind">The kind, a folder's name.</param>
    public static string Of(string kind)
    {
        var project = ProjectDirectory;
        var candidates = new[]
        {
            Environment.GetEnvironmentVariable("SMELT_GOLDENS") is { Length: > 0 } named ? Path.Combine(named, kind) : null,
            Path.GetFullPath(Path.Combine(project, "..", "..", "..", "shared", "goldens", kind)),
            Path.Combine(project, "goldens", kind),
        };
        return candidates.FirstOrDefault(Directory.Exists)
            ?? throw new DirectoryNotFoundException($"no goldens of kind '{kind}': set SMELT_GOLDENS");
    }

    /// <summary>The folder of a kind, and its second set where there is one.</summary>
    public static IEnumerable<string> Sets(string kind)
    {
        var folder = Of(kind);
        yield return folder;
        if (Directory.Exists(Path.Combine(folder, "more")))
            yield return Path.Combine(folder, "more");
    }
}
