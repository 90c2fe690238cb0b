using System.Diagnostics;
using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Importing;
using Smelt.Recipes;
using Smelt.Tool.Tests;
using static Smelt.Recipes.Syntax;

namespace Smelt.Mergekit.Tests;

/// <summary>Configurations become the recipes that do what mergekit 0.1.5 does with them.</summary>
public sealed class ImportTests : IDisposable
{
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_value_of_a_model_comes_before_the_slices_the_modules_and_the_configurations()
    {
        var recipe = (Modules)Recipe("""
            merge_method: linear
            parameters: {weight: 1}
            modules:
              encoder:
                parameters: {weight: 2}
                slices:
                  - parameters: {weight: 3}
                    sources:
                      - {model: a, layer_range: [0, 1], parameters: {weight: 4}}
                      - {model: b, layer_range: [0, 1]}
                  - sources: [{model: a, layer_range: [0, 1]}, {model: b, layer_range: [0, 1]}]
              decoder:
                models: [{model: a}, {model: b}]
            """);
        var encoder = (Stack)recipe.Parts[0].Merge;
        Assert.Equal([4, 3], encoder.Slices[0].Experts.Select(e => e.Weight!.Value));
        Assert.Equal([2, 2], encoder.Slices[1].Experts.Select(e => e.Weight!.Value));
        Assert.Equal([1, 1], recipe.Parts[1].Merge.Experts.Select(e => e.Weight!.Value));
    }

    [Fact]
    public void A_tensor_without_a_filter_takes_the_next_level()
    {
        var recipe = Recipe("""
            merge_method: ties
            base_model: base
            models:
              - {model: a, parameters: {weight: [{filter: mlp, value: 0.9}], density: [{filter: norm, value: 1}, {filter: mlp, value: [0.1, 0.5]}]}}
              - {model: b, parameters: {weight: 0.5}}
            parameters:
              weight: [{filter: self_attn, value: 0.3}, {value: 0.2}]
              lambda: [{filter: head, value: 2}, {value: 1.5}]
            """);
        Assert.Equal(0.2, recipe.Experts[0].Weight);
        Assert.Equal(
            [
                On("**.*norm*.**") with { Density = 1 },
                On("**.*mlp*.**") with { Weight = 0.9, Density = Gradient(0.1, 0.5) },
                On("**.*self_attn*.**") with { Weight = 0.3 },
            ],
            recipe.Experts[0].Tensors);
        Assert.Equal(new Expert(Folder("b")) { Weight = 0.5 }, recipe.Experts[1]);
        Assert.Equal(1.5, ((Ties)recipe).Lambda);
        Assert.Equal([On("**.*head*.**") with { Lambda = 2 }], recipe.Tensors);
    }

    [Theory]
    [InlineData("linear", "weight: 1", true)]
    [InlineData("karcher", "", true)]
    [InlineData("task_arithmetic", "weight: 1", false)]
    [InlineData("multislerp", "weight: 1", false)]
    public void A_base_that_is_not_listed_is_an_input_of_some_methods(string method, string parameters, bool isInput)
    {
        var recipe = Recipe($$"""
            merge_method: {{method}}
            base_model: base
            models: [{model: a}, {model: b}]
            parameters: { {{parameters}} }
            """);
        Assert.Equal(Folder("base"), recipe.Base);
        Assert.Equal(isInput ? ["a", "b", "base"] : ["a", "b"], recipe.Experts.Select(e => e.Model.ToString()));
    }

