using System.Text.Json.Nodes;
using Smelt.Tests;
using Smelt.Tool.Tests;

namespace Smelt.Mergekit.Tests;

/// <summary>
/// Bad configurations that were given to mergekit, each with what a good tool should say: it is said, at the right line and
/// column, with all other problems, and nothing is left in the output.
/// </summary>
public sealed class ErrorTests : IDisposable
{
    private readonly Workspace _work = new();

    /// <summary>For each configuration the rule that is broken and phrases of its message; a configuration without errors is merged.</summary>
    private static readonly Dictionary<string, (string Rule, bool Fails, string[] Phrases)> Verdicts = new()
    {
        ["unknown-method"] = ("SM9006", true, ["(1,15)", "there is no merge method 'dare-ties'", "Did you mean 'dare_ties'?"]),
        ["unknown-top-level-key"] = ("SM9002", true, ["(10,1)", "no key 'dtpye'", "Did you mean 'dtype'?"]),
        ["parameter-of-other-method"] = ("SM9009", false, ["(6,5)", "(10,5)", "linear has no parameter 'density'"]),
        ["missing-base-slerp"] = ("SM9011", true, ["slerp needs base_model to be one of its two models"]),
        ["density-zero"] = ("SM2006", false, ["(7,14)", "density is 0, which drops the whole task vector"]),
        ["density-above-one"] = ("SM2001", true, ["(7,14)", "density is 7; allowed: 0 <= density <= 1"]),
        ["della-epsilon"] = ("SM2016", true, ["(7,14)", "0.75 to 1.05"]),
        ["weights-sum-zero"] = ("SM2004", true, ["the weights 0.5, -0.5 sum to 0", "linear divides by their sum", "normalize: false"]),
        ["missing-tensor"] = ("SM7001", true, ["(6,10)", "models/bad/missing", "model.layers.1.self_attn.q_proj.weight"]),
        ["missing-folder"] = ("SM9020", true, ["(6,10)", "there is no folder or file 'models/bad/none'"]),
        ["missing-weights-file"] = ("SM6002", true, ["(6,10)", "neither model.safetensors nor model.safetensors.index.json"]),
        ["shard-missing"] = ("SM6001", true, ["(6,10)", "model-00002-of-00002.safetensors", "does not exist"]),
        ["nan-input"] = ("SM7014", true, ["(6,10)", "models/bad/nan", "lm_head.weight", "not finite"]),
        ["extra-tensor"] = ("SM7002", true, ["(6,10)", "model.extra.weight", "--tensor-intersection"]),
        ["layer-range-out-of-bounds"] = ("SM7018", true, ["0..5", "has 2 layers"]),
        ["slices-different-lengths"] = ("SM9013", true, ["(11,5)", "cover 2 and 1 layers"]),
        ["models-and-slices"] = ("SM9005", true, ["(10,1)", "give exactly one of models, slices and modules"]),
        ["tokenizer-both"] = ("SM9005", true, ["(10,1)", "tokenizer_source and tokenizer; give one of them"]),
        ["bad-model-reference"] = ("SM9010", true, ["(3,10)", "'a@b@c' is no model reference"]),
        ["passthrough-two-models"] = ("SM9011", true, ["passthrough takes one model", "there are 2"]),
        ["architecture-mismatch"] = ("SM7021", true, ["(6,10)", "the architectures differ", "GPT2LMHeadModel", "LlamaForCausalLM"]),
        ["chat-template-unknown"] = ("SM9015", true, ["(15,16)", "no chat template 'chatlm'", "alpaca", "Did you mean 'chatml'?"]),
        ["non-numeric-weight"] = ("SM9003", true, ["(5,13)", "weight is 'half'; allowed: a number"]),
        ["max-iter-fraction"] = ("SM9003", true, ["(7,13)", "max_iter is 2.5; allowed: a whole number"]),
        ["string-scientific"] = ("", false, []),
        ["lora-missing"] = ("SM9020", true, ["(3,10)", "no adapter folder 'models/llama/nolora'"]),
        ["yaml-syntax"] = ("SM9001", true, ["(3,3)", "is not YAML"]),
        ["multi-duplicate-name"] = ("SM9014", true, ["(21,7)", "two documents are named 'a'"]),
        ["pytorch-missing-tensor"] = ("SM7002", true, ["extra.weight", "--tensor-union", "--tensor-intersection"]),
        ["stack-layer-types"] = ("", false, []),
        ["bert-masked-lm"] = ("", false, []),
        ["moe-too-few-experts"] = ("SM9018", true, ["(3,20)", "experts_per_token is 3, but there are only 2 experts"]),
        ["gradient-mixed-list"] = ("SM9003", true, ["(6,7)", "a list holds numbers only", "{filter, value} mappings only"]),
    };

    /// <summary>Words of what should be said for which merging, rather than a refusal or a warning, is the answer.</summary>
    private static readonly string[] WordsForWork = ["should work", "accepted"];

    private static readonly JsonObject[] Configurations =
        [.. File.ReadLines(Path.Combine(GoldenFolder.ProjectDirectory, "data", "errors.jsonl")).Select(l => JsonNode.Parse(l)!.AsObject())];

