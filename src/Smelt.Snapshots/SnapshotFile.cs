using System.Text;

namespace Smelt.Snapshots;

/// <summary>How a text compares with its verified file.</summary>
public enum SnapshotState
{
    /// <summary>The verified file holds the text.</summary>
    Same,

    /// <summary>There is no verified file.</summary>
    New,

    /// <summary>The verified file holds another text.</summary>
    Different,
}

/// <summary>The outcome of a comparison.</summary>
/// <param name="State">How it came out.</param>
/// <param name="Message">What differs and how to go on; empty where nothing does.</param>
public sealed record SnapshotResult(SnapshotState State, string Message);

/// <summary>
/// A verified file and the text that was received in its place. A text that is new or different is written beside it as a
/// received file; it becomes the verified one by <see cref="Accept"/> alone, which a person calls and no build server can.
/// </summary>
/// <param name="verified">The path of the verified file: <c>NAME.verified.EXTENSION</c>.</param>
public sealed class SnapshotFile(string verified)
{
    /// <summary>What verified files have in their names.</summary>
    public const string VerifiedMark = ".verified.";

    private const string ReceivedMark = ".received.";
    private const int ShownLines = 12;
    private static readonly string[] BuildServerVariables = ["CI", "TF_BUILD", "GITHUB_ACTIONS", "TEAMCITY_VERSION", "JENKINS_URL", "BUILDKITE"];
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The verified file.</summary>
    public string Verified { get; } = verified.Contains(VerifiedMark, StringComparison.Ordinal)
        ? verified
        : throw new ArgumentException($"'{verified}' has no '{VerifiedMark}' in its name.", nameof(verified));

    /// <summary>The file that a new or different text is written into.</summary>
    public string Received => Path.Combine(Path.GetDirectoryName(Verified) ?? "", Path.GetFileName(Verified).Replace(VerifiedMark, ReceivedMark, StringComparison.Ordinal));

    /// <summary>Whether this process runs on a build server, by the variables that those set.</summary>
    public static bool IsBuildServer =>
        BuildServerVariables.Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value && !value.Equals("false", StringComparison.OrdinalIgnoreCase) && value != "0");

    /// <summary>Compares a text; line breaks are <c>\n</c> in every snapshot.</summary>
    /// <param name="text">The text.</param>
    /// <param name="describe">Says how two texts differ, the verified first; null for their first different lines.</param>
    public SnapshotResult Compare(string text, Func<string, string, string>? describe = null)
    {
        text = Normalize(text);
        if (!File.Exists(Verified))
        {
            Receive(text);
            return new SnapshotResult(SnapshotState.New, $"There is no verified snapshot {Verified}. The text is in {Received}; look at it, and accept it if it is right: smelt accept {Path.GetDirectoryName(Verified)}");
        }

        var bytes = File.ReadAllBytes(Verified);
        if (FormatProblem(bytes) is { } problem)
        {
            Receive(text);
            return new SnapshotResult(SnapshotState.Different, $"{Verified} {problem}");
        }

        var verified = Utf8.GetString(bytes);
        if (verified == text)
        {
            File.Delete(Received);
            return new SnapshotResult(SnapshotState.Same, "");
        }

        Receive(text);
        return new SnapshotResult(
            SnapshotState.Different,
            $"The text is not that of {Verified}:\n{(describe ?? Lines)(verified, text)}\nThe new text is in {Received}. If it is right: smelt accept {Path.GetDirectoryName(Verified)}");
    }

    /// <summary>Makes the received text the verified one; false where there is none.</summary>
    /// <exception cref="InvalidOperationException">This is a build server, on which nobody looks at what is accepted.</exception>
    public bool Accept()
    {
        if (IsBuildServer)
            throw new InvalidOperationException("Snapshots are accepted by people, not by build servers (CI is set).");
        if (!File.Exists(Received))
            return false;
        File.Move(Received, Verified, overwrite: true);
        return true;
    }

    /// <summary>The snapshots below a folder of which there is a received text.</summary>
    public static IEnumerable<SnapshotFile> Pending(string folder) =>
        Directory.EnumerateFiles(folder, "*" + ReceivedMark + "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "artifacts"))
            .Select(f => new SnapshotFile(Path.Combine(Path.GetDirectoryName(f)!, Path.GetFileName(f).Replace(ReceivedMark, VerifiedMark, StringComparison.Ordinal))));

    /// <summary>What makes a verified file unusable as a text: its line breaks, a byte order mark, bytes that are no UTF-8.</summary>
    private static string? FormatProblem(byte[] bytes)
    {
        const string attributes = "Version control may have changed it: put '*.verified.* text eol=lf' into .gitattributes and check the file out again.";
        if (bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble))
            return $"starts with a byte order mark, and snapshots have none. {attributes}";
        if (bytes.AsSpan().Contains((byte)'\r'))
            return $"has line breaks of Windows (CR LF), and snapshots have LF alone. {attributes}";
        try
        {
            Utf8.GetString(bytes);
            return null;
        }
        catch (DecoderFallbackException)
        {
            return "is not UTF-8.";
        }
    }

    private void Receive(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Verified))!);
        File.WriteAllText(Received, text, Utf8);
    }

    private static string Normalize(string text)
    {
        text = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        return text.Length == 0 || text[^1] == '\n' ? text : text + "\n";
    }

    /// <summary>The lines around the first difference.</summary>
    private static string Lines(string verified, string received)
    {
        var (old, now) = (verified.Split('\n'), received.Split('\n'));
        var first = 0;
        while (first < old.Length && first < now.Length && old[first] == now[first])
            first++;
        var (oldEnd, newEnd) = (old.Length, now.Length);
        while (oldEnd > first && newEnd > first && old[oldEnd - 1] == now[newEnd - 1])
            (oldEnd, newEnd) = (oldEnd - 1, newEnd - 1);
        var shown = new StringBuilder($"  line {first + 1}:");
        Append(shown, "- ", old[first..oldEnd]);
        Append(shown, "+ ", now[first..newEnd]);
        return shown.ToString();
    }

    private static void Append(StringBuilder shown, string mark, string[] lines)
    {
        foreach (var line in lines.Take(ShownLines))
            shown.Append("\n  ").Append(mark).Append(line);
        if (lines.Length > ShownLines)
            shown.Append($"\n  {mark}... and {lines.Length - ShownLines} more");
    }
}
