using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Smelt.Tool.Tests;

/// <summary>A folder of its own for a test, with tiny models in it.</summary>
internal sealed class Workspace : IDisposable
{
    public Workspace()
    {
        Folder = Directory.CreateTempSubdirectory("smelt-tool-").FullName;
    }

    public string Folder { get; }

    /// <summary>A path in the folder.</summary>
    public string this[string name] => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Writes a model with one F32 tensor <c>w</c>.</summary>
    public void Model(string name, params float[] values) => Tensors(name, ("w", values));

    /// <summary>Writes a model with several F32 tensors.</summary>
    public void Tensors(string name, params (string Name, float[] Values)[] tensors)
    {
        var header = new JsonObject();
        var data = new List<byte>();
        foreach (var (tensor, values) in tensors)
        {
            var bytes = MemoryMarshal.AsBytes(values.AsSpan());
            header[tensor] = new JsonObject
            {
                ["dtype"] = "F32",
                ["shape"] = new JsonArray(values.Length),
                ["data_offsets"] = new JsonArray(data.Count, data.Count + bytes.Length),
            };
            data.AddRange(bytes);
        }

        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, text.Length);
        Directory.CreateDirectory(this[name]);
        File.WriteAllBytes(Path.Combine(this[name], "model.safetensors"), [.. prefix, .. text, .. data]);
        File.WriteAllText(Path.Combine(this[name], "config.json"), """{"model_type":"test"}""");
    }

    /// <summary>The F32 values of the last tensor of a model, the only one in most.</summary>
    public static float[] Values(string folder, int count)
    {
        var bytes = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
        return MemoryMarshal.Cast<byte, float>(bytes.AsSpan(bytes.Length - (count * sizeof(float)))).ToArray();
    }

    /// <summary>Writes a configuration of an average of models and gives its path.</summary>
    public string Average(string file, params string[] models) => Write(file, $$"""
        {"version": 1, "name": "{{Path.GetFileNameWithoutExtension(file)}}", "method": "average",
         "experts": [{{string.Join(", ", models.Select(Expert))}}]}
        """);

    /// <summary>Writes a configuration of task arithmetic over a base and models, with a value for lambda.</summary>
    public string TaskArithmetic(string file, string lambda, string baseModel, params string[] models) => Write(file, $$"""
        {"version": 1, "name": "{{Path.GetFileNameWithoutExtension(file)}}", "method": "task_arithmetic", "lambda": {{lambda}},
         "base": {"folder": "{{baseModel}}"},
         "experts": [{{string.Join(", ", models.Select(Expert))}}]}
        """);

    private static string Expert(string model) => "{\"model\": {\"folder\": \"" + model + "\"}}";

    /// <summary>Writes a text file and gives its path.</summary>
    public string Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[file])!);
        File.WriteAllText(this[file], text);
        return this[file];
    }
}
