using System.Text.Json.Nodes;
using Smelt.Merging.Execution;

namespace Smelt.Conformance.Originals;

/// <summary>
/// What the product made of a case under the names that cases have: <c>T</c> for merged weights, <c>mask/T</c> and <c>maskI/T</c> for
/// masks, <c>modelI/T</c> for the restored model of task I, <c>unified/T</c> and <c>rescalers</c> for EMR.
/// </summary>
internal static class OriginalsResult
{
    /// <summary>Reads an output, and restores its tasks.</summary>
    /// <param name="golden">The case.</param>
    /// <param name="output">The output.</param>
    /// <param name="scratch">A folder for restored models.</param>
    public static Dictionary<string, StoredTensor> Read(GoldenCase golden, string output, string scratch)
    {
        var weights = SafetensorsFile.ReadAll(output);
        var result = new Dictionary<string, StoredTensor>(weights, StringComparer.Ordinal);
        if (golden.Method == "consensus")
            AddMask(result, "mask", weights, Path.Combine(output, "masks", "consensus.safetensors"));
        if (golden.Method is not ("tall_masks" or "emr"))
            return result;

        var tasks = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "tasks.json")))!["tasks"]!.AsArray();
        for (var i = 0; i < tasks.Count; i++)
        {
            AddMask(result, $"mask{i}", weights, Path.Combine(output, tasks[i]!["mask"]!.GetValue<string>()));
            var folder = Path.Combine(scratch, $"task{i}");
            var plan = TaskRestorer.Plan(output, tasks[i]!["name"]!.GetValue<string>(), null, Path.GetTempPath());
            MergeExecutor.Run(plan, new MergeOptions { Output = folder, Durable = false, Threads = 2 }, new ProgressCounter(), CancellationToken.None);
            foreach (var (name, tensor) in SafetensorsFile.ReadAll(folder))
                result[$"model{i}/{name}"] = tensor;
        }

        result["rescalers"] = StoredTensor.OfFloats([tasks.Count], [.. tasks.Select(t => t!["rescaler"]!.GetValue<float>())]);
        var model = SafetensorsFile.ReadAll(golden.Resolve(golden.Json["inputs"]!["base"]!.GetValue<string>()));
        foreach (var (name, tensor) in weights.Where(w => w.Value.IsFloat))
            result[$"unified/{name}"] = StoredTensor.OfFloats(tensor.Shape, [.. Enumerable.Range(0, tensor.Count).Select(i => (float)tensor[i] - (float)model[name][i])]);
        return result;
    }

    /// <summary>Adds a file of masks, a byte for each element.</summary>
    private static void AddMask(Dictionary<string, StoredTensor> result, string prefix, Dictionary<string, StoredTensor> weights, string path)
    {
        foreach (var (name, bits) in SafetensorsFile.Read(path))
        {
            var bytes = Enumerable.Range(0, weights[name].Count).Select(i => (byte)(bits.Bytes[i / 8] >> (i % 8) & 1)).ToArray();
            result[$"{prefix}/{name}"] = new StoredTensor("U8", weights[name].Shape, bytes);
        }
    }
}
