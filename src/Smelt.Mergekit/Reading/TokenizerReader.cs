using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Reading;

/// <summary>Reads how vocabularies are merged.</summary>
/// <param name="yaml">Reads values.</param>
internal sealed class TokenizerReader(YamlReader yaml)
{
    private static readonly string[] Keywords = ["union", "base"];
    private static readonly string[] Kinds = ["zero", "model_token"];

    private readonly ModelReader _models = new(yaml);

    /// <summary>Whose vocabulary: a keyword or a model.</summary>
    public TokenizerSource? ReadSource(YamlPart? part, string what) => part switch
    {
        null => null,
        YamlScalar { Value: var word } when Keywords.Contains(word) => new TokenizerSource(word, null, part.Place),
        _ => _models.Read(part, what) is { } model ? new TokenizerSource(null, model, part.Place) : null,
    };

    /// <summary>The block <c>tokenizer</c>.</summary>
    public TokenizerSettings? Read(YamlPart? part)
    {
        if (part is null || yaml.Map(part, "tokenizer", "source", "tokens", "pad_to_multiple_of") is not { } entries)
            return null;
        return new TokenizerSettings(
            ReadSource(entries.GetValueOrDefault("source"), "source of tokenizer"),
            ReadTokens(entries.GetValueOrDefault("tokens")),
            yaml.Whole(entries.GetValueOrDefault("pad_to_multiple_of"), "pad_to_multiple_of", 1),
            part.Place);
    }

    private Sequence<TokenSetting> ReadTokens(YamlPart? part)
    {
        if (part is null)
            return Sequence<TokenSetting>.Empty;
        if (part is YamlMap map)
            return Sequence.From(map.Entries.Select(e => ReadToken(e.Key.Value, e.Value)).OfType<TokenSetting>());
        yaml.Wrong(part, "tokens", "a mapping from a token to its source");
        return Sequence<TokenSetting>.Empty;
    }

    private TokenSetting? ReadToken(string token, YamlPart part)
    {
        if (yaml.Map(part, $"token {token}", "source", "force") is not { } entries)
            return null;
        var source = entries.TryGetValue("source", out var given) ? ReadEmbedding(token, given) : null;
        return new TokenSetting(token, source, yaml.Flag(entries.GetValueOrDefault("force"), $"force of token {token}") ?? false);
    }

    private TokenEmbedding? ReadEmbedding(string token, YamlPart part)
    {
        if (part is not YamlMap map || map.Entries.All(e => e.Key.Value != "kind"))
            return _models.Read(part, $"source of token {token}") is { } model ? new ModelEmbedding(model) : null;
        var what = $"source of token {token}";
        var entries = yaml.Map(part, what, "kind", "model", "token", "token_id")!;
        var kind = yaml.Text(entries.GetValueOrDefault("kind"), $"kind of {what}");
        if (kind?.Value == "zero")
            return new ZeroEmbedding();
        if (kind is null || kind.Value != "model_token")
        {
            yaml.Problems.Add(MergekitRules.WrongType, kind?.Place ?? part.Place, $"the kind of {what} is '{kind?.Value}'; allowed: {string.Join(", ", Kinds)}.", ProblemList.DidYouMean(kind?.Value ?? "", Kinds));
            return null;
        }

        var other = yaml.Text(entries.GetValueOrDefault("token"), $"token of {what}")?.Value;
        var id = yaml.Whole(entries.GetValueOrDefault("token_id"), $"token_id of {what}", 0);
        if (other is null == id is null)
            yaml.Problems.Add(MergekitRules.ExclusiveKeys, part.Place, $"{what} has {(id is null ? "none" : "both")} of token and token_id; give exactly one of them.");
        return _models.Require(entries, part, what, "model") is { } owner ? new OtherTokenEmbedding(owner, other, id) : null;
    }
}
