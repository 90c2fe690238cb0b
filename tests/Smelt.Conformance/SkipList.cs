using System.IO.Enumeration;
using System.Reflection;
using System.Text.Json;

namespace Smelt.Conformance;

/// <summary>Why a case is not run: a pattern of cases, and the reason. What is not given fits all.</summary>
internal sealed record Skip
{
    /// <summary>The kind of goldens.</summary>
    public string? Kind { get; init; }

    /// <summary>The programs, see <see cref="GoldenCase.Program"/>; with wildcards.</summary>
    public IReadOnlyList<string>? Programs { get; init; }

    /// <summary>The methods; with wildcards.</summary>
    public IReadOnlyList<string>? Methods { get; init; }

    /// <summary>Features that a case must have, all of them; with wildcards.</summary>
    public IReadOnlyList<string>? Features { get; init; }

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

/// <summary>The list of what is not run, <c>skips.json</c> beside the tests.</summary>
internal static class SkipList
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>All entries.</summary>
    public static IReadOnlyList<Skip> Entries { get; } = Load();

    /// <summary>Why a case is not run; null where it is.</summary>
    public static string? ReasonFor(GoldenCase golden)
    {
        var features = (golden.Kind == GoldenCase.Originals ? Originals.OriginalsRecipe.Features(golden) : Mergekit.MergekitRecipe.Features(golden)).ToArray();
        return Entries.FirstOrDefault(e => e.Matches(golden, features))?.Reason;
    }

    private static Skip[] Load()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("skips.json")!;
        return JsonSerializer.Deserialize<Skip[]>(stream, Options)!;
    }
}
