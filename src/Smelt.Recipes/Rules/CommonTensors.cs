namespace Smelt.Recipes.Rules;

/// <summary>
/// Names of tensors as models of common architectures have them, for rules that look at a pattern before any model is at
/// hand. They decide nothing: what they tell is information.
/// </summary>
internal static class CommonTensors
{
    /// <summary>Segments that stand outside of the layers in every common architecture.</summary>
    public static readonly HashSet<string> OutsideLayers = new(StringComparer.Ordinal)
    {
        "lm_head", "embed_tokens", "embed_positions", "embed_in", "embed_out", "wte", "wpe", "ln_f", "word_embeddings", "position_embeddings",
        "token_type_embeddings", "tok_embeddings", "patch_embeddings", "shared", "final_layernorm",
    };

    private static readonly string[] Layers =
    [
        // Llama, Mistral, Qwen, Gemma, Phi and their mixtures of experts.
        "model.layers.#.self_attn.{q_proj,k_proj,v_proj,o_proj,qkv_proj,q_norm,k_norm,rotary_emb.inv_freq}.{weight,bias}",
        "model.layers.#.mlp.{gate_proj,up_proj,down_proj,gate_up_proj,fc1,fc2}.{weight,bias}",
        "model.layers.#.{input_layernorm,post_attention_layernorm,pre_feedforward_layernorm,post_feedforward_layernorm}.weight",
        "model.layers.#.mlp.{experts.#.gate_proj,experts.#.up_proj,experts.#.down_proj,gate,shared_expert.up_proj,shared_expert_gate}.weight",
        "model.layers.#.block_sparse_moe.{gate,experts.#.w1,experts.#.w2,experts.#.w3}.weight",
        "model.{embed_tokens,norm}.weight",
        "lm_head.{weight,bias}",
        // GPT-2, GPT-NeoX, Falcon, OPT.
        "transformer.h.#.attn.{c_attn,c_proj}.{weight,bias}",
        "transformer.h.#.mlp.{c_fc,c_proj}.{weight,bias}",
        "transformer.h.#.{ln_1,ln_2}.{weight,bias}",
        "transformer.h.#.self_attention.{query_key_value,dense}.weight",
        "transformer.h.#.mlp.{dense_h_to_4h,dense_4h_to_h}.weight",
        "transformer.{wte,wpe,ln_f,word_embeddings}.weight",
        "gpt_neox.layers.#.attention.{query_key_value,dense}.{weight,bias}",
        "gpt_neox.layers.#.mlp.{dense_h_to_4h,dense_4h_to_h}.{weight,bias}",
        "gpt_neox.{embed_in,final_layer_norm}.weight",
        "embed_out.weight",
        "model.decoder.layers.#.self_attn.{q_proj,k_proj,v_proj,out_proj}.{weight,bias}",
        "model.decoder.layers.#.encoder_attn.{q_proj,k_proj,v_proj,out_proj}.{weight,bias}",
        "model.decoder.layers.#.{fc1,fc2,self_attn_layer_norm,final_layer_norm}.{weight,bias}",
        "model.decoder.{embed_tokens,embed_positions,final_layer_norm}.weight",
        // BERT, RoBERTa, ViT.
        "{bert,roberta}.encoder.layer.#.attention.self.{query,key,value}.{weight,bias}",
        "{bert,roberta}.encoder.layer.#.attention.output.{dense,LayerNorm}.{weight,bias}",
        "{bert,roberta}.encoder.layer.#.{intermediate,output}.dense.{weight,bias}",
        "{bert,roberta}.embeddings.{word_embeddings,position_embeddings,token_type_embeddings,LayerNorm}.weight",
        "{bert,roberta}.pooler.dense.weight",
        "{vit,classifier}.{encoder.layer.#.layernorm_before,encoder.layer.#.layernorm_after,embeddings.patch_embeddings.projection}.weight",
        "vision_model.encoder.layers.#.{layer_norm1,layer_norm2,self_attn.out_proj,mlp.fc1,mlp.fc2}.weight",
        // T5.
        "{encoder,decoder}.block.#.layer.#.{SelfAttention,EncDecAttention}.{q,k,v,o,relative_attention_bias}.weight",
        "{encoder,decoder}.block.#.layer.#.DenseReluDense.{wi,wi_0,wi_1,wo}.weight",
        "{encoder,decoder}.block.#.layer.#.layer_norm.weight",
        "{encoder,decoder}.final_layer_norm.weight",
        "shared.weight",
    ];

