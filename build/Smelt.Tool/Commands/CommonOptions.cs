using System.CommandLine;
using System.Globalization;
using System.Numerics;

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

    /// <summary>A whole number.</summary>
    /// <typeparam name="T">The type that it has to fit into.</typeparam>
    /// <param name="name">The option.</param>
    /// <param name="description">What it is for.</param>
    public static Option<T?> Number<T>(string name, string description)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> => new(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result =>
            {
                var text = result.Tokens.Single().Value;
                if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
                    return value;
                result.AddError($"{name} is '{text}'; allowed: a whole number from {T.MinValue} to {T.MaxValue}.");
                return null;
            },
        };
}
