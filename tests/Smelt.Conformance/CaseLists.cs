using System.IO.Enumeration;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smelt.Conformance;

/// <summary>A pattern of cases, and a reason. What is not given fits all.</summary>
internal sealed record CasePattern
{
    /// <summary>The kind of goldens.</summary>
    public string? Kind { get; init; }

    /// <summary>The programs, see <see cref="GoldenCase.Program"/>; with wildcards.</summary>
    public IReadOnlyList<string>? Programs { get; init; }

    /// <summary>The methods; with wildcards.</summary>
    public IReadOnlyList<string>? Methods { get; init; }

    /// <summary>Features that a case must have, all of them; with wildcards.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    /// <summary>For deviations: keys of config.json that need not agree.</summary>
    public IReadOnlyList<string>? ConfigKeys { get; init; }

    /// <summary>The reason, in words.</summary>
    public required string Reason { get; init; }

    /// <summary>Whether a case is meant.</summary>
    public bool Matches(GoldenCase golden, IReadOnlyList<string> features) =>
        (Kind is null || Kind == golden.Kind)
        && (Programs is null || Programs.Any(p => Fits(p, golden.Program)))
        && (Methods is null || Methods.Any(m => Fits(m, golden.Method)))
        && (Features is null || Features.All(wanted => features.Any(f => Fits(wanted, f))));

    private static bool Fits(string pattern, string text) => FileSystemName.MatchesSimpleExpression(pattern, text, ignoreCase: false);
}

/// <summary>What is not run (<c>skips.json</c>) and what differs on purpose (<c>deviations.json</c>), beside the tests.</summary>
internal static class CaseLists
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private static readonly CasePattern[] Skips = Load("skips.json");
    private static readonly CasePattern[] Deviations = Load("deviations.json");

    /// <summary>Why a case is not run; null where it is.</summary>
    public static string? ReasonToSkip(GoldenCase golden)
    {
        var features = Features(golden);
        return Skips.FirstOrDefault(e => e.Matches(golden, features))?.Reason;
    }

    /// <summary>What differs on purpose in a case.</summary>
    public static IReadOnlyList<CasePattern> DeviationsOf(GoldenCase golden)
    {
        var features = Features(golden);
        return [.. Deviations.Where(e => e.Matches(golden, features))];
    }

    private static string[] Features(GoldenCase golden) =>
        [.. golden.Kind == GoldenCase.Originals ? Originals.OriginalsRecipe.Features(golden) : Mergekit.MergekitCase.Features(golden)];

    private static CasePattern[] Load(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        return JsonSerializer.Deserialize<CasePattern[]>(stream, Options)!;
    }
}
