using System.Text.Json.Nodes;
using Smelt.Checkpoints;
using Smelt.Mergekit.Importing;
using Smelt.Mergekit.Reading;
using Smelt.Mergekit.Writing;
using Smelt.Recipes.Configuration;
using Smelt.Tests;
using Smelt.Tool.Tests;

namespace Smelt.Mergekit.Tests;

/// <summary>Configurations as people publish them, with tiny models under their names.</summary>
public sealed class RealFileTests : IDisposable
{
    private const int Layers = 32;

    private static readonly string Folder = Path.Combine(GoldenFolder.ProjectDirectory, "data", "real");

    /// <summary>The layers of the output and its format; null for a file that is refused. And the rules of the warnings.</summary>
    private static readonly Dictionary<string, (int? Layers, string? Type, string[] Warnings)> Verdicts = new()
    {
        ["anchors-quoted"] = (32, "BF16", []),
        ["arcee-fusion"] = (32, "F32", []),
        ["breadcrumbs-ties"] = (32, "BF16", []),
        ["karcher"] = (32, "BF16", []),
        ["linear-lora"] = (null, null, []),
        ["modules"] = (32, "BF16", []),
        ["multislerp"] = (32, "BF16", []),
        ["nearswap"] = (32, "BF16", []),
        ["nuslerp-rows"] = (32, "BF16", []),
        ["ram"] = (32, "BF16", []),
        ["sce"] = (32, "BF16", []),
        ["slices-filter-gradients"] = (32, "BF16", []),
        ["dare-ties-three"] = (32, "BF16", ["SM9009"]),
        ["della"] = (32, "BF16", []),
        ["frankenmerge"] = (47, "F16", []),
        ["model-stock"] = (32, "BF16", []),
        ["moe"] = (null, null, []),
        ["multi-stage"] = (32, "BF16", []),
        ["slerp-attention-mlp"] = (32, "BF16", []),
        ["solar"] = (48, "BF16", []),
        ["task-arithmetic-negative"] = (32, "F32", []),
        ["ties-gradients"] = (32, "F16", ["SM9009"]),
    };

    private readonly Workspace _work = new();

    public static TheoryData<string> Names => [.. Directory.GetFiles(Folder, "*.yml").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    public void Dispose() => _work.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void It_runs_as_it_is_or_says_why_not(string name)
    {
        var (layers, type, warnings) = Verdicts[name];
        var captured = new Captured();
        var code = captured.Run("run", Place(name), "--out", _work["out"], "--no-sync", "--json");
        Assert.Equal(warnings, captured.Json.GetProperty("problems").EnumerateArray().Where(p => p.GetProperty("severity").GetString() == "warning").Select(p => p.GetProperty("id").GetString()!));
        if (layers is null)
        {
            Assert.Equal(Tool.ExitCode.BadInput, code);
            Assert.Equal("SM9016", Assert.Single(captured.Json.GetProperty("problems").EnumerateArray()).GetProperty("id").GetString());
            Assert.False(Path.Exists(_work["out"]));
            return;
        }

        Assert.True(code == Tool.ExitCode.Done, captured.Error);
        var output = CheckpointFolder.Open(_work["out"]);
        Assert.Equal(TinyModels.LlamaNames(layers.Value).Order(StringComparer.Ordinal), output.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.All(output.Tensors, t => Assert.Equal(type, t.Type.Name));
        Assert.Equal(layers, JsonNode.Parse(File.ReadAllText(Path.Combine(_work["out"], "config.json")))!["num_hidden_layers"]!.GetValue<int>());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void It_comes_back_from_a_recipe_and_from_YAML_as_it_was(string name)
    {
        var file = Place(name);
        var read = MergekitReader.Read(File.ReadAllBytes(file), file);
        Assert.Equal(read.Documents, MergekitReader.Read(MergekitWriter.Write(read.Documents), file).Documents);
        if (Verdicts[name].Layers is null)
            return;

        Assert.Equal(Tool.ExitCode.Done, new Captured().Run("import", file, "--out", _work["project"]));
        var compiled = Assert.Single(CompiledRecipes.Of(File.ReadAllText(_work["project/Recipes.cs"])));
        var json = new Captured();
        Assert.Equal(Tool.ExitCode.Done, json.Run("import", file, "--json", "--out", _work["project/again.json"]));
        var configuration = ConfigurationReader.Read(File.ReadAllText(_work["project/again.json"]), "again.json");
        Assert.Equal(compiled.Value, configuration.CanonicalJson);

        Assert.Equal(Tool.ExitCode.Done, new Captured().Run("export", _work["project/again.json"], "--out", _work["project/again.yml"]));
        var import = MergekitImporter.Import(File.ReadAllBytes(_work["project/again.yml"]), name + ".yml", [_work["project"]]);
        Assert.Equal(configuration.CanonicalJson, ConfigurationWriter.Write(configuration.Name, import.Recipes[^1].Recipe));
    }

    [Fact]
    public void Upscaling_takes_the_layers_that_the_file_says()
    {
        Assert.Equal(Tool.ExitCode.Done, new Captured().Run("run", Place("solar"), "--out", _work["out"], "--no-sync"));
        var (output, input) = (CheckpointFolder.Open(_work["out"]), CheckpointFolder.Open(_work["acme/mistral-7b"]));
        float[] Output(string tensor) => Values(output, tensor, t => BitConverter.Int32BitsToSingle(BitConverter.ToUInt16(t) << 16), sizeof(ushort));
        float[] Input(string tensor) => Values(input, tensor, BitConverter.ToSingle, sizeof(float));
        float[] Rounded(string tensor, float scale) => [.. Input(tensor).Select(v => Bf16(v * scale))];

        for (var layer = 0; layer < 48; layer++)
        {
            var from = layer < 24 ? layer : layer - 16;
            Assert.Equal(Rounded($"model.layers.{from}.mlp.up_proj.weight", 1), Output($"model.layers.{layer}.mlp.up_proj.weight"));
            Assert.Equal(Rounded($"model.layers.{from}.mlp.down_proj.weight", layer < 24 ? 1 : 0.5f), Output($"model.layers.{layer}.mlp.down_proj.weight"));
        }

        Assert.Equal(Rounded("lm_head.weight", 1), Output("lm_head.weight"));
    }

    private delegate float Convert(ReadOnlySpan<byte> bytes);

    private static float[] Values(Checkpoint checkpoint, string tensor, Convert convert, int size)
    {
        Assert.True(checkpoint.TryGet(tensor, out var found), tensor);
        var bytes = File.ReadAllBytes(found!.File.FullPath).AsSpan((int)found.Offset, (int)found.ByteLength);
        var values = new float[bytes.Length / size];
        for (var i = 0; i < values.Length; i++)
            values[i] = convert(bytes[(i * size)..]);
        return values;
    }

    /// <summary>A number rounded to bfloat16, to nearest even.</summary>
    private static float Bf16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }

    /// <summary>Puts a file and the models that it names into the work folder.</summary>
    private string Place(string name)
    {
        var text = File.ReadAllText(Path.Combine(Folder, name + ".yml"));
        var models = text.Split([' ', '"', '\n'], StringSplitOptions.RemoveEmptyEntries).Where(w => w.StartsWith("acme/", StringComparison.Ordinal)).Distinct().ToArray();
        for (var i = 0; i < models.Length; i++)
            _work.Llama(models[i], i, Layers);
        return _work.Write(name + ".yml", text);
    }
}
