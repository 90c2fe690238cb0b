using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Reading;

/// <summary>Reads a document that describes a mixture of experts.</summary>
/// <param name="yaml">Reads values.</param>
internal sealed class MixtureReader(YamlReader yaml)
{
    private const string Root = "the mixture";

    /// <summary>The ways to initialise routers.</summary>
    private static readonly string[] GateModes = ["hidden", "hidden_avg", "hidden_last", "cheap_embed", "random", "uniform_random"];

    private readonly ModelReader _models = new(yaml);

    /// <summary>Whether a mapping describes a mixture and no merge.</summary>
    public static bool IsMixture(YamlMap map) =>
        map.Entries.All(e => e.Key.Value != "merge_method") && map.Entries.Any(e => e.Key.Value is "experts" or "gate_mode");

    /// <summary>Reads a document; null where the base model or the experts can't be read.</summary>
    public MixtureDocument? Read(YamlMap map)
    {
        var entries = yaml.Map(map, Root, "base_model", "experts", "shared_experts", "gate_mode", "dtype", "experts_per_token")!;
        var model = _models.Require(entries, map, Root, "base_model");
        if (!entries.ContainsKey("experts"))
            yaml.Missing(map, Root, "experts", "a list of models with prompts");
        var experts = yaml.List(entries.GetValueOrDefault("experts"), "experts", ReadExpert) ?? Sequence<MixtureExpert>.Empty;
        var mode = yaml.Text(entries.GetValueOrDefault("gate_mode"), "gate_mode");
        if (mode is not null && !GateModes.Contains(mode.Value))
            yaml.Problems.Add(MergekitRules.Mixture, mode.Place, $"gate_mode is '{mode.Value}'; allowed: {string.Join(", ", GateModes)}.", ProblemList.DidYouMean(mode.Value, GateModes));
        var count = entries.GetValueOrDefault("experts_per_token");
        var document = new MixtureDocument(model ?? new ModelReference(new ModelPath("")), experts, map.Place)
        {
            GateMode = mode,
            Dtype = yaml.Text(entries.GetValueOrDefault("dtype"), "dtype"),
            ExpertsPerToken = yaml.Whole(count, "experts_per_token", 1) is { } active ? new Located<int>(active, count!.Place) : null,
            SharedExperts = yaml.List(entries.GetValueOrDefault("shared_experts"), "shared_experts", ReadExpert) ?? Sequence<MixtureExpert>.Empty,
        };
        if (document.ExpertsPerToken is { } wanted && entries.ContainsKey("experts") && wanted.Value > experts.Count)
            yaml.Problems.Add(MergekitRules.Mixture, wanted.Place, $"experts_per_token is {wanted.Value}, but there are only {experts.Count} experts.");
        return model is null ? null : document;
    }

    private MixtureExpert? ReadExpert(YamlPart part, string what)
    {
        if (yaml.Map(part, what, "source_model", "positive_prompts", "negative_prompts", "noise_scale", "residual_scale") is not { } entries)
            return null;
        return _models.Require(entries, part, what, "source_model") is not { } model ? null : new MixtureExpert(model)
        {
            PositivePrompts = Prompts(entries, what, "positive_prompts"),
            NegativePrompts = Prompts(entries, what, "negative_prompts"),
            NoiseScale = yaml.Number(entries.GetValueOrDefault("noise_scale"), $"noise_scale of {what}"),
            ResidualScale = yaml.Number(entries.GetValueOrDefault("residual_scale"), $"residual_scale of {what}"),
        };
    }

    private Sequence<string> Prompts(Dictionary<string, YamlPart> entries, string what, string key) =>
        yaml.List(entries.GetValueOrDefault(key), $"{key} of {what}", (part, place) => yaml.Text(part, place)?.Value) ?? Sequence<string>.Empty;
}
