using Smelt.Tool.Tests;

namespace Smelt.Mergekit.Tests;

/// <summary>The verbs on files of mergekit.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly Workspace _work = new();
    private readonly string _file;

    public CommandTests()
    {
        _work.Model("models/a", 1, 2);
        _work.Model("models/b", 3, 6);
        _file = _work.Write("mean.yml", """
            merge_method: linear
            models:
              - {model: models/a, parameters: {weight: 1}}
              - {model: models/b, parameters: {weight: 3}}
            """);
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Run_plan_check_and_list_take_a_file_as_it_is()
    {
        Assert.Equal("mean: ok", Done("check", _file).TrimEnd());
        Assert.Contains("average", Done("list", _file), StringComparison.Ordinal);
        Assert.Contains("1 merged", Done("plan", _file), StringComparison.Ordinal);
        Done("run", _file, "--out", _work["out"], "--no-sync");
        Assert.Equal([2.5f, 5f], Workspace.Values(_work["out"], 2));
    }

    [Fact]
    public void A_stage_is_merged_alone_where_it_is_asked_for()
    {
        var file = _work.Write("two.yml", """
            name: first
            merge_method: linear
            models: [{model: models/a}, {model: models/b}]
            parameters: {weight: 1}
            ---
            merge_method: passthrough
            models: [{model: first, parameters: {scale: 10}}]
            """);
        Done("run", file, "--out", _work["out"], "--no-sync");
        Assert.Equal([20f, 40f], Workspace.Values(_work["out"], 2));
        Done("run", file, "--recipe", "first", "--out", _work["first"], "--no-sync");
        Assert.Equal([2f, 4f], Workspace.Values(_work["first"], 2));
    }

    [Fact]
    public void Missing_tensors_are_merged_or_left_out_as_the_options_say()
    {
        _work.Flat("x.safetensors", ("w", [1, 2]), ("own", [8]));
        _work.Flat("y.safetensors", ("w", [3, 4]));
        var file = _work.Write("flat.yml", "merge_method: linear\nmodels: [{model: x.safetensors}, {model: y.safetensors}]\nparameters: {weight: 1}");
        Assert.Contains("--tensor-union", Refused("run", file, "--out", _work["out"]), StringComparison.Ordinal);
        Done("run", file, "--out", _work["union"], "--no-sync", "--tensor-union");
        Done("run", file, "--out", _work["intersection"], "--no-sync", "--tensor-intersection");
        Assert.Equal([("own", 1), ("w", 2)], Tensors(_work["union"]));
        Assert.Equal([("w", 2)], Tensors(_work["intersection"]));
        Assert.Contains("exclude each other", Refused("plan", file, "--tensor-union", "--tensor-intersection"), StringComparison.Ordinal);
        Assert.Contains("for configurations of mergekit", Refused("check", _work.Average("j.json", "models/a"), "--tensor-union"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer_source: base")]
    [InlineData("tokenizer_source: union")]
    [InlineData("tokenizer_source: models/x")]
    [InlineData("tokenizer: {source: base}")]
    [InlineData("tokenizer: {source: union, tokens: {}}")]
    public void The_vocabulary_that_all_models_have_is_the_outputs(string setting)
    {
        var file = Vocabularies(setting, Tokens("a", "b"), Tokens("a", "b"));
        Done("run", file, "--out", _work["out"], "--no-sync");
        Assert.Equal([2f, 4f], Workspace.Values(_work["out"], 2));
        Assert.Equal(File.ReadAllText(_work["models/x/tokenizer.json"]), File.ReadAllText(_work["out/tokenizer.json"]));
        Done("import", file, "--json", "--out", _work["x.json"]);
        Assert.Contains("SM9009", ErrorOf("import", file, "--json", "--out", _work["x.json"], "--force"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer_source: union")]
    [InlineData("tokenizer: {source: models/x}")]
    public void Without_a_base_the_first_model_gives_the_vocabulary(string setting)
    {
        var file = Vocabularies(setting, Tokens("a", "b"), Tokens("a", "b"));
        File.WriteAllText(file, File.ReadAllText(file).Replace("base_model: models/x\n", "", StringComparison.Ordinal));
        Done("run", file, "--out", _work["out"], "--no-sync");
        Assert.Equal(File.ReadAllText(_work["models/x/tokenizer.json"]), File.ReadAllText(_work["out/tokenizer.json"]));
        File.WriteAllText(file, File.ReadAllText(file).Replace(setting, "tokenizer_source: models/y", StringComparison.Ordinal));
        Assert.Contains("the vocabulary and the tokenizer files of models/x", Refused("run", file, "--out", _work["other"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_of_the_command_line_in_a_file_are_told_from_misspelt_keys()
    {
        var file = _work.Write("o.yml", "merge_method: linear\nmodels: [{model: models/x, parameters: {weight: 1}}]\nrandom_seed: 0\nallow_crimes: true\ntokeniser_source: base\n");
        var error = Refused("check", file);
        Assert.Contains("'random_seed'; known", error, StringComparison.Ordinal);
        Assert.Contains("give --mergekit-seed", error, StringComparison.Ordinal);
        Assert.Contains("none is needed here", error, StringComparison.Ordinal);
        Assert.Contains("Did you mean 'tokenizer_source'?", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer_source: base", """["a", "b"]""", """["b", "a"]""", "models/y and models/x differ in the token 'b'")]
    [InlineData("tokenizer_source: union", """["a", "b"]""", """["a", "b", "c"]""", "differ in the token 'c'")]
    [InlineData("tokenizer: {source: base}", """["a", "b", "c"]""", """["a", "b", "c"]""", "has 2 rows of embeddings for 3 tokens")]
    [InlineData("tokenizer: {source: base}", """["a"]""", """["a"]""", "has 2 rows of embeddings for 1 tokens")]
    [InlineData("tokenizer_source: base", null, """["a", "b"]""", "models/x has no tokenizer.json")]
    [InlineData("tokenizer_source: models/y", """["a", "b"]""", """["a", "b"]""", "not supported yet")]
    [InlineData("tokenizer: {source: base, pad_to_multiple_of: 8}", """["a", "b"]""", """["a", "b"]""", "not supported yet")]
    public void Vocabularies_that_differ_are_refused_with_the_first_difference(string setting, string? x, string y, string reason)
    {
        static string? Text(string? tokens) => tokens is null ? null : Tokens([.. tokens.Split('"').Where((_, i) => i % 2 == 1)]);
        var error = Refused("run", Vocabularies(setting, Text(x), Text(y)!), "--out", _work["out"]);
        Assert.Contains("SM9016", error, StringComparison.Ordinal);
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.Contains("v.yml(", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["out"]));
    }

    /// <summary>A tokenizer whose last token is an added one.</summary>
    private static string Tokens(params string[] tokens) => new System.Text.Json.Nodes.JsonObject
    {
        ["added_tokens"] = new System.Text.Json.Nodes.JsonArray(new System.Text.Json.Nodes.JsonObject { ["id"] = tokens.Length - 1, ["content"] = tokens[^1] }),
        ["model"] = new System.Text.Json.Nodes.JsonObject { ["vocab"] = new System.Text.Json.Nodes.JsonObject(tokens[..^1].Select((t, i) => KeyValuePair.Create(t, (System.Text.Json.Nodes.JsonNode?)i))) },
    }.ToJsonString();

    private string Vocabularies(string setting, string? x, string y)
    {
        foreach (var (name, tokenizer, values) in new[] { ("x", x, new float[] { 1, 2 }), ("y", y, [3, 6]) })
        {
            _work.Tensors("models/" + name, ("model.embed_tokens.weight", values));
            if (tokenizer is not null)
                File.WriteAllText(_work[$"models/{name}/tokenizer.json"], tokenizer);
        }

        // A space more: the same tokens in another file.
        if (File.Exists(_work["models/x/tokenizer.json"]))
            File.AppendAllText(_work["models/x/tokenizer.json"], " ");
        return _work.Write("v.yml", $"merge_method: linear\nbase_model: models/x\nmodels: [{{model: models/x}}, {{model: models/y}}]\nparameters: {{weight: 1}}\n{setting}\n");
    }

    [Fact]
    public void A_seed_of_mergekit_gives_its_masks_and_stands_in_the_manifest()
    {
        _work.Model("models/base", 0, 0, 0, 0, 0, 0, 0, 0);
        _work.Model("models/x", 1, 1, 1, 1, 1, 1, 1, 1);
        var file = _work.Write("dare.yml", """
            merge_method: dare_linear
            base_model: models/base
            models: [{model: models/x, parameters: {weight: 1, density: 0.53}}]
            parameters: {rescale: false}
            dtype: bfloat16
            out_dtype: float32
            """);
        Done("run", file, "--out", _work["out"], "--no-sync", "--mergekit-seed", "5489");

        // Words of MT19937 from 5489, their lower 24 bits beside 0.53 of 2^24, in bfloat16 0.53125.
        uint[] words = [3499211612, 581869302, 3890346734, 3586334585, 545404204, 4161255391, 3922919429, 949333985];
        Assert.Equal(words.Select(w => (w & 0xFFFFFF) < 0.53125 * (1 << 24) ? 1f : 0), Workspace.Values(_work["out"], 8));
        Assert.Contains("\"seed\": 5489,\n    \"arithmetic\": \"bf16\"", File.ReadAllText(_work["out/smelt.json"]), StringComparison.Ordinal);
        Done("verify", _work["out"]);
        Done("plan", file, "--mergekit-seed", "0");
        Assert.Contains("allowed: 0 to 4294967295", Refused("plan", file, "--mergekit-seed", "-1"), StringComparison.Ordinal);
        Assert.Contains("SM7043", ErrorOf("plan", _file, "--mergekit-seed", "1"), StringComparison.Ordinal);
    }

    [Fact]
    public void Import_writes_a_project_whose_models_are_found_from_its_folder()
    {
        Done("import", _file, "--out", _work["sub/My mean"]);
        Assert.Contains("<PackageReference Include=\"Smelt.Recipes\"", File.ReadAllText(_work["sub/My mean/My mean.csproj"]), StringComparison.Ordinal);
        var source = File.ReadAllText(_work["sub/My mean/Recipes.cs"]);
        Assert.Contains("namespace MyMean;", source, StringComparison.Ordinal);
        Assert.Contains("""new(Folder("../../models/b")) { Weight = 3 },""", source, StringComparison.Ordinal);
        Assert.Single(CompiledRecipes.Of(source));
    }

    [Fact]
    public void Import_leaves_the_reference_to_a_folder_that_makes_it_for_all()
    {
        _work.Write("recipes/Directory.Build.props", "<Project><ItemGroup><ProjectReference Include=\"Smelt.Recipes.csproj\" /></ItemGroup></Project>");
        Done("import", _file, "--out", _work["recipes/Mine"]);
        Assert.DoesNotContain("PackageReference", File.ReadAllText(_work["recipes/Mine/Mine.csproj"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_replaced_unless_asked()
    {
        _work.Write("p/Recipes.cs", "mine");
        Assert.Contains("SM8011", Refused("import", _file, "--out", _work["p"]), StringComparison.Ordinal);
        Assert.Equal(["Recipes.cs"], Directory.GetFiles(_work["p"]).Select(Path.GetFileName));
        Assert.Equal("mine", File.ReadAllText(_work["p/Recipes.cs"]));
        Done("import", _file, "--out", _work["p"], "--force");
        Assert.NotEqual("mine", File.ReadAllText(_work["p/Recipes.cs"]));
    }

    [Fact]
    public void A_configuration_runs_as_the_file_it_comes_from()
    {
        Done("import", _file, "--json", "--out", _work["sub/mean.json"]);
        Done("run", _work["sub/mean.json"], "--out", _work["out"], "--no-sync");
        Assert.Equal([2.5f, 5f], Workspace.Values(_work["out"], 2));
        Assert.StartsWith("{\n", Done("import", _file, "--json"), StringComparison.Ordinal);
    }

    [Fact]
    public void Export_writes_a_file_whose_models_are_found_from_its_folder()
    {
        Done("export", _work.TaskArithmetic("sum.json", "0.5", "models/a", "models/b"), "--out", _work["deep/down/sum.yml"]);
        var text = File.ReadAllText(_work["deep/down/sum.yml"]);
        Assert.Contains("base_model: ../../models/a", text, StringComparison.Ordinal);
        Done("run", _work["deep/down/sum.yml"], "--out", _work["out"], "--no-sync");
        Assert.Equal([2f, 4f], Workspace.Values(_work["out"], 2));
    }

    [Fact]
    public void Each_point_of_a_sweep_is_a_file()
    {
        var sweep = _work.TaskArithmetic("sum.json", """{"sweep": [0.5, 1]}""", "models/a", "models/b");
        Assert.Contains("2 configurations", Refused("export", sweep), StringComparison.Ordinal);
        Done("export", sweep, "--out", _work["all"]);
        Assert.Equal(["sum-lambda=0.5.yml", "sum-lambda=1.yml"], Directory.GetFiles(_work["all"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Export_of_a_file_of_mergekit_keeps_what_can_not_be_merged()
    {
        var file = _work.Write("full.yml", "merge_method: linear\ntokenizer_source: union\nchat_template: chatml\nmodels: [{model: a+b, parameters: {weight: 1}}]\n");
        Assert.Equal(
            """
            merge_method: linear
            models:
              - model: a+b
                parameters:
                  weight: 1
            tokenizer_source: union
            chat_template: chatml

            """,
            Done("export", file));
        Assert.Contains("SM9016", Refused("import", file, "--out", _work["p"]), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_work["p"]));
    }

    [Fact]
    public void A_file_that_is_not_there_is_bad_input() =>
        Assert.Contains("SM8001", Refused("import", _work["none.yml"]), StringComparison.Ordinal);

    private static string Done(params string[] arguments)
    {
        var captured = new Captured();
        var code = captured.Run(arguments);
        Assert.True(code == Tool.ExitCode.Done, captured.Error);
        return captured.Out;
    }

    private static string ErrorOf(params string[] arguments)
    {
        var captured = new Captured();
        Assert.Equal(Tool.ExitCode.Done, captured.Run(arguments));
        return captured.Error;
    }

    private static string Refused(params string[] arguments)
    {
        var captured = new Captured();
        Assert.Equal(Tool.ExitCode.BadInput, captured.Run(arguments));
        return captured.Error;
    }

    private static (string, int)[] Tensors(string folder) =>
        [.. Checkpoints.CheckpointFolder.Open(folder).Tensors.Select(t => (t.Name, (int)t.ElementCount)).Order()];
}
