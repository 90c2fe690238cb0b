using Smelt.Recipes;

namespace Smelt.Mergekit.Documents;

/// <summary>Whose vocabulary the output gets: <c>union</c>, <c>base</c>, or a model's.</summary>
/// <param name="Keyword"><c>union</c> or <c>base</c>; null for a model's.</param>
/// <param name="Model">The model; null for a keyword.</param>
/// <param name="Place">Where it stands.</param>
public sealed record TokenizerSource(string? Keyword, ModelReference? Model, Place Place = default);

/// <summary>The block <c>tokenizer</c>.</summary>
/// <param name="Source">Whose vocabulary; null where it is not given (mergekit takes the union).</param>
/// <param name="Tokens">Settings of single tokens.</param>
/// <param name="PadToMultipleOf">The number that the vocabulary's size is made a multiple of; null for none.</param>
/// <param name="Place">Where the block stands.</param>
public sealed record TokenizerSettings(TokenizerSource? Source, Sequence<TokenSetting> Tokens, int? PadToMultipleOf, Place Place = default);

/// <summary>The setting of one token.</summary>
/// <param name="Token">The token.</param>
/// <param name="Source">Where its embedding comes from; null for the rules that hold for all.</param>
/// <param name="Force">Whether models that have the token get that embedding, too.</param>
public sealed record TokenSetting(string Token, TokenEmbedding? Source, bool Force);

/// <summary>Where the embedding of a token comes from.</summary>
public abstract record TokenEmbedding;

/// <summary>A model's embedding of the same token.</summary>
/// <param name="Model">The model.</param>
public sealed record ModelEmbedding(ModelReference Model) : TokenEmbedding;

/// <summary>Zeros.</summary>
public sealed record ZeroEmbedding : TokenEmbedding;

/// <summary>A model's embedding of another token.</summary>
/// <param name="Model">The model.</param>
/// <param name="Token">The token; null where the id is given.</param>
/// <param name="TokenId">The token's id; null where the token is given.</param>
public sealed record OtherTokenEmbedding(ModelReference Model, string? Token, int? TokenId) : TokenEmbedding;
