using System.Globalization;
using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Reading;

/// <summary>Reads values of a YAML tree; what does not fit is added to the problems and read as absent.</summary>
/// <param name="problems">The problems.</param>
internal sealed class YamlReader(ProblemList problems)
{
    /// <summary>Options of mergekit's command line whose work is done without them, or by options of a run.</summary>
    private static readonly string[] NeedlessOptions =
    [
        "allow_crimes", "cuda", "low_cpu_memory", "lazy_unpickle", "read_to_gpu", "multi_gpu", "num_threads", "copy_tokenizer", "clone_tensors",
        "trust_remote_code", "transformers_cache", "lora_merge_cache", "out_shard_size", "write_model_card", "safe_serialization", "async_write", "gpu_rich",
    ];

    private static readonly string[] Yes = ["true", "yes", "on"];
    private static readonly string[] No = ["false", "no", "off"];

    /// <summary>The problems.</summary>
    public ProblemList Problems => problems;

    /// <summary>The entries of a mapping by key, those that are null left out; unknown keys are reported.</summary>
    /// <param name="part">The mapping.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="known">The keys there are.</param>
    /// <returns>The entries; null where it is no mapping.</returns>
    public Dictionary<string, YamlPart>? Map(YamlPart part, string what, params string[] known)
    {
        if (part is not YamlMap map)
        {
            Wrong(part, what, "a mapping of " + string.Join(", ", known));
            return null;
        }

        foreach (var (key, _) in map.Entries.Where(e => !known.Contains(e.Key.Value)))
            problems.Add(MergekitRules.UnknownKey, key.Place, $"{what} has no key '{key.Value}'; known: {string.Join(", ", known)}.", CommandLineOption(key.Value) ?? ProblemList.DidYouMean(key.Value, known));
        return map.Entries.Where(e => known.Contains(e.Key.Value) && e.Value is not YamlScalar { IsNull: true }).ToDictionary(e => e.Key.Value, e => e.Value);
    }

    /// <summary>What stands in for a key that is an option of mergekit's command line and not of its files; null for others.</summary>
    private static string? CommandLineOption(string key) => key switch
    {
        "random_seed" => "It is an option of mergekit's command line: remove it, and give --mergekit-seed to draw mergekit's masks.",
        _ when NeedlessOptions.Contains(key) => "It is an option of mergekit's command line, and none is needed here: remove it.",
        _ => null,
    };

    /// <summary>A text; numbers and words count as texts, too.</summary>
    public Located<string>? Text(YamlPart? part, string what)
    {
        if (part is null)
            return null;
        if (part is YamlScalar scalar)
            return new Located<string>(scalar.Value, scalar.Place);
        Wrong(part, what, "a text");
        return null;
    }

    /// <summary>A finite number.</summary>
    public double? Number(YamlPart? part, string what)
    {
        if (part is null)
            return null;
        if (part is YamlScalar scalar && Literal(scalar).Number is { } number)
            return number;
        Wrong(part, what, "a number");
        return null;
    }

    /// <summary>A whole number.</summary>
    /// <param name="part">The part; null is read as null.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="least">The least value allowed.</param>
    public int? Whole(YamlPart? part, string what, int least)
    {
        if (part is null)
            return null;
        if (part is YamlScalar scalar && Literal(scalar).Number is { } number && number == Math.Floor(number) && number >= least && number <= int.MaxValue)
            return (int)number;
        Wrong(part, what, $"a whole number of at least {least}");
        return null;
    }

    /// <summary>A yes or no.</summary>
    public bool? Flag(YamlPart? part, string what)
    {
        if (part is null)
            return null;
        if (part is YamlScalar scalar && Literal(scalar).Flag is { } flag)
            return flag;
        Wrong(part, what, "true or false");
        return null;
    }

    /// <summary>A list of all items that could be read; a null part is no list.</summary>
    public Sequence<T>? List<T>(YamlPart? part, string what, Func<YamlPart, string, T?> read)
        where T : class
    {
        if (part is null)
            return null;
        if (part is YamlList list)
            return Sequence.From(list.Items.Select((item, i) => read(item, $"{what}[{i}]")).OfType<T>());
        Wrong(part, what, "a list");
        return null;
    }

    /// <summary>Reports an entry that is missing in a mapping.</summary>
    public void Missing(YamlPart owner, string what, string key, string meaning) =>
        problems.Add(MergekitRules.MissingKey, owner.Place, $"{what} has no '{key}'; it is {meaning}.");

    /// <summary>Reports a value of a type that does not fit.</summary>
    public void Wrong(YamlPart part, string what, string allowed) =>
        problems.Add(MergekitRules.WrongType, part.Place, $"{what} is {Describe(part)}; allowed: {allowed}.");

    /// <summary>
    /// A scalar's value. Words for yes and no are those of YAML 1.1; numbers may also stand in quotes or, as <c>1e-4</c>, in
    /// forms that YAML 1.1 takes for texts: mergekit reads both as numbers.
    /// </summary>
    public static Literal Literal(YamlScalar scalar)
    {
        var word = scalar.Value.ToLowerInvariant();
        if (scalar.IsPlain && (Yes.Contains(word) || No.Contains(word)))
            return Yes.Contains(word);
        var digits = scalar.IsPlain ? scalar.Value.Replace("_", "", StringComparison.Ordinal) : scalar.Value.Trim();
        return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : scalar.Value;
    }

    private static string Describe(YamlPart part) => part switch
    {
        YamlScalar { IsNull: true } => "empty",
        YamlScalar scalar => "'" + (scalar.Value.Length > 60 ? scalar.Value[..60] + "..." : scalar.Value) + "'",
        YamlList => "a list",
        _ => "a mapping",
    };
}