    public static TheoryData<string> Names => [.. Configurations.Select(c => Text(c, "name"))];

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Every_configuration_has_a_verdict_of_the_kind_that_it_should_have()
    {
        Assert.Equal(Configurations.Select(c => Text(c, "name")).Order(), Verdicts.Keys.Order());
        foreach (var configuration in Configurations)
        {
            var (rule, fails, _) = Verdicts[Text(configuration, "name")];
            var works = WordsForWork.Any(w => Text(configuration, "should").StartsWith(w, StringComparison.Ordinal));
            Assert.Equal(works, !fails && rule.Length == 0);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_said_what_should_be_said(string name)
    {
        MakeModels();
        var (rule, fails, phrases) = Verdicts[name];
        var file = _work.Write("config.yml", Text(Configurations.Single(c => Text(c, "name") == name), "config"));
        var captured = new Captured();
        var code = captured.Run("run", file, "--out", _work["out"], "--no-sync", "--json");

        Assert.Equal(fails ? Tool.ExitCode.BadInput : Tool.ExitCode.Done, code);
        Assert.Equal(!fails, Path.Exists(_work["out"]));
        var problems = captured.Json.GetProperty("problems").EnumerateArray()
            .Select(p => (Id: p.GetProperty("id").GetString()!, Severity: p.GetProperty("severity").GetString()!, Text: $"{p.GetProperty("where")}: {p.GetProperty("message")} {p.GetProperty("fix")}")).ToArray();
        Assert.Equal(fails, problems.Any(p => p.Severity == "error"));
        if (rule.Length == 0)
        {
            Assert.Equal(fails, problems.Length > 0);
            return;
        }

        var said = string.Join("\n", problems.Where(p => p.Id == rule).Select(p => p.Text));
        Assert.All(phrases, phrase => Assert.Contains(phrase, said, StringComparison.Ordinal));
        Assert.All(problems, p => Assert.Contains("config.yml", p.Text, StringComparison.Ordinal));
        if (!fails)
            Assert.All(problems, p => Assert.Equal("warning", p.Severity));
    }

    [Fact]
    public void Layers_of_different_types_keep_their_types_in_a_stack()
    {
        MakeModels();
        var file = _work.Write("config.yml", Text(Configurations.Single(c => Text(c, "name") == "stack-layer-types"), "config"));
        Assert.Equal(Tool.ExitCode.Done, new Captured().Run("run", file, "--out", _work["out"], "--no-sync"));

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_work["out"], "config.json")))!;
        Assert.Equal(3, config["num_hidden_layers"]!.GetValue<int>());
        Assert.Equal("""["full_attention","full_attention","sliding_attention"]""", config["layer_types"]!.ToJsonString());
    }

    [Fact]
    public void All_problems_of_all_kinds_come_at_once()
    {
        MakeModels();
        var file = _work.Write("config.yml", """
            merge_method: ties
            base_model: models/llama/base
            models:
              - model: models/llama/e1
                parameters: {weight: 1, densty: 0.5}
              - model: models/llama/e2
                parameters: {weight: many, density: 3}
            parameters:
              int8_mask: true
            dtype: bf16
            modles: []
            """);
        var captured = new Captured();
        Assert.Equal(Tool.ExitCode.BadInput, captured.Run("check", file, "--json"));
        Assert.Equal(
            ["SM2001 (7,41)", "SM9002 (11,1)", "SM9003 (10,8)", "SM9003 (7,26)", "SM9007 (5,29)", "SM9009 (9,3)"],
            captured.Json.GetProperty("problems").EnumerateArray().Select(p => $"{p.GetProperty("id").GetString()} {p.GetProperty("where").GetString()![file.Length..]}").Order());
    }

    private static string Text(JsonObject configuration, string key) => configuration[key]!.GetValue<string>();

    /// <summary>Models under the names that the configurations have.</summary>
    private void MakeModels()
    {
        foreach (var (name, i) in new[] { "llama/base", "llama/e1", "llama/e2", "vocab/base", "vocab/chatbase", "vocab/toolbase", "vocab/padded" }.Select((n, i) => (n, i)))
            _work.Llama("models/" + name, i);
        _work.Llama("models/bad/missing", 10, without: "model.layers.1.self_attn.q_proj.weight");
        _work.Llama("models/bad/extra", 11, extra: "model.extra.weight");
        _work.Llama("models/bad/nan", 12, first: float.NaN);
        Directory.CreateDirectory(_work["models/bad/empty"]);
        _work.Write("models/bad/noshard/model.safetensors.index.json", """{"metadata": {"total_size": 16}, "weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}}""");
        _work.Named("models/gpt2/e1", 13, ["transformer.wte.weight", "transformer.h.0.attn.c_attn.weight"], new JsonObject { ["architectures"] = new JsonArray("GPT2LMHeadModel"), ["n_layer"] = 1 });
        foreach (var (name, i) in new[] { "e1", "e2" }.Select((n, i) => (n, i)))
        {
            _work.Named("models/qwen3/" + name, 20 + i, TinyModels.LlamaNames(2), new JsonObject
            {
                ["architectures"] = new JsonArray("Qwen3ForCausalLM"),
                ["num_hidden_layers"] = 2,
                ["layer_types"] = new JsonArray("full_attention", "sliding_attention"),
            });
        }

        foreach (var (name, i) in new[] { "base", "e1" }.Select((n, i) => (n, i)))
            _work.Named("models/bert/" + name, 30 + i, ["bert.encoder.layer.0.output.dense.weight", "cls.predictions.transform.dense.weight"], new JsonObject { ["architectures"] = new JsonArray("BertForMaskedLM") });
        Directory.CreateDirectory(_work["models/raw"]);
        _work.Flat("models/raw/a.safetensors", ("w", [1, 2]), ("only", [3]));
        _work.Flat("models/raw/c.safetensors", ("w", [3, 4]), ("extra.weight", [5]));
    }
}