    [Fact]
    public void A_base_that_is_listed_gives_no_task_vector_and_its_weight_does_nothing()
    {
        var import = Import("""
            merge_method: ties
            base_model: base
            models:
              - {model: base, parameters: {weight: 1}}
              - {model: a, parameters: {weight: 1}}
            """);
        Assert.Equal("a", Assert.Single(import.Recipes[0].Recipe.Experts).Model.ToString());
        Assert.Contains("weight does nothing: the model is the base", Assert.Single(import.Problems).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("slerp", "dtype: bfloat16", DType.BF16, null)]
    [InlineData("slerp", "dtype: torch.float16", DType.F16, null)]
    [InlineData("slerp", "dtype: float32\nout_dtype: bfloat16", DType.BF16, null)]
    [InlineData("slerp", "dtype: float64", DType.F64, null)]
    [InlineData("slerp", "", null, true)]
    [InlineData("arcee_fusion", "dtype: bfloat16", DType.F32, null)]
    [InlineData("arcee_fusion", "dtype: bfloat16\nout_dtype: bfloat16", DType.BF16, null)]
    [InlineData("ramplus_tl", "", DType.F32, null)]
    public void The_format_of_the_output_is_the_one_that_mergekit_writes(string method, string dtypes, DType? expected, bool? promoted)
    {
        var recipe = Recipe($$"""
            merge_method: {{method}}
            base_model: base
            models: [{model: a}]
            {{(method == "slerp" ? "parameters: {t: 0.5}" : "")}}
            {{dtypes}}
            """);
        Assert.Equal((expected, promoted), (recipe.Dtype, recipe.PromoteDtype));
    }

    [Fact]
    public void Paths_start_at_the_current_folder_and_then_at_the_files_and_what_is_nowhere_is_a_model_of_the_hub()
    {
        foreach (var folder in new[] { "here/models/a", "there/models/a", "there/models/b", "there/org" })
            Directory.CreateDirectory(_work[folder]);
        var text = $$"""
            merge_method: linear
            models: [{model: models/a}, {model: models/b}, {model: models/c}, {model: org/name}, {model: other/name@v1}, {model: {{_work["there/models/b"]}}}, {model: a/b/c}]
            parameters: {weight: 1}
            """;
        string[] folders = [_work["here"], _work["there"]];
        Assert.Equal(
            [Folder("models/a"), Folder("../there/models/b"), Folder("models/c"), Folder("org/name"), Hub("other/name", "v1"), Folder(_work["there/models/b"]), Folder("a/b/c")],
            ModelsOf(MergekitImporter.Import(System.Text.Encoding.UTF8.GetBytes(text), "x.yml", folders)));
        Assert.Equal(Folder("../here/models/a"), ModelsOf(MergekitImporter.Import(System.Text.Encoding.UTF8.GetBytes(text), "x.yml", folders, _work["elsewhere"]))[0]);
    }

    [Fact]
    public void Paths_start_at_the_files_folder_where_no_model_is_in_the_current_one()
    {
        Directory.CreateDirectory(_work["there/models/a"]);
        var import = Import("merge_method: passthrough\nmodels: [{model: models/a}]", [_work["here"], _work["there"]]);
        Assert.Equal(_work["there"], import.Root);
        Assert.Equal(Folder("models/a"), ModelsOf(import)[0]);
    }

    [Fact]
    public void Flat_files_have_no_layers_so_the_first_value_of_a_gradient_holds()
    {
        var import = Import("""
            merge_method: linear
            models: [{model: a.safetensors, parameters: {weight: [0.25, 1]}}, {model: b.safetensors, parameters: {weight: 1}}]
            """);
        Assert.Equal(0.25, import.Recipes[0].Recipe.Experts[0].Weight);
        Assert.Equal("SM9009", Assert.Single(import.Problems).Id);
    }

    [Fact]
    public void Slices_take_the_layers_of_each_source_and_their_base_is_one_of_them()
    {
        var stack = (Stack)Recipe("""
            merge_method: task_arithmetic
            base_model: base
            parameters: {weight: 1}
            slices:
              - sources:
                  - {model: a, layer_range: [0, 2]}
                  - {model: base, layer_range: [0, 2]}
                  - {model: b, layer_range: [1, 3]}
              - base_model: other
                sources: [{model: other, layer_range: [4, 5]}, {model: a, layer_range: [2, 3]}]
            """);
        Assert.Equal(Folder("base"), stack.Base);
        Assert.Equal([new TaskArithmetic { Base = Folder("base"), Layers = 0..2, Experts = [new(Folder("a")) { Weight = 1 }, new(Folder("b")) { Weight = 1, Layers = 1..3 }] }, new TaskArithmetic { Base = Folder("other"), Layers = 4..5, Experts = [new(Folder("a")) { Weight = 1, Layers = 2..3 }] }], stack.Slices);
    }

    [Fact]
    public void Switches_are_those_of_mergekit()
    {
        Assert.Equal(
            new Ties { Profile = Profile.Mergekit, Base = Folder("base"), Experts = [new(Folder("a")) { Weight = 1 }], Normalize = false, Rescale = Rescale.L1, PromoteDtype = true },
            Recipe("merge_method: ties\nbase_model: base\nmodels: [{model: a}]\nparameters: {weight: 1, normalize: no, rescale: 1}"));
        Assert.Equal(1e-6, ((Sce)Recipe("merge_method: sce\nbase_model: base\nmodels: [{model: a}]")).SmallestEnergy);
    }

    [Fact]
    public void A_switch_may_be_a_gradient_of_one_value_and_no_other()
    {
        Assert.True(((Average)Recipe("merge_method: linear\nmodels: [{model: a}]\nparameters: {weight: 1, normalize: [true, true]}")).Normalize);
        var problem = Assert.Single(Import("merge_method: linear\nmodels: [{model: a}]\nparameters: {weight: 1, normalize: [true, false]}").Problems);
        Assert.Equal("SM9012", problem.Id);
    }

    [Fact]
    public void Stages_are_models_of_the_recipes_that_name_them_wherever_they_stand()
    {
        var import = Import("""
            merge_method: passthrough
            models: [{model: second}]
            ---
            name: second
            merge_method: slerp
            base_model: first
            models: [{model: first}, {model: a}]
            parameters: {t: 0.5}
            ---
            name: first
            merge_method: passthrough
            models: [{model: b}]
            """);
        Assert.Equal(["first", "second", "x"], import.Recipes.Select(r => r.Name));
        Assert.Equal([true, true, false], import.Recipes.Select(r => r.IsStage));
        Assert.Equal(From(import.Recipes[1].Recipe, "second"), ModelsOf(import)[0]);
        Assert.Equal(From(import.Recipes[0].Recipe, "first"), import.Recipes[1].Recipe.Base);
    }

    [Theory]
    [InlineData("name: a\nmerge_method: passthrough\nmodels: [{model: b}]\n---\nname: b\nmerge_method: passthrough\nmodels: [{model: a}]", "in a circle")]
    [InlineData("name: a\nmerge_method: passthrough\nmodels: [{model: x}]\n---\nmerge_method: passthrough\nmodels: [{model: a@v1}]", "neither revision nor adapter")]
    [InlineData("merge_method: passthrough\nmodels: [{model: x}]\n---\nmerge_method: passthrough\nmodels: [{model: a}]", "no name")]
    public void Stages_that_do_not_fit_are_reported(string text, string phrase)
    {
        var problem = Assert.Single(Import(text).Problems, p => p.Id == "SM9014");
        Assert.Contains(phrase, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_problem_of_a_stage_stands_where_the_stage_stands()
    {
        var problem = Assert.Single(Import("""
            name: first
            merge_method: ties
            base_model: base
            models: [{model: a, parameters: {weight: 1, density: 2}}]
            ---
            merge_method: slerp
            base_model: first
            models: [{model: b}]
            parameters: {t: 0.5}
            """).Problems);
        Assert.Equal(("SM2001", "x.yml(4,54)"), (problem.Id, problem.Where));
    }

    [Fact]
    public void Filters_that_leave_tensors_out_are_found_in_the_names_of_the_models()
    {
        var import = Import("""
            merge_method: linear
            models: [{model: a, parameters: {weight: [{filter: mlp, value: 1}, {filter: norm, value: 2}]}}, {model: b, parameters: {weight: 1}}]
            """);
        Assert.Empty(import.Problems);
        Assert.Empty(import.Recipes[0].CheckTensors(["layers.0.mlp.up", "norm.weight"]));
        var problem = Assert.Single(import.Recipes[0].CheckTensors(["layers.0.mlp.up", "lm_head.weight"]));
        Assert.Equal(("SM9008", "x.yml(2,34)"), (problem.Id, problem.Where));
        Assert.Contains("lm_head.weight", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("parameters: {int8_mask: true, weight: 1}", "(4,14)", "int8_mask does nothing")]
    [InlineData("parameters: {weight: [{value: 1}, {filter: mlp, value: 2}]}", "(4,35)", "never reached")]
    [InlineData("parameters: {weight: [{filter: '*.mlp.*', value: 2}, {value: 1}]}", "(4,50)", "without wildcards")]
    [InlineData("parameters: {weight: 1, t: []}", "(4,25)", "as if it were not given")]
    [InlineData("parameters: {weight: 1, filter_wise: true}", "(4,25)", "task_arithmetic has no parameter 'filter_wise'")]
    [InlineData("parameters: {weight: 1, density: 0.5}", "(4,25)", "density does nothing")]
    public void What_does_nothing_gets_a_warning(string line, string place, string phrase)
    {
        var problem = Assert.Single(Import("merge_method: task_arithmetic\nbase_model: b\nmodels: [{model: a}]\n" + line).Problems);
        Assert.Equal(("SM9009", Severity.Warning, "x.yml" + place), (problem.Id, problem.Severity, problem.Where));
        Assert.Contains(phrase, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_of_the_whole_merge_does_nothing_under_a_model()
    {
        var problem = Assert.Single(Import("merge_method: ties\nbase_model: b\nmodels: [{model: a, parameters: {weight: 1, normalize: false}}]").Problems);
        Assert.Contains("normalize does nothing: it is one value for the whole merge", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"num_local_experts": 8}""", MoeLayout.Fused)]
    [InlineData("""{"n_routed_experts": 64}""", MoeLayout.Fused)]
    [InlineData("""{"hidden_size": 8}""", null)]
    [InlineData("""["num_experts"]""", null)]
    [InlineData("{", null)]
    public void Mixtures_are_merged_fused_as_in_mergekit(string config, MoeLayout? expected)
    {
        _work.Write("a/config.json", config);
        var import = MergekitImporter.Import(System.Text.Encoding.UTF8.GetBytes("merge_method: linear\nmodels: [{model: b, parameters: {weight: 1}}, {model: a, parameters: {weight: 1}}]"), "x.yml", [_work.Folder]);
        Assert.Equal(expected, Assert.Single(import.Recipes).Recipe.MoeLayout);
    }

    [Fact]
    public async Task A_pipe_in_the_place_of_a_configuration_is_not_waited_for()
    {
        if (OperatingSystem.IsWindows())
            return;
        _work.Write("a/other.json", "{}");
        var pipe = Path.Combine(_work.Folder, "pipe");
        using (var mkfifo = Process.Start("mkfifo", [pipe]))
            await mkfifo.WaitForExitAsync();
        File.CreateSymbolicLink(Path.Combine(_work.Folder, "a", "config.json"), pipe);
        var import = Task.Run(() => new ModelFinder([_work.Folder], _work.Folder).IsMixture(new ModelPath("a")));
        if (await Task.WhenAny(import, Task.Delay(TimeSpan.FromSeconds(20))) != import)
        {
            // Whoever waits goes on, so that the test ends.
            await File.WriteAllTextAsync(pipe, "");
            Assert.Fail("the pipe was opened");
        }

        Assert.False(await import);
    }

    [Theory]
    [InlineData("tokenizer_source: other")]
    [InlineData("tokenizer: {source: base, tokens: {'<x>': {source: {kind: zero}, force: true}}, pad_to_multiple_of: 8}")]
    [InlineData("base_model: {model: {path: a}, lora: {path: org/lora}}")]
    public void What_is_not_supported_is_refused_with_one_message(string line)
    {
        var problem = Assert.Single(Import("merge_method: karcher\nmodels: [{model: b}]\n" + line).Problems);
        Assert.Equal("SM9016", problem.Id);
    }

    [Theory]
    [InlineData("model.layers.0.mlp.up_proj.weight", "mlp", true)]
    [InlineData("model.layers.0.mlp.up_proj.weight", "lp.up", true)]
    [InlineData("model.layers.0.mlp.up_proj.weight", "weight", true)]
    [InlineData("model.layers.0.mlp.up_proj.weight", "model", true)]
    [InlineData("model.layers.0.mlp.up_proj.weight", ".mlp.", true)]
    [InlineData("model.layers.0.mlp.up_proj.weight", ".model", false)]
    [InlineData("model.layers.0.mlp.up_proj.weight", "mlp.down", false)]
    [InlineData("scale", "cal", true)]
    public void A_filter_is_a_part_of_the_name(string name, string filter, bool matches)
    {
        Assert.Equal(matches, name.Contains(filter, StringComparison.Ordinal));
        Assert.Equal(matches, Glob.TryParse(Filters.ToGlob(filter)!, out _)!.IsMatch(name));
        Assert.Equal((true, filter, true), Filters.FromGlob(Filters.ToGlob(filter)!));
    }

    [Fact]
    public void Names_come_from_the_file_where_a_document_has_none()
    {
        Assert.Equal("My-merge-v1.0", MergekitImporter.NameOf("/somewhere/My merge+v1.0.yml".Replace('+', '-')));
        Assert.Equal("merge", MergekitImporter.NameOf("....yml"));
    }

    private static Recipe Recipe(string text)
    {
        var import = Import(text);
        Assert.True(import.Problems.Count == 0, string.Join("\n", import.Problems));
        return import.Recipes[^1].Recipe;
    }

    /// <summary>Imports a file; only the models a, b, c, base and other are local.</summary>
    private static Import Import(string text, IReadOnlyList<string>? folders = null)
    {
        if (folders is not null)
            return MergekitImporter.Import(System.Text.Encoding.UTF8.GetBytes(text), "x.yml", folders);
        using var work = new Workspace();
        foreach (var model in new[] { "a", "b", "c", "base", "other" })
            Directory.CreateDirectory(work[model]);
        return MergekitImporter.Import(System.Text.Encoding.UTF8.GetBytes(text), "x.yml", [work.Folder]);
    }

    private static Model[] ModelsOf(Import import) => [.. import.Recipes[^1].Recipe.Experts.Select(e => e.Model)];
}
