using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Reading;
using Smelt.Recipes;

namespace Smelt.Mergekit.Writing;

/// <summary>Writes documents as the YAML that mergekit reads; reading it gives the same documents.</summary>
public static class MergekitWriter
{
    /// <summary>The text of a file of one or several documents.</summary>
    public static string Write(IEnumerable<MergekitDocument> documents) => string.Join("---\n", documents.Select(d => YamlPrinter.Print(Tree(d))));

    private static YamlMap Tree(MergekitDocument document) => document switch
    {
        MergeDocument merge => Merge(merge),
        MixtureDocument mixture => Mixture(mixture),
        _ => throw new ArgumentException($"{document.GetType()} is no document.", nameof(document)),
    };

    private static YamlMap Merge(MergeDocument document) => new YamlTreeBuilder()
        .Text("name", document.Name?.Value)
        .Text("merge_method", document.Method.Value)
        .Add("base_model", document.BaseModel, Model)
        .List("models", document.Body.Models, Input)
        .List("slices", document.Body.Slices, Slice)
        .Add("modules", document.Modules, Modules)
        .Add("parameters", document.Parameters, Parameters)
        .Text("dtype", document.Dtype?.Value)
        .Text("out_dtype", document.OutDtype?.Value)
        .Add("tokenizer_source", document.TokenizerSource, Source)
        .Add("tokenizer", document.Tokenizer, Tokenizer)
        .Text("chat_template", document.ChatTemplate?.Value)
        .Map;

    private static YamlMap Input(MergeInput input) => new YamlTreeBuilder().Add("model", input.Model, Model).Add("parameters", input.Parameters, Parameters).Map;

    private static YamlMap Slice(MergeSlice slice) => new YamlTreeBuilder()
        .List("sources", slice.Sources, SliceSource)
        .Add("base_model", slice.BaseModel, Model)
        .Number("residual_weight", slice.ResidualWeight?.Value)
        .Add("parameters", slice.Parameters, Parameters)
        .Map;

    private static YamlMap SliceSource(SliceSource source) => new YamlTreeBuilder()
        .Add("model", source.Model, Model)
        .List("layer_range", [source.Start, source.End], n => YamlTreeBuilder.Plain(n))
        .Add("parameters", source.Parameters, Parameters)
        .Map;

    private static YamlMap Modules(Sequence<MergeModule> modules)
    {
        var tree = new YamlTreeBuilder();
        foreach (var module in modules)
        {
            tree.Add(module.Name, module, m => new YamlTreeBuilder()
                .List("models", m.Body.Models, Input)
                .List("slices", m.Body.Slices, Slice)
                .Add("parameters", m.Parameters, Parameters)
                .Map);
        }

        return tree.Map;
    }

    private static YamlMap? Parameters(Sequence<Parameter> parameters)
    {
        var tree = new YamlTreeBuilder();
        foreach (var parameter in parameters)
            tree.Add(parameter.Name, parameter, p => Setting(p.Conditions));
        return parameters.Count == 0 ? null : tree.Map;
    }

    private static YamlPart Setting(Sequence<Condition> conditions) => conditions is [{ Filter: null } only]
        ? Value(only)
        : new YamlList([.. conditions.Select(c => new YamlTreeBuilder().Text("filter", c.Filter).Add("value", c, Value).Map)], default);

    private static YamlPart Value(Condition condition) => condition.IsGradient
        ? new YamlList([.. condition.Values.Select(Literal)], default)
        : Literal(condition.Values[0]);

    private static YamlScalar Literal(Literal literal) => literal switch
    {
        { Number: { } number } => YamlTreeBuilder.Plain(number),
        { Flag: { } flag } => YamlTreeBuilder.Plain(flag),
        _ => YamlTreeBuilder.Quoted(literal.Text!),
    };

    private static YamlPart Model(ModelReference reference) => reference.HasTextForm
        ? YamlTreeBuilder.Quoted(reference.ToString())
        : new YamlTreeBuilder()
            .Add("model", reference.Model, ModelPath)
            .Add("lora", reference.Adapter, ModelPath)
            .Text("override_architecture", reference.Architecture)
            .Map;

    private static YamlMap ModelPath(ModelPath path) => new YamlTreeBuilder().Text("path", path.Path).Text("revision", path.Revision).Map;

    private static YamlPart Source(TokenizerSource source) => source.Keyword is { } keyword ? YamlTreeBuilder.Quoted(keyword) : Model(source.Model!);

    private static YamlMap Tokenizer(TokenizerSettings tokenizer) => new YamlTreeBuilder()
        .Add("source", tokenizer.Source, Source)
        .Add("tokens", tokenizer.Tokens, Tokens)
        .Number("pad_to_multiple_of", tokenizer.PadToMultipleOf)
        .Map;

    private static YamlMap? Tokens(Sequence<TokenSetting> tokens)
    {
        var tree = new YamlTreeBuilder();
        foreach (var token in tokens)
            tree.Add(token.Token, token, t => new YamlTreeBuilder().Add("source", t.Source, Embedding).Flag("force", t.Force ? true : null).Map);
        return tokens.Count == 0 ? null : tree.Map;
    }

    private static YamlPart Embedding(TokenEmbedding embedding) => embedding switch
    {
        ModelEmbedding own => Model(own.Model),
        OtherTokenEmbedding other => new YamlTreeBuilder()
            .Text("kind", "model_token").Add("model", other.Model, Model).Text("token", other.Token).Number("token_id", other.TokenId).Map,
        _ => new YamlTreeBuilder().Text("kind", "zero").Map,
    };

    private static YamlMap Mixture(MixtureDocument document) => new YamlTreeBuilder()
        .Add("base_model", document.BaseModel, Model)
        .Text("gate_mode", document.GateMode?.Value)
        .Text("dtype", document.Dtype?.Value)
        .Number("experts_per_token", document.ExpertsPerToken?.Value)
        .List("experts", document.Experts, Expert)
        .List("shared_experts", document.SharedExperts.Count == 0 ? null : document.SharedExperts, Expert)
        .Map;

    private static YamlMap Expert(MixtureExpert expert) => new YamlTreeBuilder()
        .Add("source_model", expert.SourceModel, Model)
        .List("positive_prompts", expert.PositivePrompts.Count == 0 ? null : expert.PositivePrompts, YamlTreeBuilder.Quoted)
        .List("negative_prompts", expert.NegativePrompts.Count == 0 ? null : expert.NegativePrompts, YamlTreeBuilder.Quoted)
        .Number("noise_scale", expert.NoiseScale)
        .Number("residual_scale", expert.ResidualScale)
        .Map;
}
