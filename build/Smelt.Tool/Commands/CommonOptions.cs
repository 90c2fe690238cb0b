using System.CommandLine;

namespace Smelt.Tool.Commands;

/// <summary>What several verbs have on their command lines.</summary>
internal static class CommonOptions
{
    /// <summary>Where the recipes are.</summary>
    public static Argument<string> Path() => new("PATH")
    {
        Description = "A recipe project (its folder or .csproj), a single file of recipes (.cs), a built assembly (.dll), a configuration (.json) or one of mergekit (.yml).",
    };

    /// <summary>Some of the recipes, or of the experiments.</summary>
    public static Option<string[]> Recipe(string what = "recipe") => new("--" + what)
    {
        Description = $"Only this {what}; may be repeated.",
        HelpName = "NAME",
        DefaultValueFactory = _ => [],
    };

    /// <summary>JSON instead of text.</summary>
    public static Option<bool> Json() => new("--json")
    {
        Description = "One JSON document on standard output, no progress.",
    };
}
