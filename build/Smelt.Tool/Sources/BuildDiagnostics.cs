using System.Text.RegularExpressions;

namespace Smelt.Tool.Sources;

/// <summary>Picks errors and warnings out of what a build writes.</summary>
internal static partial class BuildDiagnostics
{
    /// <summary>
    /// The diagnostics of a build, each once, as problems whose place is <c>file(line,column)</c>: relative to
    /// <paramref name="folder"/> where it lies inside, and without the project's name that MSBuild appends.
    /// </summary>
    public static IReadOnlyList<Problem> Parse(string output, string folder)
    {
        var problems = new List<Problem>();
        foreach (var line in output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (Line().Match(line) is not { Success: true } match)
                continue;
            var severity = match.Groups["severity"].Value == "error" ? Severity.Error : Severity.Warning;
            var problem = new Problem(match.Groups["id"].Value, severity, Relative(match.Groups["place"].Value.Trim(), folder), match.Groups["message"].Value.Trim());
            if (!problems.Contains(problem))
                problems.Add(problem);
        }

        return problems;
    }

    /// <summary>A diagnostic as compilers write it: <c>Recipes.cs(9,77): error SM2001: message</c>.</summary>
    public static string Text(Problem problem) =>
        $"{(problem.Where.Length == 0 ? "" : problem.Where + ": ")}{(problem.Severity == Severity.Error ? "error" : "warning")} {problem.Id}: {problem.Message}";

    private static string Relative(string place, string folder)
    {
        if (!Path.IsPathRooted(place))
            return place;
        var relative = Path.GetRelativePath(folder, place);
        return relative.StartsWith("..", StringComparison.Ordinal) ? place : relative;
    }

    // "place: error ID: message [project]"; the place is missing where a whole build fails, the project where none is known.
    [GeneratedRegex(@"^(?:(?<place>\S.*?)\s*:\s+)?(?<severity>error|warning)\s+(?<id>[A-Za-z]+\d+)\s*:\s*(?<message>.*?)(?:\s+\[[^\]]*proj(?:::[^\]]*)?\])?$")]
    private static partial Regex Line();
}
