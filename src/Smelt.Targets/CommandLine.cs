using Smelt.Recipes.Configuration;

namespace Smelt.Targets;

/// <summary>What the command line of a build says.</summary>
internal sealed class CommandLine
{
    private const string Skip = "--skip";

    /// <summary>Options with a value.</summary>
    private static readonly string[] WithValue = ["--partition", "--root"];

    private readonly HashSet<string> _flags = [];
    private readonly Dictionary<string, string> _options = [];

    private CommandLine()
    {
    }

    /// <summary>The options that every build has.</summary>
    public static IReadOnlyList<string> EngineOptions { get; } = ["--help", "--plan", "--graph", Skip, "--continue", "--force", .. WithValue];

    /// <summary>The targets asked for, as written.</summary>
    public List<string> Targets { get; } = [];

    /// <summary>The targets to skip; empty for all but those asked for; null without <c>--skip</c>.</summary>
    public List<string>? Skipped { get; private set; }

    /// <summary>The values of parameters, as written.</summary>
    public Dictionary<BuildParameter, List<string>> Values { get; } = [];
    public bool Help => _flags.Contains("--help");
    public bool Plan => _flags.Contains("--plan");
    public bool Graph => _flags.Contains("--graph");
    public bool Continue => _flags.Contains("--continue");
    public bool Force => _flags.Contains("--force");
    public string? Partition => _options.GetValueOrDefault("--partition");
    public string? Root => _options.GetValueOrDefault("--root");

    /// <summary>Reads a command line.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="parameters">The build's parameters.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static CommandLine Parse(IReadOnlyList<string> arguments, IReadOnlyList<BuildParameter> parameters, ICollection<Problem> problems)
    {
        var line = new CommandLine();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith('-'))
            {
                line.Targets.Add(argument);
                continue;
            }

            var (written, inline) = argument.Split('=', 2) is [var name, var text] ? (name, text) : (argument, null);
            var option = written is "-h" or "-?" ? "--help" : Normalize(written);
            var next = i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal) ? arguments[i + 1] : null;
            if (parameters.FirstOrDefault(p => Normalize(p.Option) == option) is { } parameter)
            {
                var isFlag = parameter.Element == typeof(bool) && !bool.TryParse(next, out _);
                var value = inline ?? (isFlag ? "true" : next);
                if (inline is null && !isFlag && next is not null)
                    i++;
                if (value is null)
                    problems.Add(TargetRules.BadValue.At(parameter.Option, $"the value is missing; allowed: {parameter.Allowed}."));
                else if (line.Values.TryGetValue(parameter, out var values))
                    values.Add(value);
                else
                    line.Values.Add(parameter, [value]);
            }
            else if (option == Skip)
            {
                line.Skipped ??= [];
                for (; i + 1 < arguments.Count && !arguments[i + 1].StartsWith('-'); i++)
                    line.Skipped.Add(arguments[i + 1]);
            }
            else if (WithValue.Contains(option))
            {
                i += inline is null && next is not null ? 1 : 0;
                if ((inline ?? next) is { } value)
                    line._options[option] = value;
                else
                    problems.Add(TargetRules.BadValue.At(option, "the value is missing."));
            }
            else if (EngineOptions.Contains(option) && inline is null)
            {
                line._flags.Add(option);
            }
            else
            {
                var known = EngineOptions.Concat(parameters.Select(p => p.Option));
                problems.Add(TargetRules.UnknownParameter.At(written, $"the build has no parameter '{written}'.", EditDistance.DidYouMean(written, known, "--help lists all.")));
                i += inline is null && next is not null && !next.StartsWith('-') ? 1 : 0;
            }
        }

        return line;
    }

    /// <summary><c>--OutputFolder</c>, <c>--outputfolder</c> and <c>--output-folder</c> are the same; options of every build are spelt in one way.</summary>
    private static string Normalize(string option) =>
        EngineOptions.Contains(option.ToLowerInvariant()) ? option.ToLowerInvariant() : option.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
}