    private static readonly Lazy<string[]> AllNames = new(() => [.. Layers.SelectMany(Expand).Distinct(StringComparer.Ordinal)]);

    private static readonly Lazy<HashSet<string>> AllSegments = new(() => new HashSet<string>(AllNames.Value.SelectMany(n => n.Split('.')).Concat(OutsideLayers), StringComparer.Ordinal));

    private static readonly Memo<string, bool[]> Matched = new(1_000);

    /// <summary>The first name that two patterns both match, in layer 0 where it belongs to one; null where there is none.</summary>
    public static string? FirstOfBoth(Glob a, Glob b)
    {
        var (ofA, ofB) = (MatchedBy(a), MatchedBy(b));
        for (var i = 0; i < ofA.Length; i++)
        {
            if (ofA[i] && ofB[i])
                return AllNames.Value[i];
        }

        return null;
    }

    /// <summary>
    /// The segment that a pattern probably meant where one of its own, long enough to tell, is a letter or two off; null where
    /// all are known, or far from what is known.
    /// </summary>
    public static (string Segment, string Meant)? Misspelt(Glob glob)
    {
        if (glob.IsLiteral)
            return Misspelt(glob.Pattern.Split('.'));
        foreach (var alternatives in glob.Segments)
        {
            if (Misspelt(alternatives ?? []) is { } misspelt)
                return misspelt;
        }

        return null;
    }

    private static (string Segment, string Meant)? Misspelt(string[] segments)
    {
        foreach (var segment in segments)
        {
            if (segment.Length < 5 || segment.IndexOfAny(['*', '?']) >= 0 || AllSegments.Value.Contains(segment))
                continue;
            if (Meant(segment) is { } meant)
                return (segment, meant);
        }

        return null;
    }

    /// <summary>The nearest known segment to one that is not known; null where none is near.</summary>
    private static string? Meant(string segment)
    {
        var limit = segment.Length < 8 ? 1 : 2;
        return AllSegments.Value
            .Where(k => k.Length >= 5 && Math.Abs(k.Length - segment.Length) <= limit && !DifferInDigits(k, segment))
            .Select(k => (Word: k, Distance: Configuration.EditDistance.Of(segment, k)))
            .Where(k => k.Distance <= limit)
            .OrderBy(k => k.Distance).ThenBy(k => k.Word, StringComparer.Ordinal)
            .FirstOrDefault().Word;
    }

    private static bool[] MatchedBy(Glob glob) => Matched.Of(glob.Pattern, () => Array.ConvertAll(AllNames.Value, glob.IsMatch));

    /// <summary><c>norm1</c> and <c>norm2</c> are two names, not one that is misspelt.</summary>
    private static bool DifferInDigits(string a, string b) =>
        string.Concat(a.Where(c => !char.IsDigit(c))) == string.Concat(b.Where(c => !char.IsDigit(c)));

    private static IEnumerable<string> Expand(string pattern)
    {
        var open = pattern.IndexOf('{');
        if (open < 0)
            return [pattern.Replace('#', '0')];
        var close = pattern.IndexOf('}', open);
        return pattern.Substring(open + 1, close - open - 1).Split(',')
            .SelectMany(choice => Expand(pattern.Substring(0, open) + choice + pattern.Substring(close + 1)));
    }
}
