using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Smelt.Snapshots;

/// <summary>A text is not the verified one. Test frameworks show the message.</summary>
public sealed class SnapshotException(string message) : Exception(message);

/// <summary>
/// Compares texts in tests with verified files that lie in the folder <c>Snapshots</c> beside the test's source:
/// <c>Snapshot.Match(text)</c> in the test <c>Greets</c> of <c>HelloTests.cs</c> compares with
/// <c>Snapshots/HelloTests.Greets.verified.txt</c>. Works with every test framework, as it only throws.
/// </summary>
public static partial class Snapshot
{
    /// <summary>The folder beside a test's source.</summary>
    public const string FolderName = "Snapshots";

    /// <summary>Compares a text with the verified one of the calling test.</summary>
    /// <param name="text">The text.</param>
    /// <param name="parameters">What tells several snapshots of one test apart, a part of the file's name.</param>
    /// <param name="scrub">Takes out of the text what changes from run to run, one after another; see <see cref="Paths"/>.</param>
    /// <param name="extension">The file's extension.</param>
    /// <param name="file">The test's source; leave it to the compiler.</param>
    /// <param name="test">The test; leave it to the compiler.</param>
    /// <exception cref="SnapshotException">The text is new or another.</exception>
    public static void Match(
        string text, object?[]? parameters = null, Func<string, string>[]? scrub = null, string extension = "txt", [CallerFilePath] string file = "", [CallerMemberName] string test = "")
    {
        if (!Directory.Exists(Path.GetDirectoryName(file)))
            throw new SnapshotException($"The test's source is not at {file}. Build the test project with DeterministicSourcePaths=false, so that the compiler tells where sources really are.");
        foreach (var replace in scrub ?? [])
            text = replace(text);
        var result = new SnapshotFile(PathOf(file, test, parameters, extension)).Compare(text);
        if (result.State != SnapshotState.Same)
            throw new SnapshotException(result.Message);
    }

    /// <summary>Takes a folder out of texts: its path, however written, becomes <paramref name="name"/>.</summary>
    public static Func<string, string> Paths(string folder, string name) => text => text
        .Replace(folder.Replace("\\", "\\\\", StringComparison.Ordinal), name, StringComparison.Ordinal)
        .Replace(folder, name, StringComparison.Ordinal)
        .Replace(folder.Replace('\\', '/'), name, StringComparison.Ordinal);

    /// <summary>Takes what a pattern matches out of texts.</summary>
    public static Func<string, string> Pattern([StringSyntax("Regex")] string pattern, string replacement) =>
        text => Regex.Replace(text, pattern, replacement, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));

    /// <summary>
    /// The verified files below the calling test's folder that no test is left for: no class, or no method of it, has the
    /// name that the file begins with.
    /// </summary>
    /// <param name="tests">The assembly of the tests.</param>
    /// <param name="file">The test's source; leave it to the compiler.</param>
    public static IReadOnlyList<string> Dangling(Assembly tests, [CallerFilePath] string file = "")
    {
        var known = tests.GetTypes().SelectMany(t => t.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly).Select(m => (t.Name, m.Name))).ToHashSet();
        return [.. Directory.EnumerateFiles(Path.GetDirectoryName(file)!, "*" + SnapshotFile.VerifiedMark + "*", SearchOption.AllDirectories)
            .Where(f => Path.GetFileName(Path.GetDirectoryName(f)) == FolderName)
            .Where(f => Path.GetFileName(f).Split('.') is not [var type, var method, ..] || !known.Contains((type, method.Split('(')[0])))
            .Order(StringComparer.Ordinal)];
    }

    private static string PathOf(string file, string test, object?[]? parameters, string extension)
    {
        var suffix = parameters is null or [] ? "" : "(" + string.Join(",", parameters.Select(p => NotInNames().Replace(Convert.ToString(p, CultureInfo.InvariantCulture) ?? "null", "_"))) + ")";
        return Path.Combine(Path.GetDirectoryName(file)!, FolderName, $"{Path.GetFileNameWithoutExtension(file)}.{test}{suffix}{SnapshotFile.VerifiedMark}{extension}");
    }

    [GeneratedRegex(@"[^A-Za-z0-9_=+-]+")]
    private static partial Regex NotInNames();
}
