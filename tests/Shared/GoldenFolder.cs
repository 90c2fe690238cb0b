using System.Runtime.CompilerServices;

namespace Smelt.Tests;

/// <summary>Finds reference data of other programs.</summary>
internal static class GoldenFolder
{
    /// <summary>
    /// The folder of one kind of goldens: below SMELT_GOLDENS; else below <c>shared/goldens</c> beside the repository; else
    /// the part that the test project carries.
    /// </summary>
    /// <param name="kind">The kind, a folder's name.</param>
    /// <param name="source">The calling source file, filled in by the compiler.</param>
    public static string Of(string kind, [CallerFilePath] string source = "")
    {
        var project = Path.GetDirectoryName(source)!;
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
    public static IEnumerable<string> Sets(string kind, [CallerFilePath] string source = "")
    {
        var folder = Of(kind, source);
        yield return folder;
        if (Directory.Exists(Path.Combine(folder, "more")))
            yield return Path.Combine(folder, "more");
    }
}
